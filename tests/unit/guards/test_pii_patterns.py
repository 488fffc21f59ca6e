"""Personal data by patterns."""

from __future__ import annotations

import time

import pytest

from support.guarded import INNOCENT, cut, look
from tiergate.core.guard_options import PiiEngine, PiiOptions, Reaction
from tiergate.guards.known_patterns import NAMES
from tiergate.guards.pii import PiiGuard
from tiergate.guards.pii_patterns import ENTITIES, USUAL, PatternFinder
from tiergate.ports.guarding import CLEAN

TEXT = (
    "Mail jane@example.com or call +1 212-555-0123, card 4111-1111-1111-1111, "
    "SSN 123-45-6789, IBAN DE89370400440532013000, from 8.8.8.8"
)


def guard(**options: object) -> PiiGuard:
    given = PiiOptions(engine=PiiEngine.PATTERNS, **options)
    return PiiGuard(given, PatternFinder(given, time.monotonic))


async def test_the_usual_kinds_are_found():
    assert [kind for kind, _ in cut(await look(guard(), TEXT), TEXT)] == [
        "EMAIL_ADDRESS",
        "PHONE_NUMBER",
        "CREDIT_CARD",
        "US_SSN",
        "IBAN_CODE",
        "IP_ADDRESS",
    ]


async def test_only_named_kinds_are_looked_for():
    named = guard(entities={"EMAIL_ADDRESS": Reaction.BLOCK})
    assert cut(await look(named, TEXT), TEXT) == [("EMAIL_ADDRESS", "jane@example.com")]


async def test_harmless_texts_are_clean():
    assert await look(guard(), *INNOCENT) is CLEAN


async def test_patterns_are_nearly_sure():
    assert (await look(guard(scores={"ALL": 0.9}), TEXT)).found
    assert await look(guard(scores={"ALL": 0.95}), TEXT) is CLEAN


async def test_ignored_kinds_are_not_even_looked_for():
    ignoring = guard(ignored=USUAL - {"IP_ADDRESS"})
    assert cut(await look(ignoring, TEXT), TEXT) == [("IP_ADDRESS", "8.8.8.8")]
    assert (ignoring.window or 0) < (guard().window or 0)


def test_every_kind_has_patterns_that_exist():
    assert {name for names in ENTITIES.values() for name in names} <= NAMES
    assert set(ENTITIES) >= USUAL


def test_a_kind_without_patterns_cannot_be_looked_for():
    with pytest.raises(KeyError):
        guard(entities={"PERSON": Reaction.MASK})
