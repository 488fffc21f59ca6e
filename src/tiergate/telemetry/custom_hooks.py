"""Finds the methods of an operator's own logger, and calls those that fit what happened.

The names are LiteLLM's. A method that only stands in a base class (LiteLLM's own, or that of
`tiergate.custom`) does nothing there and counts as absent.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Final, cast

from tiergate.telemetry.custom_values import Occurrence

CALLED: Final = (
    "async_log_success_event",
    "log_success_event",
    "async_log_failure_event",
    "log_failure_event",
    "async_post_call_failure_hook",
    "log_success_fallback_event",
    "log_failure_fallback_event",
)
"""Methods that are called, all of them after the caller has the answer."""

GUARDING: Final = (
    "async_pre_call_hook",
    "async_moderation_hook",
    "async_post_call_success_hook",
    "async_post_call_streaming_hook",
    "async_post_call_streaming_iterator_hook",
)
"""Methods that change or stop calls: those of a guardrail."""

NEVER: Final = (
    "log_pre_api_call",
    "async_log_pre_api_call",
    "log_post_api_call",
    "log_stream_event",
    "async_log_stream_event",
    "log_event",
    "async_log_event",
    "logging_hook",
    "async_logging_hook",
    "async_filter_deployments",
    "async_pre_routing_hook",
    "async_dataset_hook",
    "async_pre_call_deployment_hook",
    "async_post_call_success_deployment_hook",
)
"""Other methods of LiteLLM's base class that classes write over."""

Hook = Callable[..., object]

_BASES: Final = ("litellm", "tiergate")
_SUCCESS_ARGUMENTS: Final = 4
_FAILURE_ARGUMENTS: Final = 4


@dataclass(frozen=True, slots=True)
class Step:
    """One call of one method."""

    hook: Hook
    arguments: tuple[object, ...]


class Hooks:
    """The methods of one logger.

    Args:
        logger: An object with some of LiteLLM's methods, a class of such objects, or a function
            that takes `kwargs`, the answer and two instants.

    Raises:
        ValueError: It has none of them; or its class cannot be made without arguments.
    """

    def __init__(self, logger: object) -> None:
        if inspect.isclass(logger):
            try:
                logger = cast("Callable[[], object]", logger)()
            except Exception as exc:
                raise ValueError(
                    f"it is a class that cannot be made without arguments ({exc}); name an "
                    "instance of it"
                ) from exc
        self.logger = logger
        self._found = {name: hook for name in CALLED if (hook := _own(logger, name)) is not None}
        self._plain = cast("Hook", logger) if not self._found and _is_function(logger) else None
        if not self._found and self._plain is None and not self.uncalled:
            raise ValueError(f"it has none of the methods {', '.join(CALLED)}")

    @property
    def uncalled(self) -> tuple[str, ...]:
        """Methods that it has and that are never called for a callback."""
        names = (*GUARDING, *NEVER)
        return tuple(name for name in names if _own(self.logger, name) is not None)

    @property
    def wants_words(self) -> bool:
        """Whether it lets itself be given words (LiteLLM's `turn_off_message_logging`)."""
        off = getattr(self.logger, "turn_off_message_logging", False)
        return off is not True and getattr(self.logger, "message_logging", True) is not False

    def steps(self, seen: Occurrence) -> Iterator[Step]:
        """Return what has to be called for a call; of two twins only the asynchronous one."""
        usual = (seen.kwargs, seen.response, seen.start, seen.end)
        if self._plain is not None:
            yield Step(self._plain, usual)
            return
        word = "success" if seen.good else "failure"
        hook = self._found.get(f"async_log_{word}_event") or self._found.get(f"log_{word}_event")
        if hook is not None:
            yield Step(hook, usual)
        if not seen.good and (hook := self._found.get("async_post_call_failure_hook")):
            given = (seen.request, seen.error, seen.caller, None)
            yield Step(hook, given[: _takes(hook, _FAILURE_ARGUMENTS)])
        if seen.fell_back and (hook := self._found.get(f"log_{word}_fallback_event")):
            yield Step(hook, (seen.asked, seen.kwargs, seen.error))


async def run_step(
    step: Step, blocking: Callable[[Hook, tuple[object, ...]], Awaitable[object]]
) -> None:
    """Call a method, and wait for what it returns if that must be awaited.

    Args:
        step: What is called.
        blocking: Calls what is not asynchronous, in another thread than the loop's.
    """
    if inspect.iscoroutinefunction(step.hook):
        await step.hook(*step.arguments)
        return
    result = await blocking(step.hook, step.arguments)
    if inspect.isawaitable(result):
        await asyncio.ensure_future(result)


def _own(logger: object, name: str) -> Hook | None:
    """Return a method that the logger, or a class of its author, has itself."""
    found = getattr(logger, name, None)
    if not callable(found):
        return None
    for kind in type(logger).__mro__:
        if name in vars(kind):
            package = kind.__module__.partition(".")[0]
            return None if package in _BASES else found
    return found


def _takes(hook: Hook, most: int) -> int:
    """Return how many of the arguments a method takes."""
    try:
        parameters = inspect.signature(hook).parameters.values()
    except (TypeError, ValueError):
        return most
    if any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters):
        return most
    positional = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    )
    return min(most, sum(each.kind in positional for each in parameters))


def _is_function(logger: object) -> bool:
    return inspect.isroutine(logger) and _takes(cast("Hook", logger), _SUCCESS_ARGUMENTS) == (
        _SUCCESS_ARGUMENTS
    )
