"""Errors keep what the provider said and get the caller's shape."""

from __future__ import annotations

import json

import pytest

from tiergate.base.errors import Failure, FailureClass, Refused
from tiergate.base.values import Dialect
from tiergate.web import wire

OVERFLOW = Failure(
    FailureClass.CONTEXT_WINDOW,
    400,
    "prompt is too long: 210000 tokens > 200000 maximum",
    type="invalid_request_error",
    body=b'{"type":"error","error":{"type":"invalid_request_error","message":"x","more":1}}',
    dialect=Dialect.ANTHROPIC,
)


def body(error: wire.WireError) -> dict:
    return json.loads(error.body)


def test_an_overflow_has_the_code_that_agents_compact_on():
    found = body(wire.of_failure(OVERFLOW, Dialect.OPENAI, "id"))

    assert found == {
        "error": {
            "message": "prompt is too long: 210000 tokens > 200000 maximum",
            "type": "invalid_request_error",
            "param": None,
            "code": "context_length_exceeded",
        }
    }


def test_further_members_of_the_same_dialect_go_on():
    found = body(wire.of_failure(OVERFLOW, Dialect.ANTHROPIC, "id"))

    assert found["error"]["more"] == 1
    assert found["error"]["type"] == "invalid_request_error"
    assert found["request_id"] == "id"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (404, "not_found_error"),
        (418, "invalid_request_error"),
        (429, "rate_limit_error"),
        (529, "overloaded_error"),
        (599, "api_error"),
    ],
)
def test_each_status_has_its_anthropic_type(status, kind):
    found = wire.of_refused(Refused(status, "no"), Dialect.ANTHROPIC, "id")

    assert body(found)["error"]["type"] == kind
    assert found.status == status


@pytest.mark.parametrize("kind", [FailureClass.TIMEOUT, FailureClass.CALLER_TIMEOUT])
def test_a_timeout_is_a_timeout_error_in_both_dialects(kind):
    failure = Failure(kind, 408, "late", type="timeout_error", code="timeout")

    for dialect in Dialect:
        assert body(wire.of_failure(failure, dialect, "id"))["error"]["type"] == "timeout_error"


def test_details_of_a_refusal_stand_in_the_error_object():
    refused = Refused(
        429,
        "spent",
        code="budget_exceeded",
        type="budget_exceeded",
        anthropic_type="budget_exceeded",
        details=(("scope", "alias"), ("limit_usd", 1)),
    )

    for dialect in Dialect:
        error = body(wire.of_refused(refused, dialect, "id"))["error"]
        assert (error["type"], error["code"]) == ("budget_exceeded", "budget_exceeded")
        assert (error["scope"], error["limit_usd"]) == ("alias", 1)


@pytest.mark.parametrize(
    ("seconds", "whole", "exact"),
    [
        (0.0, "1", None),
        (0.2, "1", "200"),
        (1.0, "1", None),
        (1.25, "2", "1250"),
        (59.5, "60", "59500"),
        (7, "7", None),
        (2_303_680_007.0, "86400", None),
        (-5.0, "1", None),
    ],
)
def test_retry_after_is_rounded_up_and_capped_and_exact_where_it_can_be(seconds, whole, exact):
    headers = dict(wire.retry_headers(seconds))

    assert headers["retry-after"] == whole
    assert headers.get("retry-after-ms") == exact


def test_a_body_that_is_no_json_object_adds_nothing():
    for raw in (b"<html>", b"[]", b'{"error": 5}', b"", b"[" * 5000):
        failure = Failure(FailureClass.UPSTREAM, 500, "down", body=raw, dialect=Dialect.OPENAI)
        assert body(wire.of_failure(failure, Dialect.OPENAI, "id"))["error"]["message"] == "down"
