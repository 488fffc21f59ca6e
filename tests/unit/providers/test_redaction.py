"""Keys that providers quote, taken out."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.providers.redaction import MAX_MESSAGE_CHARS, clean, clean_body, redact

SECRETS = (
    "sk-abc***************************xyz",
    "sk-ant-api03-AbCdEf0123456789_-xyz",
    "sk-proj-AAAABBBBCCCC1111",
    "sk-or-v1-0123456789abcdef",
    "gsk_0123456789abcdefghij",
    "xai-0123456789abcdefghij",
    "AIzaSyA0123456789abcdefg",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
    "abcd****wxyz",
)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: {}. You can find your API key at https://x.example/keys.",
        "Invalid header: Authorization: Bearer {}",
        "x-api-key: {}",
        "tried {} and failed",
        "({})",
        "{}",
    ],
)
def test_a_key_is_masked_wherever_it_stands(text, secret):
    found = redact(text.format(secret))

    assert secret not in found
    assert "[redacted]" in found


@pytest.mark.parametrize(
    "text",
    [
        "GET https://x.example/v1?key=abcdef123&alt=sse was refused",
        "https://x.example/?a=1&access_token=abcdef123",
        'api_key="abcdef123"',
        "bearer abcdef123",
    ],
)
def test_a_key_without_a_shape_is_known_by_the_words_before_it(text):
    assert "abcdef123" not in redact(text)


def test_words_that_only_look_like_keys_stay():
    text = "key-value pairs, max_tokens * 3, task-force, a-b_c, hf-style; see api key docs"

    assert redact(text) == text


def test_the_rest_of_a_query_stays():
    assert redact("?key=abcdef&alt=sse") == "?key=[redacted]&alt=sse"


def test_a_long_message_is_cut():
    found = clean("word " * 40_000)

    assert len(found) == MAX_MESSAGE_CHARS
    assert found.endswith("…")


@given(st.text(max_size=300))
def test_cleaning_twice_changes_nothing_more(text):
    assert redact(redact(text)) == redact(text)


@given(
    st.recursive(
        st.none() | st.text(max_size=20) | st.sampled_from(SECRETS),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["error", "message", "api_key", "?key="]), inner)
        ),
        max_leaves=8,
    )
)
def test_a_body_stays_json_without_its_keys(body):
    raw = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")

    found = clean_body(raw)

    assert found is not None
    json.loads(found)
    assert not any(secret in found.decode() for secret in SECRETS)


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_is_not_kept(body):
    assert clean_body(body) is None


def test_a_body_without_keys_stays_as_it_came():
    body = b'{ "error": {"message":"no", "api_key": null} }'

    assert clean_body(body) == body


def test_a_key_in_a_member_of_that_name_is_masked():
    assert clean_body(b'{"api_key": "abc", "a": {"token": "x"}}') == (
        b'{"api_key":"[redacted]","a":{"token":"[redacted]"}}'
    )


@pytest.mark.parametrize("piece", ["a", "*", "a*", "sk-", "sk-a.", "eyJ", "bearer ", "?key="])
def test_no_text_makes_it_slow(piece):
    text = piece * (64_000 // len(piece))

    started = time.process_time()
    redact(text)

    assert time.process_time() - started < 2.0
