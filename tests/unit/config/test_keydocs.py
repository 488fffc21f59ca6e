"""The reference page is the table, and the page in the repository is the one made from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiergate.config.keydocs import key_reference, verdict_words
from tiergate.config.keys import load_key_table
from tiergate.config.keytable import KeyEntry, KeyFacts, KeyTable, KeyType, Origin, Verdict

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "litellm-keys.md"


def test_the_page_in_the_repository_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == key_reference(load_key_table()), "run: make docs"


def test_every_key_is_on_the_page() -> None:
    page = key_reference(load_key_table())
    for entry in load_key_table().all():
        ends = (".".join(entry.parts[start:]) for start in range(len(entry.parts)))
        assert any(f"`{end}`" in page for end in ends), entry.path


def row(page: str, key: str) -> str:
    return next(line for line in page.splitlines() if line.startswith(f"| `{key}`"))


def made(*facts: tuple[str, KeyFacts], also: tuple[str, ...] = ()) -> str:
    return key_reference(
        KeyTable(KeyEntry(tuple(path.split(".")), fact, also) for path, fact in facts)
    )


def test_a_row_says_all_the_table_says() -> None:
    facts = KeyFacts(
        KeyType.ENUM,
        Verdict.PLANNED,
        "Picks one | the other.",
        default="`a`",
        until="Nothing is picked.",
        values=("a", "b"),
        origin=Origin.TIERGATE,
    )
    line = row(made(("router_settings.pick", facts), also=("general_settings.pick",)), "pick")
    assert line == (
        "| `pick` (of Tiergate) | not acting yet | `a`, `b`; default: `a` | "
        "Picks one \\| the other. **Meanwhile:** Nothing is picked. "
        "See also `general_settings.pick`. |"
    )


def test_keys_that_are_alike_share_a_row() -> None:
    facts = KeyFacts(KeyType.USD, Verdict.NO_EFFECT, "A price.", instead="Use another.")
    page = made(("router_settings.one", facts), ("router_settings.two", facts))
    line = row(page, "one")
    assert line.startswith("| `one`, `two` | no effect here | USD | A price. **Instead:** Use")


def test_a_key_of_two_places_is_described_at_the_first_and_named_at_the_other() -> None:
    facts = KeyFacts(KeyType.INTEGER, Verdict.HONOURED, "Counts.")
    page = made(("router_settings.count", facts), ("litellm_settings.count", facts))
    assert page.count("Counts.") == 1
    assert "The same as under `router_settings`: `count`." in page


def test_what_needs_nothing_is_not_told_to_do_something() -> None:
    facts = KeyFacts(KeyType.BOOLEAN, Verdict.NO_EFFECT, "Idle.", instead="None needed.")
    assert "Instead" not in row(made(("general_settings.idle", facts)), "idle")


@pytest.mark.parametrize("verdict", Verdict)
def test_each_verdict_has_words_of_its_own(verdict: Verdict) -> None:
    others = {verdict_words(other) for other in Verdict if other is not verdict}
    assert verdict_words(verdict) not in others
