"""The docs say what is the case: links lead somewhere, and nothing that users meet is left out."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from tiergate.cli import main
from tiergate.cli.main import COMMANDS
from tiergate.cli.reference import command_reference
from tiergate.web.control import PLANNED, Control
from tiergate.web.data_plane import ROUTES
from tiergate.web.escalations import EscalationRoutes
from tiergate.web.requests import CONTROL, FORBIDDEN, HEADERS

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "tiergate"
REFERENCE = ROOT / "docs" / "reference"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
HTTP = (REFERENCE / "http-api.md").read_text("utf-8")
COMMAND_LINE = (REFERENCE / "command-line.md").read_text("utf-8")

UNTOLD = frozenset(
    {
        # LiteLLM's own names, taken out and without effect here: on the page of keys they belong.
        "max_retries", "stream_timeout", "guardrails", "litellm_metadata",
        "litellm_call_id",
    }
)  # fmt: skip


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and MkDocs make them."""
    found = re.findall(r"^#{1,6} (.+)$", page.read_text("utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.replace("`", "")).lower() for heading in found)
    return {text.strip().replace(" ", "-") for text in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file_and_a_heading(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        to = (page.parent / name).resolve() if name else page
        assert to.exists(), f"{target} leads nowhere"
        assert to.is_relative_to(ROOT), f"{target} leads out of the repository"
        assert not anchor or anchor in anchors(to), f"{target}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_page_has_one_title_and_whole_tables(page):
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    columns = 0
    for line in text.splitlines():
        if not line.startswith("|"):
            columns = 0
            continue
        now = len(re.findall(r"(?<!\\)\|", line))
        assert columns in (0, now), f"a row of another length: {line}"
        columns = now


# ------------------------------------------------------------------ the command line


def test_the_page_of_commands_is_what_make_docs_makes():
    assert command_reference(main, "tiergate") == COMMAND_LINE, "run `make docs`"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_each_of_its_options_is_on_the_page(name):
    section = COMMAND_LINE.partition(f"## `tiergate {name}`")[2].partition("\n## ")[0]
    assert section
    command = main.get_command(click.Context(main), name)
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            for spelling in option.opts:
                assert re.search(rf"[`\s]{re.escape(spelling)}[`\s,]", section), spelling


# ------------------------------------------------------------------ the HTTP interface


def test_every_route_is_on_the_page():
    control = Control(lambda: None, None, lambda: "")
    for path in {path for path in ROUTES if path.startswith("/v1/") and not path.endswith("/")}:
        assert f"`POST {path}`" in HTTP
    for path in [*control._open, *control._keyed, "/metrics"]:
        assert f"`GET {path}`" in HTTP, path
    for path in PLANNED:
        assert f"`/v1{path}`" in HTTP


def test_the_page_names_no_route_that_is_not_there():
    """The list of all routes is held against the program by its own test."""
    routes = (REFERENCE / "routes.md").read_text("utf-8")
    known = {path.replace("/*", "/ALIAS") for path in re.findall(r"`(/[^`]*)`", routes)}
    named = {path.partition("?")[0] for path in re.findall(r"`GET (/[^`]*)`", HTTP)}
    assert named <= known


def test_every_route_of_escalations_is_on_the_page_and_no_other():
    there = {f"{each.method} {each.path}" for each in EscalationRoutes(None, None).routes()}
    told = re.findall(r"`((?:GET|POST|DELETE) /escalations[^`?]*)", HTTP)
    assert set(told) == there


def test_every_field_and_header_for_the_gateway_is_on_the_page():
    for name in (CONTROL - UNTOLD) | FORBIDDEN | HEADERS:
        assert f"`{name}`" in HTTP, name
    assert UNTOLD <= CONTROL


def test_every_answer_header_is_on_the_page():
    sent = set()
    for path in (SOURCE / "web").glob("*.py"):
        sent |= set(re.findall(r'"(x-(?:litellm|tiergate)-[a-z-]+)"', path.read_text("utf-8")))
    assert len(sent) > 10
    for name in sent:
        assert f"`{name}`" in HTTP, name
