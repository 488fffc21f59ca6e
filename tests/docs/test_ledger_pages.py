"""The pages about the ledger: every command and request on them is made, and answers as shown."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from support.asking import told
from support.books import BooksOnDisk
from support.ledger import DAY, NOON, MemoryLedger, entry
from tiergate.cli import main
from tiergate.core.ledger import Entry
from tiergate.core.pages import Lease, SharedPage
from tiergate.web.ledger_routes import LedgerRoutes
from tiergate.web.spend import SpendRoutes

DOCS = Path(__file__).parents[2] / "docs"
PAGES = (DOCS / "reference" / "ledger.md", DOCS / "how-to" / "read-the-bill.md")

ANTHROPIC_USAGE = """\
usage_date_utc,model_version,api_key,workspace,usage_type,context_window,\
usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,\
usage_input_tokens_cache_read,usage_output_tokens,web_search_count,inference_geo,speed
2026-11-24,claude-opus-4-6,gateway,Default,standard,,52000,0,0,40000,6100,0,global,
2026-11-25,claude-opus-4-6,gateway,Default,standard,,31000,0,0,0,2500,0,global,
"""
INVOICE = "Date,Model,Amount\n2026-11-25,gpt-5,0.09\n"


def opus(number: int, **given: object) -> Entry:
    return entry(number, **{"key_name": "master", "team": "platform", **given})


RECORDS = (
    opus(1, ticket="PROJ-7", phase="review", input=52_000, cache_read=40_000, output=6_100,
         cost=432_500_000, reason="tests fail twice", why="frontier/dep-f ok", tags=("ci",)),
    opus(2, wall=NOON + DAY, input=24_000, output=1_900, cost=167_500_000, tags=("ci", "nightly")),
    opus(3, wall=NOON + DAY + 60, team="search", asked="cheap", served="cheap", provider="openai",
         deployment="dep-c", model="gpt-5", input=40_000, output=4_000, cost=90_000_000),
    opus(4, wall=NOON + DAY + 90, asked="cheap", served="", deployment="", provider="", model="",
         status="refused", http_status=429, input=0, output=0, cost=0),
)  # fmt: skip


def page(source: str, spent: int) -> SharedPage:
    return SharedPage(1793491200, 1796083200, {}, {"w": Lease(spent, spent, spent, 4e9, source)})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a configuration, its books, and two providers' files."""
    books = BooksOnDisk.make(tmp_path)
    source = books.record(RECORDS)
    books.count(
        {
            "alias:frontier": page(source, 600_000_000),
            "provider:anthropic": page(source, 600_000_000),
            "gateway:gateway": page(source, 690_000_000),
        }
    )
    (tmp_path / "anthropic-usage.csv").write_text(ANTHROPIC_USAGE)
    (tmp_path / "invoice.csv").write_text(INVOICE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def blocks(kind: str) -> list[tuple[str, str]]:
    """Return each example of a kind: what is asked, and what is shown to come back."""
    found: list[tuple[str, str]] = []
    for path in PAGES:
        text = path.read_text("utf-8")
        for asked, shown in re.findall(rf"```{kind}\n(.+)\n((?:(?!```).*\n)*)```", text):
            found.append((asked, shown))
    return found


COMMANDS = blocks("console")
REQUESTS = blocks("http")


def test_there_are_examples():
    assert len(COMMANDS) >= 8
    assert len(REQUESTS) >= 2


@pytest.mark.parametrize(("asked", "shown"), COMMANDS, ids=[asked for asked, _ in COMMANDS])
def test_every_command_prints_what_the_page_shows(folder, asked, shown):
    words = shlex.split(asked.removeprefix("$ "))
    assert words[0] == "tiergate"
    result = CliRunner().invoke(main, words[1:])
    assert result.output.rstrip("\n") == shown.rstrip("\n")


async def no_budgets():
    return ()


@pytest.mark.parametrize(("asked", "shown"), REQUESTS, ids=[asked for asked, _ in REQUESTS])
def test_every_request_is_answered_as_the_page_shows(asked, shown):
    ledger = MemoryLedger(list(RECORDS))
    routes = [
        *LedgerRoutes(ledger, lambda: NOON + 2 * DAY).routes(),
        *SpendRoutes(ledger, no_budgets, lambda: NOON + 2 * DAY).routes(),
    ]
    method, _, rest = asked.partition(" ")
    path, _, query = rest.partition("?")
    assert told(routes, path, query, method=method).body.decode() == shown.rstrip("\n")


def test_every_route_is_on_the_page():
    text = PAGES[0].read_text("utf-8")
    routes = [
        *LedgerRoutes(MemoryLedger(), lambda: NOON).routes(),
        *SpendRoutes(MemoryLedger(), no_budgets, lambda: NOON).routes(),
    ]
    for route in routes:
        last = route.path.rpartition("/")[2]
        assert f"{route.path}" in text or f"`/{last}`" in text, route.path
