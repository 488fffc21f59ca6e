"""What a caller is told by the gateway itself where no provider's error can be shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from tiergate.base.errors import Failure, FailureClass, Refused
from tiergate.base.values import AliasName
from tiergate.core.catalog import ChainKind
from tiergate.core.routing import retry_after


def unknown_alias(alias: AliasName) -> Refused:
    """No such alias; shells that know the caller's aliases refuse earlier, with the list."""
    return Refused(
        400,
        f"There is no alias `{alias[:100]}`. GET /v1/models lists those you may use.",
        code="model_not_found",
        anthropic_type="not_found_error",
        param="model",
    )


def not_for_key(asked: str, usable: Iterable[str]) -> Refused:
    """Return the refusal of an alias that the caller's key may not use.

    Type and code are LiteLLM's.

    Args:
        asked: The name asked for.
        usable: The names that the key may use.
    """
    names = ", ".join(usable)
    may = f"it may use {names}" if names else "it may use none"
    return Refused(
        403,
        f"This key may not use the alias `{asked[:100]}`: {may}. The administrator of the "
        "gateway can change that.",
        code="key_model_access_denied",
        type="key_model_access_denied",
        anthropic_type="permission_error",
        param="model",
    )


def no_time(*, callers_own: bool) -> Failure:
    """The time was over before anybody could be called."""
    whose = "The time limit you sent" if callers_own else "The time limit of the request"
    kind = FailureClass.CALLER_TIMEOUT if callers_own else FailureClass.TIMEOUT
    message = f"{whose} was over before a provider could be called."
    return Failure(kind, 408, message, type="timeout_error")


def drills_are_off() -> Refused:
    """A request asked for a forced failure, and the file does not allow it."""
    return Refused(
        400,
        "This request asks for a forced failure (`mock_testing_...`), which is switched off here. "
        "To allow it, set `general_settings.dangerously_allow_mock_testing_request_params: true`.",
        code="drill_not_allowed",
    )


def drilled(kind: ChainKind) -> Failure | Refused:
    """Return the failure that a drill puts in the place of a provider's.

    The classes are LiteLLM's: `mock_testing_fallbacks` is a 500, the others are what their names
    say.
    """
    text = "Nobody was called: this failure was asked for by the request (`mock_testing_{}`)."
    match kind:
        case ChainKind.GENERAL:
            message = text.format("fallbacks")
            return Failure(FailureClass.UPSTREAM, 500, message, type="api_error")
        case ChainKind.CONTEXT_WINDOW:
            return Failure(
                FailureClass.CONTEXT_WINDOW,
                400,
                text.format("context_fallbacks"),
                type="invalid_request_error",
                code="context_length_exceeded",
            )
        case ChainKind.CONTENT_POLICY:
            return Failure(
                FailureClass.CONTENT_POLICY,
                400,
                text.format("content_policy_fallbacks"),
                type="invalid_request_error",
                code="content_policy_violation",
            )
        case ChainKind.BUDGET:
            return Refused(
                429,
                text.format("budget_fallbacks"),
                code="budget_exceeded",
                type="budget_exceeded",
                headers=(("x-should-retry", "false"),),
            )
        case _:
            assert_never(kind)


def is_budget(error: Failure | Refused) -> bool:
    """Tell whether a used-up budget is what this error says."""
    if isinstance(error, Failure):
        return error.kind is FailureClass.BUDGET
    return error.code == "budget_exceeded"


def seconds_to_wait(error: Failure | Refused) -> int | None:
    """Return whole seconds for the caller's `Retry-After`, where the error names a time."""
    if isinstance(error, Failure):
        return None if error.retry_after is None else retry_after(error.retry_after)
    named = dict(error.headers).get("retry-after")
    return int(named) if named is not None and named.isdigit() else None
