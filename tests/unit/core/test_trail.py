"""The records of a request and their compact text."""

from __future__ import annotations

from tiergate.base.errors import FailureClass
from tiergate.base.values import AliasName, DeploymentId
from tiergate.core.catalog import ChainKind
from tiergate.core.routing import Exclusion, Why
from tiergate.core.trail import (
    LONGEST_TEXT,
    Decision,
    Drilled,
    Ended,
    Left,
    Skipped,
    Tried,
    Waited,
    Withheld,
    compact,
    tried_names,
)

CHEAP = AliasName("cheap")
COLD = Exclusion(DeploymentId("b"), Why.COOLING, "cooling for 3 s", 3)


def tried(name: str = "a", failure: FailureClass | None = None, number: int = 1) -> Tried:
    status = 200 if failure is None else 500
    return Tried(CHEAP, DeploymentId(name), number, 0, failure, status, 0.1, (COLD,))


def test_every_record_has_its_words() -> None:
    trail: list[Decision] = [
        tried(failure=FailureClass.UPSTREAM),
        Waited(0.25, told=False),
        Waited(3, told=True),
        tried(failure=FailureClass.UPSTREAM, number=2),
        Left(CHEAP, ChainKind.GENERAL),
        Left(CHEAP, None),
        Skipped(AliasName("balanced"), (COLD,)),
        Skipped(AliasName("gone"), ()),
        Withheld(AliasName("frontier")),
        Drilled(CHEAP, ChainKind.CONTEXT_WINDOW),
        tried("c"),
        Ended("gave up"),
    ]

    assert compact(trail).split(" > ") == [
        "cheap/a 500 upstream (not b cooling)",
        "wait 0.25s",
        "wait 3.00s as told",
        "cheap/a 500 upstream",
        "general chain",
        "no chain",
        "balanced skipped (b cooling)",
        "gone skipped (no such alias)",
        "frontier skipped (not for this key)",
        "cheap failed by a context_window drill",
        "cheap/c ok (not b cooling)",
        "gave up",
    ]


def test_the_text_fits_into_a_header() -> None:
    odd = Tried(AliasName("günstig\r\nx: y"), DeploymentId("a"), 1, 0, None, 200, 0.1)

    assert compact([odd]) == "g?nstig??x: y/a ok"
    assert len(compact([tried()] * 100)) == LONGEST_TEXT


def test_the_aliases_called_are_named_once_in_order() -> None:
    other = Tried(AliasName("balanced"), DeploymentId("b"), 1, 1, None, 200, 0.1)

    assert tried_names([tried(), tried(), Ended("x"), other]) == ("cheap", "balanced")
