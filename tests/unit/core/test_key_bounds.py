"""Bounds for all keys: beyond is refused, left out becomes the bound."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tiergate.base.errors import Refused
from tiergate.core.key_bounds import bounded
from tiergate.core.key_defaults import NO_BOUNDS, KeyBounds
from tiergate.core.key_terms import KEY_FIELDS
from tiergate.core.keys import KeyRecord, Terms

MOST = KeyBounds(
    max_budget=100,
    window="30d",
    period="rolling:2592000",
    lifetime=60.0,
    parallel=2,
    tpm=10,
    rpm=5,
)
KEY = KeyRecord(hash="ab")
FULL = KeyRecord(
    hash="ab",
    expires=60.0,
    terms=Terms(max_budget=100, window="30d", period="rolling:2592000", parallel=2, tpm=10, rpm=5),
)


def within(record, given=None, fields=KEY_FIELDS, most=MOST):
    return bounded(record, fields, given or {}, most, 0.0)


def test_what_is_left_out_becomes_the_bound():
    assert within(KEY) == FULL


def test_what_is_within_stays():
    small = replace(
        FULL,
        expires=1.0,
        terms=Terms(max_budget=0, window="daily", period="calendar:day", parallel=0, tpm=0, rpm=0),
    )
    assert within(small, {"budget_duration": "daily"}) == small


def test_the_bound_itself_is_within():
    assert within(FULL, {"budget_duration": "30d"}) == FULL


@pytest.mark.parametrize(
    ("field", "record"),
    [
        ("max_budget", replace(FULL, terms=replace(FULL.terms, max_budget=101))),
        ("budget_duration", replace(FULL, terms=replace(FULL.terms, period="calendar:year"))),
        ("budget_duration", replace(FULL, terms=replace(FULL.terms, period="none"))),
        ("rpm_limit", replace(FULL, terms=replace(FULL.terms, rpm=6))),
        ("tpm_limit", replace(FULL, terms=replace(FULL.terms, tpm=11))),
        ("max_parallel_requests", replace(FULL, terms=replace(FULL.terms, parallel=3))),
        ("duration", replace(FULL, expires=61.0)),
    ],
)
def test_what_is_beyond_is_refused_by_its_name(field, record):
    with pytest.raises(Refused) as caught:
        within(record, {field: "given"})
    assert (caught.value.param, caught.value.code) == (field, "over_upper_bound")
    assert "upperbound_key_generate_params" in caught.value.message


def test_only_the_fields_named_are_looked_at():
    beyond = replace(FULL, terms=replace(FULL.terms, rpm=600))
    assert within(beyond, fields=frozenset({"tags"})) == beyond


def test_without_bounds_nothing_changes():
    assert within(KEY, most=NO_BOUNDS) == KEY
