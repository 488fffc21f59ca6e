"""The JSON pages of the providers' usage and cost APIs."""

from __future__ import annotations

import json
from datetime import UTC, date

import pytest

from tiergate.core.bill_files import read_bill
from tiergate.core.provider_bill import BillError, BillLine

DAY = date(2026, 11, 24)


def page(*buckets) -> str:
    return json.dumps({"object": "page", "data": list(buckets), "has_more": False})


def openai(*results):
    return {"start_time": 1795478400, "end_time": 1795564800, "results": list(results)}


def anthropic(*results):
    return {"starting_at": "2026-11-24T00:00:00Z", "results": list(results)}


def test_openai_usage():
    bill = read_bill(
        page(openai({"model": "gpt-5", "input_tokens": 100, "input_cached_tokens": 40,
                     "output_tokens": 7, "num_model_requests": 2})),
        UTC,
    )  # fmt: skip
    assert bill.provider == "openai"
    assert bill.lines == (
        BillLine(
            day=DAY, model="gpt-5", calls=2, input=60, cache_read=40, cache_write=0, output=7
        ),
    )


def test_openai_costs_keep_every_digit():
    text = page(openai({"amount": {"value": 0, "currency": "usd"}, "line_item": "gpt-5, input"}))
    (line,) = read_bill(text.replace('"value": 0', '"value": 0.123456789'), UTC).lines
    assert (line.model, line.cost, line.slack) == ("gpt-5", 123_456_789, 0)


def test_anthropic_usage():
    bill = read_bill(
        page(anthropic({"model": "claude-opus-4-6", "uncached_input_tokens": 10,
                        "cache_creation": {"ephemeral_1h_input_tokens": 3,
                                           "ephemeral_5m_input_tokens": 4},
                        "cache_read_input_tokens": 5, "output_tokens": 6})),
        UTC,
    )  # fmt: skip
    assert bill.provider == "anthropic"
    assert bill.lines == (
        BillLine(
            day=DAY, model="claude-opus-4-6", input=10, cache_read=5, cache_write=7, output=6
        ),
    )


def test_anthropic_costs_are_in_cents():
    text = page(anthropic({"amount": "123.45", "currency": "USD", "model": "claude-opus-4-6"}))
    (line,) = read_bill(text, UTC).lines
    assert line.cost == 1_234_500_000


def test_several_pages_are_one_bill():
    result = {"model": "gpt-5", "input_tokens": 1, "output_tokens": 1}
    pages = f"[{page(openai(result))}, {page(openai(result), openai(result))}]"
    assert len(read_bill(pages, UTC).lines) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"data": []}', "no `data` with buckets"),
        ("[1, 2]", "no `data` with buckets"),
        (page({"results": []}), "does not say when it begins"),
        (page(openai({"model": "m", "input_tokens": "many"})), "not a whole number"),
        (page(openai({"amount": {"value": "lots"}})), "not an amount of money"),
        (page(openai({"amount": {"value": 1, "currency": "eur"}})), "in eur"),
        (page(openai(), anthropic()), "several providers"),
    ],
)
def test_pages_of_another_kind_are_refused(text, says):
    with pytest.raises(BillError, match=says):
        read_bill(text, UTC)
