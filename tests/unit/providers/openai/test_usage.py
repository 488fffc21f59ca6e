"""Token counts of the chat dialect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import Usage
from tiergate.providers.openai import usage_from, usage_to


@pytest.mark.parametrize(
    ("raw", "usage"),
    [
        ({}, Usage()),
        ({"prompt_tokens": 10, "completion_tokens": 5}, Usage(10, 5)),
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 9,
                "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 3},
                "completion_tokens_details": {"reasoning_tokens": 4, "audio_tokens": 1},
            },
            Usage(40, 9, cache_read=60, reasoning=4, audio_input=3, audio_output=1),
        ),
        # DeepSeek
        (
            {"prompt_tokens": 10, "prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 6},
            Usage(6, 0, cache_read=4),
        ),
        # Moonshot
        ({"prompt_tokens": 10, "cached_tokens": 4}, Usage(6, 0, cache_read=4)),
        # OpenAI with cache writes
        (
            {"prompt_tokens": 10, "prompt_tokens_details": {"cache_write_tokens": 7}},
            Usage(3, 0, cache_write_5m=7),
        ),
        # LiteLLM
        (
            {
                "prompt_tokens": 10,
                "prompt_tokens_details": {
                    "cache_creation_tokens": 7,
                    "cache_creation_token_details": {
                        "ephemeral_5m_input_tokens": 2,
                        "ephemeral_1h_input_tokens": 5,
                    },
                },
                "cache_read_input_tokens": 1,
            },
            Usage(2, 0, cache_read=1, cache_write_5m=2, cache_write_1h=5),
        ),
        # Perplexity
        ({"completion_tokens": 5, "reasoning_tokens": 2}, Usage(0, 5, reasoning=2)),
        # xAI counts reasoning beside the completion.
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 35,
                "completion_tokens_details": {"reasoning_tokens": 20},
            },
            Usage(10, 25, reasoning=20),
        ),
        # OpenAI counts it within.
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 25,
                "total_tokens": 35,
                "completion_tokens_details": {"reasoning_tokens": 20},
            },
            Usage(10, 25, reasoning=20),
        ),
    ],
)
def test_every_hosts_counts_are_read(raw: JsonObject, usage: Usage) -> None:
    assert usage_from(raw) == usage


def test_a_cached_count_of_zero_is_present_and_an_unknown_one_is_absent() -> None:
    zero = usage_to(
        usage_from({"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 0}})
    )
    assert zero["prompt_tokens_details"] == {"cached_tokens": 0}
    unknown = usage_to(usage_from({"prompt_tokens": 3}))
    assert "prompt_tokens_details" not in unknown


def test_what_is_no_count_is_not_said() -> None:
    raw: JsonObject = {
        "prompt_tokens": "many",
        "completion_tokens": -3,
        "prompt_tokens_details": {"cached_tokens": True},
        "completion_tokens_details": [],
    }
    assert usage_from(raw) == Usage()
    assert usage_from({"prompt_tokens": 4.0}) == Usage(4)


def test_more_cached_than_prompt_never_makes_a_negative_count() -> None:
    raw: JsonObject = {"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 9}}
    assert usage_from(raw).input == 0


def test_cached_tokens_count_as_prompt_tokens() -> None:
    assert usage_to(Usage(10, 5, cache_read=900, cache_write_5m=0, cache_write_1h=7)) == {
        "prompt_tokens": 917,
        "completion_tokens": 5,
        "total_tokens": 922,
        "prompt_tokens_details": {
            "cached_tokens": 900,
            "cache_write_tokens": 7,
            "cache_creation_token_details": {
                "ephemeral_5m_input_tokens": 0,
                "ephemeral_1h_input_tokens": 7,
            },
        },
        "cache_creation_input_tokens": 7,
        "cache_read_input_tokens": 900,
    }


counts = st.integers(0, 10**9)
maybe = st.none() | counts


@given(
    st.builds(
        Usage,
        input=counts,
        output=counts,
        cache_read=maybe,
        cache_write_5m=maybe,
        reasoning=st.none(),
        audio_input=maybe,
        audio_output=maybe,
    )
)
def test_counts_survive_being_written_and_read(usage: Usage) -> None:
    assert usage_from(usage_to(usage)) == usage
