"""The page about prices: its command is run, and its example calculated."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from tiergate.base.money import format_usd
from tiergate.cli import main
from tiergate.config.load import load
from tiergate.core.cost import Price, cost
from tiergate.pricing import PriceList
from tiergate.providers.anthropic import usage_from
from tiergate.wiring.configuration import known

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "prices.md"
TEXT = PAGE.read_text("utf-8")


def block(kind: str) -> str:
    (found,) = re.findall(rf"```{kind}\n(.*?)```", TEXT, re.DOTALL)
    assert isinstance(found, str)
    return found


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "config.yaml"
    path.write_text(block("yaml"))
    return path


@pytest.fixture
def price(file: Path) -> Price:
    draft = load([file], {}, known=known(), env=False).draft
    assert draft is not None
    own = next(each for each in draft.deployments if each.alias == "own")
    found = PriceList().of([own])[own.id]
    assert found is not None
    return found


@pytest.mark.usefixtures("file")
def test_the_command_prints_what_the_page_shows() -> None:
    shown = block("console")
    command, _, output = shown.partition("\n")
    words = command.removeprefix("$ tiergate ").split()
    done = CliRunner().invoke(main, words)

    assert done.exit_code == 0, done.output
    assert done.output == output


def test_the_example_costs_what_the_page_says(price: Price) -> None:
    usage = usage_from(json.loads(block("json")))
    rows = re.findall(
        r"^\| ([a-z0-9, ]+) \| ([\d,]+) \| ([\d.]+) \| ([\d.]+) \|$", TEXT, re.MULTILINE
    )
    amounts = [
        (Decimal(tokens.replace(",", "")) * Decimal(rate) / 1_000_000, Decimal(amount))
        for _, tokens, rate, amount in rows
    ]
    together = re.search(r"^\| together \| \| \| ([\d.]+) \|$", TEXT, re.MULTILINE)

    assert len(amounts) == 5
    assert all(product == amount for product, amount in amounts)
    assert together is not None
    assert sum(amount for _, amount in amounts) == Decimal(together[1])
    assert format_usd(cost(usage, price)) == together[1]
    assert usage.prompt_total == 181_521


def test_prose_has_one_sentence_on_a_line() -> None:
    prose = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
    for line in prose.splitlines():
        if line and line[0].isalpha():
            assert not re.search(r"[a-z`)]\. [A-Z]", line), line
