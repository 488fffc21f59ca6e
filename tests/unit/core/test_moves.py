"""The tables of the attempt machine, and the docs page drawn from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiergate.base.errors import FailureClass
from tiergate.core.catalog import ChainKind
from tiergate.core.moves import (
    CONSEQUENCES,
    MOVES,
    Again,
    Event,
    Misstep,
    Phase,
    draw_consequences,
    draw_moves,
    follow,
)

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "attempts.md"
ENDS = {Phase.ANSWERED, Phase.GAVE_UP}


def test_every_class_of_failure_has_a_consequence() -> None:
    assert set(CONSEQUENCES) == set(FailureClass)


def test_every_phase_can_be_reached_and_only_the_ends_are_final() -> None:
    reached = {Phase.CHOOSING}
    for _ in Phase:
        reached |= {after for (before, _event), after in MOVES.items() if before in reached}

    assert reached == set(Phase)
    assert {before for before, _event in MOVES} == set(Phase) - ENDS


def test_every_event_is_used() -> None:
    assert {event for _phase, event in MOVES} == set(Event)


def test_an_illegal_move_is_named() -> None:
    with pytest.raises(Misstep, match="answered; `no time left`"):
        follow(Phase.ANSWERED, Event.TIME_UP)


def test_a_legal_move_is_followed() -> None:
    assert follow(Phase.CHOOSING, Event.FOUND) is Phase.CALLING


def test_only_a_refusal_and_the_callers_own_end_end_a_chain() -> None:
    ending = {kind for kind, then in CONSEQUENCES.items() if then.ends_chain}

    assert ending == {
        FailureClass.CONTENT_POLICY,
        FailureClass.CALLER_TIMEOUT,
        FailureClass.CANCELLED,
    }


def test_special_chains_are_for_their_own_class() -> None:
    for kind, then in CONSEQUENCES.items():
        if then.chain is ChainKind.CONTEXT_WINDOW:
            assert kind is FailureClass.CONTEXT_WINDOW
        if then.chain is ChainKind.CONTENT_POLICY:
            assert kind is FailureClass.CONTENT_POLICY
            assert then.again is Again.NEVER


def test_the_docs_page_shows_the_tables_as_they_are() -> None:
    """When this fails, put the output of `draw_moves` and `draw_consequences` into the page."""
    page = PAGE.read_text(encoding="utf-8")

    assert f"```mermaid\n{draw_moves()}\n```" in page
    assert draw_consequences() in page
