"""Records as lines: the toolkit's members in its order, and every field in the full form."""

from __future__ import annotations

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from support.ledger import NOON, entry
from tiergate.core.ledger import Entry
from tiergate.core.ledger_lines import full_line, toolkit_line, utc_text

MEMBERS = [
    "timestamp", "workflow", "phase", "ticket_id", "model_alias", "provider", "model",
    "input_tokens", "output_tokens", "cached_input_tokens", "cost_usd", "cache_hit",
    "batch_job_id", "escalation_reason", "status",
]  # fmt: skip

RICH = entry(
    wall=NOON,
    ticket="PROJ-7",
    phase="review",
    workflow="nightly",
    reason="tests fail twice",
    batch="batch_1",
    cache="response",
    input=10,
    cache_read=20,
    cache_write_5m=30,
    cache_write_1h=40,
    cost=1_536_001,
    tags=("a", "b"),
)


def test_the_toolkit_line_has_its_members_in_their_order_and_no_others():
    assert list(json.loads(toolkit_line(RICH))) == MEMBERS


def test_each_member_says_what_it_is_called():
    found = json.loads(toolkit_line(RICH), parse_float=Decimal)

    assert found == {
        "timestamp": "2026-11-24T12:00:00.000Z",
        "workflow": "nightly",
        "phase": "review",
        "ticket_id": "PROJ-7",
        "model_alias": "frontier",
        "provider": "anthropic",
        "model": "claude-opus-4-6",
        "input_tokens": 100,
        "output_tokens": 200,
        "cached_input_tokens": 20,
        "cost_usd": Decimal("0.001536001"),
        "cache_hit": True,
        "batch_job_id": "batch_1",
        "escalation_reason": "tests fail twice",
        "status": "success",
    }


def test_what_is_not_known_is_null():
    found = json.loads(toolkit_line(entry(provider="", model="", served="", status="refused")))

    unknown = ("workflow", "phase", "ticket_id", "provider", "model", "batch_job_id")
    assert [found[name] for name in unknown] == [None] * len(unknown)
    assert found["model_alias"] == "frontier", "the alias asked, where none served"
    assert found["cache_hit"] is False


def test_the_full_line_begins_with_the_toolkits_members():
    assert list(json.loads(full_line(RICH)))[: len(MEMBERS)] == MEMBERS


def test_the_full_line_leaves_no_field_out():
    """Whatever field is changed, the line changes."""
    plain = full_line(entry())
    for name in Entry._fields:
        old = getattr(entry(), name)
        new = {bool: True, int: 77, float: 77.5, str: "other", tuple: ("other",)}[type(old)]
        assert full_line(entry()._replace(**{name: new})) != plain, name


@given(st.text(), st.integers(0, 10**15))
def test_a_line_is_one_line_whatever_callers_write(text, cost):
    line = toolkit_line(entry(ticket=text, cost=cost))

    assert "\n" not in line
    found = json.loads(line, parse_float=Decimal)
    assert found["ticket_id"] == (text or None)
    assert found["cost_usd"] * 10**9 == cost


def test_instants_are_utc_with_milliseconds():
    assert utc_text(NOON + 0.0004) == "2026-11-24T12:00:00.000Z"
    assert utc_text(NOON + 59.9996) == "2026-11-24T12:01:00.000Z"
