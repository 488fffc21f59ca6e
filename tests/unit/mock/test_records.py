"""Calls are kept without secrets, in bounded number and size."""

from __future__ import annotations

from tiergate.mock.records import (
    MAX_BODY_BYTES,
    MAX_CALLS,
    SECRET_HEADERS,
    End,
    Received,
    Records,
    safe_body,
    safe_headers,
)


def received(number: int) -> Received:
    return Received(number, 0.0, "POST", "/x", "", "", "", {}, None, 0, "")


def test_only_the_newest_calls_are_kept() -> None:
    records = Records()
    for number in range(1, MAX_CALLS + 6):
        records.add(received(number))
    assert len(records.all()) == MAX_CALLS
    assert (records.all()[0].number, records.all()[-1].number) == (6, MAX_CALLS + 5)


def test_what_becomes_known_later_is_added() -> None:
    records = Records()
    records.add(received(1))
    records.note(1, step="fail")
    records.note(1, status=500, end=End.SENT)
    records.note(1)
    call = records.all()[0]
    assert (call.step, call.status, call.end) == ("fail", 500, End.SENT)


def test_a_call_that_is_forgotten_is_not_missed() -> None:
    records = Records()
    records.add(received(1))
    records.clear()
    records.note(1, end=End.SENT)
    assert records.all() == ()


def test_secrets_are_replaced_by_what_tells_equal_ones() -> None:
    secret = "sk-very-secret-value"
    shown = safe_headers([(name.title(), secret) for name in SECRET_HEADERS])
    assert set(shown) == SECRET_HEADERS
    assert len(set(shown.values())) == 1
    assert secret not in str(shown)
    assert "20 characters" in shown["x-api-key"]
    other = safe_headers([("x-api-key", "sk-other")])
    assert other["x-api-key"] != shown["x-api-key"]


def test_the_scheme_of_a_key_is_shown() -> None:
    shown = safe_headers([("Authorization", "Bearer sk-1")])["authorization"]
    assert shown.startswith("Bearer [hidden, 4 characters, sha256 ")


def test_repeated_headers_are_joined() -> None:
    assert safe_headers([("X-A", "1"), ("x-a", "2")]) == {"x-a": "1, 2"}


def test_bodies_are_decoded_or_kept_as_text() -> None:
    assert safe_body(b'{"a": 1}') == {"a": 1}
    assert safe_body(b"") is None
    assert safe_body(b"\xffnot json") == "�not json"
    assert safe_body(b"[" * 60_000) == "[" * 60_000


def test_a_large_body_is_cut() -> None:
    kept = safe_body(b'"' + b"x" * MAX_BODY_BYTES + b'"')
    assert isinstance(kept, str)
    assert len(kept) == MAX_BODY_BYTES
