"""Of a logger's methods those are called that fit, each once, with LiteLLM's arguments."""

from __future__ import annotations

import functools
import sys
import types

import pytest

from support.told import no_fold, told
from tiergate.core.record import Outcome
from tiergate.telemetry.custom_hooks import GUARDING, Hooks, run_step
from tiergate.telemetry.custom_values import occurrence
from tiergate.telemetry.words import words_of

GOOD = told(fallbacks=0)
FELL_BACK = told(fallbacks=1)
BAD = told(fallbacks=0, outcome=Outcome.FAILURE, status=503, message="down")


def steps(logger: object, record) -> list[tuple[str, tuple]]:
    seen = occurrence(record, words_of(record, no_fold), nameless=False)
    return [(step.hook.__name__, step.arguments) for step in Hooks(logger).steps(seen)]


class Both:
    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time): ...

    def log_success_event(self, kwargs, response_obj, start_time, end_time): ...

    def log_failure_event(self, kwargs, response_obj, start_time, end_time): ...


def test_of_two_twins_the_asynchronous_one_is_called():
    ((name, arguments),) = steps(Both(), GOOD)
    assert name == "async_log_success_event"
    kwargs, answer, start, end = arguments
    assert kwargs["model"] == "m-dep-b"
    assert answer.choices[0].message.content == "Four."
    assert start < end


def test_a_failure_goes_to_the_methods_for_failures():
    ((name, arguments),) = steps(Both(), BAD)
    assert name == "log_failure_event"
    assert arguments[0]["exception"].status_code == 503
    assert arguments[1] is None


def test_the_hook_after_a_failure_gets_request_error_and_caller():
    class Full:
        async def async_post_call_failure_hook(
            self, request_data, original_exception, user_api_key_dict, traceback_str=None
        ): ...

    class Short:
        async def async_post_call_failure_hook(
            self, request_data, original_exception, user_api_key_dict
        ): ...

    ((_, arguments),) = steps(Full(), BAD)
    assert arguments[0]["model"] == "cheap"
    assert str(arguments[1]) == "down"
    assert arguments[2].api_key == "hash-of-key"
    assert arguments[3] is None
    assert len(steps(Short(), BAD)[0][1]) == 3
    assert steps(Full(), GOOD) == []


def test_fallbacks_have_methods_of_their_own():
    class Falls:
        async def log_success_fallback_event(self, group, kwargs, error): ...

        async def log_failure_fallback_event(self, group, kwargs, error): ...

    ((name, arguments),) = steps(Falls(), FELL_BACK)
    assert (name, arguments[0]) == ("log_success_fallback_event", "cheap")
    bad = told(fallbacks=1, outcome=Outcome.FAILURE, status=503)
    assert [name for name, _ in steps(Falls(), bad)] == ["log_failure_fallback_event"]
    assert steps(Falls(), GOOD) == []


def test_a_function_is_told_of_every_call():
    def track(kwargs, completion_response, start_time, end_time): ...

    assert [name for name, _ in steps(track, GOOD)] == ["track"]
    assert [name for name, _ in steps(track, BAD)] == ["track"]


def test_a_class_is_made_an_instance_of():
    assert isinstance(Hooks(Both).logger, Both)


def test_a_class_that_needs_arguments_is_refused():
    class Needy(Both):
        def __init__(self, address):
            self.address = address

    with pytest.raises(ValueError, match="without arguments"):
        Hooks(Needy)


@pytest.mark.parametrize("logger", [object(), 3, "text", lambda a: a, None])
def test_what_has_no_method_is_refused(logger):
    with pytest.raises(ValueError, match="async_log_success_event"):
        Hooks(logger)


def base_class(package: str) -> type:
    """A base class as in `litellm.integrations.custom_logger`, where every method does nothing."""
    module = types.ModuleType(f"{package}.integrations.custom_logger")
    sys.modules.pop(module.__name__, None)

    async def nothing(self, *args): ...

    names = ("async_log_success_event", "async_log_failure_event", *GUARDING)
    return type(
        "CustomLogger", (), {**dict.fromkeys(names, nothing), "__module__": module.__name__}
    )


@pytest.mark.parametrize("package", ["litellm", "tiergate"])
def test_methods_of_the_base_class_alone_count_as_absent(package):
    class Mine(base_class(package)):
        def log_success_event(self, kwargs, response_obj, start_time, end_time): ...

    assert [name for name, _ in steps(Mine(), GOOD)] == ["log_success_event"]
    assert Hooks(Mine()).uncalled == ()


def test_methods_that_nobody_calls_are_named():
    class Guards(Both):
        async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type): ...

        def log_stream_event(self, kwargs, response_obj, start_time, end_time): ...

    assert Hooks(Guards()).uncalled == ("async_pre_call_hook", "log_stream_event")


def test_a_logger_can_refuse_words():
    class Shy(Both):
        turn_off_message_logging = True

    class Quiet(Both):
        message_logging = False

    assert Hooks(Both()).wants_words
    assert not Hooks(Shy()).wants_words
    assert not Hooks(Quiet()).wants_words


async def test_what_is_not_asynchronous_runs_elsewhere_and_what_it_returns_is_awaited():
    ran: list[str] = []

    async def blocking(hook, arguments):
        ran.append("elsewhere")
        return hook(*arguments)

    class Odd:
        async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
            ran.append("in the loop")

        @functools.cache  # noqa: B019 - a method that is no plain function
        def log_failure_event(self, kwargs, response_obj, start_time, end_time): ...

    class Returns:
        def log_success_event(self, kwargs, response_obj, start_time, end_time):
            async def later():
                ran.append("awaited")

            return later()

    seen = occurrence(GOOD, words_of(GOOD, no_fold), nameless=False)
    for logger in (Odd(), Returns()):
        for step in Hooks(logger).steps(seen):
            await run_step(step, blocking)
    assert ran == ["in the loop", "elsewhere", "awaited"]
