"""Token counts of the Messages API."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.values import Usage
from tiergate.providers.anthropic.usage import merged, usage_from, usage_to


@pytest.mark.parametrize(
    ("raw", "usage"),
    [
        ({"input_tokens": 10, "output_tokens": 5}, Usage(10, 5)),
        (
            {
                "input_tokens": 10,
                "output_tokens": 5,
                "cache_read_input_tokens": 0,
                "cache_creation_input_tokens": 0,
            },
            Usage(10, 5, cache_read=0, cache_write_5m=0),
        ),
        (
            {
                "input_tokens": 1,
                "output_tokens": 2,
                "cache_read_input_tokens": 900,
                "cache_creation_input_tokens": 700,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": 300,
                    "ephemeral_1h_input_tokens": 400,
                },
                "output_tokens_details": {"thinking_tokens": 1},
            },
            Usage(1, 2, 900, 300, 400, reasoning=1),
        ),
        (
            {"cache_creation_input_tokens": 7, "cache_creation": {"ephemeral_1h_input_tokens": 3}},
            Usage(0, 0, None, 4, 3),
        ),
        ({"input_tokens": None, "output_tokens": "5", "cache_creation": 3}, Usage()),
        ({"input_tokens": 3.0, "output_tokens": -1, "cache_read_input_tokens": True}, Usage(3)),
        ({}, Usage()),
    ],
)
def test_counts_are_read(raw, usage):
    assert usage_from(raw) == usage


@pytest.mark.parametrize(
    ("usage", "raw"),
    [
        (Usage(10, 5), {"input_tokens": 10, "output_tokens": 5}),
        (
            Usage(10, 5, cache_read=0, cache_write_5m=0),
            {
                "input_tokens": 10,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": 5,
            },
        ),
        (
            Usage(1, 2, 900, 300, 400, reasoning=1),
            {
                "input_tokens": 1,
                "cache_creation_input_tokens": 700,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": 300,
                    "ephemeral_1h_input_tokens": 400,
                },
                "cache_read_input_tokens": 900,
                "output_tokens": 2,
                "output_tokens_details": {"thinking_tokens": 1},
            },
        ),
    ],
)
def test_counts_are_written_and_unknown_ones_are_absent(usage, raw):
    assert usage_to(usage) == raw


counts = st.none() | st.integers(0, 10**7)


@given(st.integers(0, 10**7), st.integers(0, 10**7), counts, st.integers(0, 10**7), counts, counts)
def test_what_is_written_is_read_again(given_input, output, read, shorter, longer, reasoning):
    usage = Usage(given_input, output, read, shorter, longer, reasoning)

    assert usage_from(usage_to(usage)) == usage


def test_later_totals_replace_earlier_ones_and_absent_ones_do_not():
    start = {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 5}

    assert merged(start, {"output_tokens": 9, "input_tokens": None}) == {
        "input_tokens": 10,
        "output_tokens": 9,
        "cache_read_input_tokens": 5,
    }
