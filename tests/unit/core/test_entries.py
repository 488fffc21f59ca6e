"""Records of calls as the ledger keeps them: whose charge stands where, and never twice."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.records import BROKEN, DEPLOYMENT, FAILED, LEFT, REFUSED, SERVED
from tiergate.base.values import NanoUsd, Usage
from tiergate.core.caller import Caller
from tiergate.core.entries import entry_of
from tiergate.core.ledger import Entry
from tiergate.core.purpose import Purpose


def test_everything_the_record_knows_is_there():
    usage = Usage(
        input=10, output=5, cache_read=20, cache_write_5m=3, cache_write_1h=4, reasoning=2,
        audio_input=6, audio_output=1, estimated=True,
    )  # fmt: skip
    record = replace(
        SERVED,
        usage=usage,
        saving=99,
        cache="",
        user="anna",
        caller=Caller(name="build", key="ab" * 32, user="u-1", team="t-1"),
        purpose=Purpose(ticket="T", session="S", phase="P", workflow="W", reason="R"),
        booked=1_790_000_001.0,
        escalated=True,
    )
    entry = entry_of(record)
    assert (entry.call_id, entry.part, entry.wall) == ("call-1", 0, 1_790_000_000.0)
    assert (entry.operation, entry.dialect, entry.status) == ("chat", "openai", "success")
    assert (entry.asked, entry.served, entry.http_status) == ("cheap", "balanced", 200)
    assert (entry.deployment, entry.provider) == ("dep-b", "anthropic")
    assert entry.model == DEPLOYMENT.model
    assert (entry.key, entry.key_name) == ("ab" * 32, "build")
    assert (entry.user, entry.team, entry.end_user) == ("u-1", "t-1", "anna")
    assert (entry.ticket, entry.session, entry.phase) == ("T", "S", "P")
    assert (entry.workflow, entry.reason, entry.escalated) == ("W", "R", True)
    assert (entry.input, entry.output, entry.cache_read) == (10, 5, 20)
    assert (entry.cache_write_5m, entry.cache_write_1h) == (3, 4)
    assert (entry.tags, entry.retries, entry.fallbacks) == (("critical",), 1, 1)
    assert (entry.booked, entry.seconds, entry.cost) == (1_790_000_001.0, 2.5, 1_536_000)
    assert (entry.reasoning, entry.audio_input, entry.audio_output) == (2, 6, 1)
    assert (entry.saving, entry.cache, entry.batch) == (99, "", "")
    assert (entry.estimated, entry.unpriced) == (True, False)
    assert entry.why == SERVED.why != ""


@pytest.mark.parametrize("record", [SERVED, BROKEN, FAILED, REFUSED, LEFT])
def test_every_field_has_the_type_that_the_class_gives_it(record):
    assert msgspec.convert(tuple(entry_of(record)), Entry) == entry_of(record)


@pytest.mark.parametrize(
    ("record", "status"),
    [
        (SERVED, "success"),
        (FAILED, "failure"),
        (BROKEN, "failure"),
        (REFUSED, "refused"),
        (LEFT, "cancelled"),
        (replace(FAILED, part=1), "declined"),
        (replace(SERVED, part=2), "declined"),
    ],
)
def test_how_a_call_ended_is_one_word(record, status):
    assert entry_of(record).status == status


def test_without_a_hold_the_arrival_is_the_instant_that_counts():
    assert entry_of(replace(REFUSED, booked=0.0)).booked == REFUSED.wall


def test_nobody_served_a_call_that_was_refused():
    entry = entry_of(REFUSED)
    assert (entry.served, entry.deployment, entry.provider, entry.model) == ("", "", "", "")
    assert (entry.cost, entry.unpriced, entry.estimated) == (0, False, False)


@given(own=st.integers(0, 10**15), paid=st.integers(0, 10**15), parts=st.integers(0, 4))
def test_attempts_with_records_of_their_own_are_not_charged_twice(own, paid, parts):
    """The sum over a call's records is what the caller was told in the cost header."""
    record = replace(SERVED, cost=NanoUsd(own + paid), paid=paid)
    shares = [paid // parts] * parts if parts else []
    if shares:
        shares[0] += paid - sum(shares)
    else:
        record = replace(record, cost=NanoUsd(own), paid=0)
    declined = [
        entry_of(replace(SERVED, part=number, cost=NanoUsd(share), paid=0))
        for number, share in enumerate(shares, 1)
    ]
    entries = [entry_of(record), *declined]
    assert sum(entry.cost for entry in entries) == record.cost
    assert len({(entry.call_id, entry.part, entry.wall) for entry in entries}) == 1 + parts


def test_a_refusal_that_serves_all_the_same_has_its_tokens_in_its_own_record():
    entry = entry_of(replace(SERVED, cost=NanoUsd(700), paid=700, apart=True))
    assert (entry.cost, entry.input, entry.output, entry.cache_read) == (0, 0, 0, 0)
    assert not entry.unpriced
    assert not entry.estimated


def test_a_charge_without_tokens_is_an_estimate():
    """The provider told no usage: what was held is the cost."""
    assert entry_of(replace(SERVED, usage=None)).estimated
    assert not entry_of(replace(SERVED, usage=None, cost=NanoUsd(0))).estimated
    assert not entry_of(replace(SERVED, usage=None, cost=NanoUsd(9), paid=9)).estimated
    assert entry_of(replace(SERVED, usage=Usage(input=1, output=1, estimated=True))).estimated


def test_tokens_without_a_price_are_said_to_have_none():
    entry = entry_of(replace(SERVED, cost=None))
    assert (entry.cost, entry.unpriced) == (0, True)
    assert not entry_of(replace(SERVED, cost=None, usage=None)).unpriced
    assert not entry_of(replace(SERVED, cost=NanoUsd(0))).unpriced


def test_kinds_of_tokens_that_were_not_told_are_none():
    entry = entry_of(replace(SERVED, usage=Usage(input=1, output=2)))
    assert (entry.cache_read, entry.cache_write_5m, entry.cache_write_1h) == (0, 0, 0)
    assert (entry.reasoning, entry.audio_input, entry.audio_output) == (0, 0, 0)
