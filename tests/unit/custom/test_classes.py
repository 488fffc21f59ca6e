"""Base classes do nothing, and say nothing."""

from __future__ import annotations

import asyncio
from datetime import datetime

from tiergate.custom import (
    CustomGuardrail,
    CustomLogger,
    GuardrailRaisedException,
    ModifyResponseException,
)

NOW = datetime(2026, 1, 1)  # noqa: DTZ001 - as LiteLLM gives it


def test_no_method_of_a_logger_does_anything():
    async def work() -> list[object]:
        logger = CustomLogger()
        logger.log_success_event({}, None, NOW, NOW)
        logger.log_failure_event({}, None, NOW, NOW)
        fault = ValueError("x")
        return [
            await logger.async_log_success_event({}, None, NOW, NOW),
            await logger.async_log_failure_event({}, None, NOW, NOW),
            await logger.async_post_call_failure_hook({}, fault, None),
            await logger.log_success_fallback_event("a", {}, fault),
            await logger.log_failure_fallback_event("a", {}, fault),
            await logger.async_pre_call_hook(None, None, {}, "completion"),
            await logger.async_moderation_hook({}, None, "completion"),
            await logger.async_post_call_success_hook({}, None, None),
        ]

    assert asyncio.run(work()) == [None] * 8


def test_a_stream_goes_through_as_it_is():
    async def work() -> list[object]:
        async def events():
            yield 1
            yield 2

        guard = CustomGuardrail()
        passed = guard.async_post_call_streaming_iterator_hook(None, events(), {})
        return [event async for event in passed]

    assert asyncio.run(work()) == [1, 2]


def test_a_guard_takes_what_stands_in_the_file():
    guard = CustomGuardrail(guardrail_name="a", event_hook="pre_call", word="x")
    assert (guard.guardrail_name, guard.optional_params) == ("a", {"word": "x"})
    assert guard.should_run_guardrail({}, "pre_call")
    assert guard.get_guardrail_dynamic_request_body_params({}) == {}
    guard.add_standard_logging_guardrail_information_to_request_data("x", status="y")
    assert asyncio.run(guard.apply_guardrail({"texts": ["a"]})) == {"texts": ["a"]}


def test_the_exceptions_have_a_status():
    fault = ModifyResponseException("a", "because")
    assert isinstance(fault, GuardrailRaisedException)
    assert (fault.status_code, fault.message, str(fault)) == (400, "because", "because")
