"""Every alert leads to a page that names it, and each runbook has what a runbook needs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "runbooks"
RULES = yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules.yml").read_text("utf-8"))
ALERTS = {rule["alert"] for group in RULES["groups"] for rule in group["rules"] if "alert" in rule}
ROWS = dict(
    re.findall(
        r"^\| `(Tiergate\w+)` \| .+ \| (.+) \|$", (FOLDER / "index.md").read_text(), re.MULTILINE
    )
)
BOOKS = sorted(path for path in FOLDER.glob("*.md") if path.name != "index.md")
PARTS = ("## What you see", "## How to see that it is over", "## Afterwards")


def test_every_alert_has_a_row_and_no_other():
    assert set(ROWS) == ALERTS


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_the_runbook_that_an_alert_leads_to_names_it(alert):
    for page in re.findall(r"\]\(([\w-]+\.md)\)", ROWS[alert]):
        assert f"`{alert}`" in (FOLDER / page).read_text("utf-8")


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.name)
def test_a_runbook_says_what_is_seen_and_when_it_is_over(book):
    text = book.read_text("utf-8")
    for part in PARTS:
        assert f"\n{part}\n" in text, part
    assert set(re.findall(r"`(Tiergate\w+)`", text)) <= ALERTS


def test_every_runbook_is_in_the_index():
    index = (FOLDER / "index.md").read_text("utf-8")
    for book in BOOKS:
        assert f"]({book.name})" in index
