"""The page for those who come from LiteLLM is the table of keys, sorted by what changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiergate.config.differences import differences
from tiergate.config.keys import load_key_table
from tiergate.config.keytable import KeyEntry, KeyFacts, KeyTable, KeyType, Origin, Verdict

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "litellm-differences.md"
TITLES = {
    Verdict.HONOURED: "Works the same",
    Verdict.DIFFERS: "Works, with a difference",
    Verdict.PLANNED: "Not acting yet",
    Verdict.NO_EFFECT: "No effect here",
    Verdict.REFUSED: "Refused",
}


def facts(verdict: Verdict, text: str = "What it does.", **more: str) -> KeyFacts:
    return KeyFacts(KeyType.ANY, verdict, text, **more)  # type: ignore[arg-type]


def made(*keys: tuple[str, KeyFacts]) -> str:
    return differences(KeyTable(KeyEntry(tuple(path.split(".")), fact) for path, fact in keys))


def part(page: str, verdict: Verdict) -> str:
    return page.partition(f"\n## {TITLES[verdict]}\n")[2].partition("\n## ")[0]


def test_the_page_in_the_repository_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == differences(load_key_table()), "run: make docs"


@pytest.mark.parametrize("verdict", Verdict)
def test_every_key_of_litellm_stands_in_the_part_of_its_verdict(verdict: Verdict) -> None:
    table = load_key_table()
    said = part(differences(table), verdict)
    for entry in table.all():
        if entry.facts.origin is Origin.LITELLM and entry.verdict is verdict:
            name = entry.name if verdict is Verdict.HONOURED else entry.path
            assert f"`{name}`" in said, entry.path


@pytest.mark.parametrize("verdict", Verdict)
def test_a_key_stands_in_one_part_only(verdict: Verdict) -> None:
    page = made(("top.one", facts(verdict)))
    name = "one" if verdict is Verdict.HONOURED else "top.one"
    assert [each for each in Verdict if f"`{name}`" in part(page, each)] == [verdict]


def test_keys_with_one_description_share_a_row() -> None:
    same = facts(Verdict.DIFFERS)
    assert "| `a.x`, `b.x` | What it does. |" in made(("a.x", same), ("b.x", same))


def test_what_holds_meanwhile_and_what_to_write_instead_are_said() -> None:
    page = made(("a", facts(Verdict.REFUSED, until="nothing", instead="Write b.")))
    assert "| `a` | What it does. **Meanwhile:** nothing **Instead:** Write b. |" in page


def test_that_nothing_is_needed_is_not_said() -> None:
    page = made(("a", facts(Verdict.NO_EFFECT, instead="None needed. It is always on.")))
    assert "Instead" not in part(page, Verdict.NO_EFFECT).partition("|---|---|")[2]


def test_keys_of_our_own_are_left_out() -> None:
    own = KeyFacts(KeyType.ANY, Verdict.HONOURED, "Ours.", origin=Origin.TIERGATE)
    assert "`ours`" not in made(("ours", own), ("theirs", facts(Verdict.HONOURED)))


def test_a_part_without_keys_says_so() -> None:
    page = made(("a", facts(Verdict.HONOURED)))
    assert "There is no such key" in part(page, Verdict.PLANNED)


def test_keys_that_work_the_same_stand_under_their_section() -> None:
    page = made(("a", facts(Verdict.HONOURED)), ("s.c", facts(Verdict.HONOURED)))
    said = part(page, Verdict.HONOURED)
    assert "| the top of the file | `a` |" in said
    assert "| `s` | `c` |" in said


def test_bars_do_not_break_the_table() -> None:
    assert "a \\| b" in made(("k", facts(Verdict.DIFFERS, "a | b")))
