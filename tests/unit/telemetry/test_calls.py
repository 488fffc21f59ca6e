"""The call log: failures are told, successes only when asked, secrets never."""

from __future__ import annotations

import logging

import pytest

from support.records import BROKEN, DEPLOYMENT, FAILED, FAILURE, LEFT, REFUSED, SERVED
from tiergate.base.values import Dialect, Operation
from tiergate.telemetry.calls import CallLog


@pytest.fixture
def told(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("tiergate"), "propagate", True)

    def at(level: int) -> list[logging.LogRecord]:
        caplog.set_level(level, "tiergate.calls")
        return caplog.records

    return at


def test_a_success_is_told_at_debug_only(told):
    seen = told(logging.INFO)
    CallLog().ended(SERVED)
    assert seen == []

    seen = told(logging.DEBUG)
    CallLog().ended(SERVED)
    (line,) = seen
    assert (line.message, line.levelno) == ("call", logging.DEBUG)
    assert (line.alias, line.deployment, line.outcome, line.status) == (
        "cheap",
        "dep-b",
        "success",
        200,
    )
    assert (line.cost_usd, line.seconds, line.failure) == ("0.001536", "2.500", "")
    assert line.why == SERVED.why


@pytest.mark.parametrize("record", [FAILED, BROKEN, LEFT, REFUSED])
def test_everything_else_is_told_at_info(told, record):
    seen = told(logging.INFO)
    CallLog().ended(record)
    (line,) = seen
    assert line.levelno == logging.INFO
    assert line.outcome == record.outcome.value


def test_the_providers_sentence_stays_out_of_the_log(told):
    seen = told(logging.DEBUG)
    CallLog().ended(FAILED)
    CallLog().attempt_failed(DEPLOYMENT, FAILURE)
    assert all("down" not in str(line.__dict__) for line in seen)


def test_failed_attempts_cooldowns_and_refusals(told):
    seen = told(logging.INFO)
    log = CallLog()

    log.began()
    log.attempt_failed(DEPLOYMENT, FAILURE)
    log.cooled(DEPLOYMENT, FAILURE, 60.0)
    log.refused(Dialect.OPENAI, Operation.CHAT, 401, 0.0)

    assert [(line.message, line.levelname) for line in seen] == [
        ("attempt failed", "INFO"),
        ("cooling", "WARNING"),
        ("refused", "INFO"),
    ]
    assert (seen[0].deployment, seen[0].failure, seen[0].status) == ("dep-b", "upstream", 503)
    assert (seen[1].alias, seen[1].seconds) == ("balanced", "60.0")
    assert (seen[2].dialect, seen[2].operation, seen[2].status) == ("openai", "chat", 401)
