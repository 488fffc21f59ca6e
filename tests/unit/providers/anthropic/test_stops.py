"""Stop reasons and error types."""

from __future__ import annotations

import pytest

from tiergate.base.chat import Stop
from tiergate.base.errors import Failure, FailureClass
from tiergate.base.values import Dialect
from tiergate.providers.anthropic.stops import error_object, error_type, stop_from, stop_to


@pytest.mark.parametrize(
    ("word", "stop"),
    [
        ("end_turn", Stop.END),
        ("max_tokens", Stop.LENGTH),
        ("stop_sequence", Stop.SEQUENCE),
        ("tool_use", Stop.TOOLS),
        ("refusal", Stop.REFUSED),
        ("pause_turn", Stop.PAUSE),
        ("model_context_window_exceeded", Stop.CONTEXT),
    ],
)
def test_each_stop_reason_is_read_and_written(word, stop):
    assert stop_from(word) is stop
    assert stop_to(stop) == word


@pytest.mark.parametrize("word", [None, "", "compaction"])
def test_a_new_stop_reason_is_some_other(word):
    assert stop_from(word) is Stop.OTHER


@pytest.mark.parametrize("stop", list(Stop))
def test_each_stop_has_a_word_that_clients_know(stop):
    assert stop_from(stop_to(stop)) in (stop, Stop.END)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (408, "timeout_error"),
        (413, "request_too_large"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (503, "api_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ],
)
def test_an_error_type_goes_with_each_status(status, kind):
    assert error_type(status) == kind


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (
            Failure(
                FailureClass.UPSTREAM,
                503,
                "busy",
                type="overloaded_error",
                dialect=Dialect.ANTHROPIC,
            ),
            "overloaded_error",
        ),
        (
            Failure(FailureClass.RATE_LIMIT, 429, "busy", type="tokens", dialect=Dialect.OPENAI),
            "rate_limit_error",
        ),
        (
            Failure(FailureClass.UPSTREAM, 500, "busy", type="odd", dialect=Dialect.ANTHROPIC),
            "api_error",
        ),
    ],
)
def test_an_error_has_a_type_that_clients_know(failure, kind):
    assert error_object(failure) == {"type": "error", "error": {"type": kind, "message": "busy"}}
