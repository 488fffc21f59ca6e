"""What a caller is told when a guard stops a call: as an answer, and inside a stream.

The fields are LiteLLM's (`provider_specific_fields`), the sentences ours. What was found is named
by its kind; the text itself is in no answer, log or metric.
"""

from __future__ import annotations

from collections.abc import Sequence

from tiergate.base.errors import Failure, FailureClass, Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.core.guard_plan import GuardPlan, Stage
from tiergate.wire.members import encode

APPLIED = "x-litellm-applied-guardrails"
"""The response header that names the guards of a request."""

BLOCKED = "guardrail_blocked"
UNAVAILABLE = "guardrail_unavailable"
UNKNOWN = "unknown_guardrail"
_MOST_KINDS = 5
_SERVER_ERROR = 500


def blocked(
    plan: GuardPlan,
    stage: Stage,
    why: str,
    kinds: Sequence[str] = (),
    status: int = 400,
) -> Refused:
    """Make the refusal of a call that a guard does not let through.

    Args:
        plan: The guard.
        stage: When it looked.
        why: In the guard's words; empty where only `kinds` say it.
        kinds: What it found.
        status: For the caller.
    """
    told = tuple(dict.fromkeys(kinds))[:_MOST_KINDS]
    what = "answer" if stage is Stage.POST_CALL else "request"
    found = f" found {', '.join(told)}" if told else ""
    reason = why or f"The guardrail {plan.name}{found} in the {what}, and does not let it through."
    fields: JsonObject = {
        "error": reason,
        "guardrail_name": plan.name,
        "guardrail_mode": stage.value,
    }
    if told:
        fields["pattern"] = told[0]
    return Refused(
        status,
        (plan.message or reason).replace("{default_message}", reason),
        code=BLOCKED,
        details=(("provider_specific_fields", fields),),
    )


def unavailable(plan: GuardPlan, stage: Stage, why: str) -> Refused:
    """Make the refusal of a call that a guard could not look at."""
    what = "The answer is held back" if stage is Stage.POST_CALL else "The request was not sent"
    fields: JsonObject = {
        "error": why,
        "guardrail_name": plan.name,
        "guardrail_mode": stage.value,
    }
    return Refused(
        503,
        f"The guardrail {plan.name} could not check this call: {why}. {what}, because nothing may "
        "pass it unchecked. Try again later, or tell the administrator of the gateway "
        "(`on_error: allow` would let such calls through).",
        code=UNAVAILABLE,
        type="api_error",
        anthropic_type="api_error",
        details=(("provider_specific_fields", fields),),
    )


def unknown(names: Sequence[str], known: Sequence[str]) -> Refused:
    """Make the refusal of a request that asks for guards that there are not."""
    there = f"Known are {', '.join(known)}." if known else "None are configured."
    return Refused(
        400,
        f"There is no guardrail {', '.join(name[:100] for name in names)}, so the request was not "
        f"sent. {there}",
        param="guardrails",
        code=UNKNOWN,
    )


def gone(names: Sequence[str]) -> Refused:
    """Make the refusal of a key whose guards the configuration has no more."""
    return Refused(
        503,
        f"The key or team of this request demands the guardrail {', '.join(names)}, which the "
        "configuration does not have any more, so the request was not sent. The administrator of "
        "the gateway must add it again, or take it off the key (POST /key/update).",
        code=UNAVAILABLE,
        type="api_error",
        anthropic_type="api_error",
    )


def tokens_only(member: str) -> Refused:
    """Make the refusal of a prompt that nobody can read."""
    return Refused(
        400,
        f"`{member}` is a list of token numbers, which guardrails cannot look at, so the request "
        "was not sent. Send the text.",
        param=member,
        code=BLOCKED,
    )


def as_failure(refused: Refused) -> Failure:
    """Return a refusal as what ends a stream after its first content."""
    kind = FailureClass.UPSTREAM if refused.status >= _SERVER_ERROR else FailureClass.BAD_REQUEST
    return Failure(kind, refused.status, refused.message, type=refused.type, code=refused.code)


def frame(refused: Refused, dialect: Dialect) -> bytes:
    """Return the event that ends a stream, in the caller's dialect; nothing follows it."""
    details: dict[str, Json] = dict(refused.details)
    if dialect is Dialect.ANTHROPIC:
        kind = refused.anthropic_type or (
            "api_error" if refused.status >= _SERVER_ERROR else "invalid_request_error"
        )
        error: JsonObject = {"type": kind, "message": refused.message, "code": refused.code}
        body = encode({"type": "error", "error": {**error, **details}})
        return b"event: error\ndata: " + body + b"\n\n"
    error = {
        "message": refused.message,
        "type": refused.type,
        "param": refused.param,
        "code": refused.code,
    }
    return b"data: " + encode({"error": {**error, **details}}) + b"\n\n"
