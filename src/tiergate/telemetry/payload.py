"""Writes a call record under the names of LiteLLM's `standard_logging_object`.

All members that LiteLLM's own have are there; those that the gateway does not know are null.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tiergate.base.errors import FailureClass
from tiergate.base.jsontypes import Json
from tiergate.base.money import NANO, format_usd
from tiergate.base.values import Dialect, Operation
from tiergate.core.alerts import BudgetAlert
from tiergate.core.catalog import ScopeKind
from tiergate.core.record import CallRecord, Outcome
from tiergate.telemetry.words import NOTHING_SAID, Words

_EVENTS: Final = {"soft": "soft_budget_crossed", "100": "budget_crossed"}
_GROUPS: Final = {"gateway": "proxy", "user": "internal_user", "end_user": "customer"}

CALL_TYPES: Final = {
    Operation.CHAT: "acompletion",
    Operation.COMPLETION: "atext_completion",
    Operation.EMBEDDING: "aembedding",
    Operation.COUNT_TOKENS: "acount_tokens",
}
"""LiteLLM's words for what was asked; chats of Anthropic's dialect are `anthropic_messages`."""

ERROR_CLASSES: Final = {
    FailureClass.RATE_LIMIT: "RateLimitError",
    FailureClass.TIMEOUT: "Timeout",
    FailureClass.CALLER_TIMEOUT: "Timeout",
    FailureClass.UPSTREAM: "InternalServerError",
    FailureClass.CONNECTION: "APIConnectionError",
    FailureClass.CONTEXT_WINDOW: "ContextWindowExceededError",
    FailureClass.CONTENT_POLICY: "ContentPolicyViolationError",
    FailureClass.CREDENTIALS: "AuthenticationError",
    FailureClass.BUDGET: "BudgetExceededError",
}
"""LiteLLM's names of errors; `BadRequestError` for the others."""


def call_type(record: CallRecord) -> str:
    """Return LiteLLM's word for what was asked."""
    if record.operation is Operation.CHAT and record.dialect is Dialect.ANTHROPIC:
        return "anthropic_messages"
    return CALL_TYPES[record.operation]


def error_class(record: CallRecord) -> str | None:
    """Return LiteLLM's name of what went wrong; None for a good call."""
    if record.outcome is Outcome.SUCCESS:
        return None
    if record.failure is not None:
        return ERROR_CLASSES.get(record.failure, "BadRequestError")
    return "RateLimitError" if record.status == 429 else "BadRequestError"


def trace_of(record: CallRecord) -> str:
    """Return the name by which a caller finds the calls of one piece of work."""
    telling = record.telling
    own = telling.trace if telling is not None else ""
    return own or record.purpose.session or record.call_id


def payload(
    record: CallRecord, words: Words = NOTHING_SAID, *, nameless: bool = False
) -> dict[str, object]:
    """Return a record as an object that `msgspec` can write.

    Args:
        record: Of the call.
        words: What was said; nothing where the sink gets no words.
        nameless: Leave out whose key, user and team it was.
    """
    usage = record.usage
    deployment = record.deployment
    telling = record.telling
    end = record.wall + record.seconds
    cost = record.cost / NANO if record.cost is not None else 0.0
    return {
        "id": record.call_id,
        "trace_id": trace_of(record),
        "call_type": call_type(record),
        "status": "success" if record.outcome is Outcome.SUCCESS else "failure",
        "outcome": record.outcome.value,
        "response_cost": cost,
        "response_cost_nano_usd": record.cost,
        "model_group": record.asked,
        "model": deployment.model if deployment is not None else None,
        "model_id": deployment.id if deployment is not None else None,
        "custom_llm_provider": deployment.provider if deployment is not None else None,
        "api_base": deployment.api_base if deployment is not None else None,
        "stream": record.stream,
        "startTime": record.wall,
        "endTime": end,
        "completionStartTime": record.wall + record.overhead_seconds + record.upstream_seconds,
        "response_time": record.seconds,
        "total_tokens": usage.prompt_total + usage.output if usage is not None else 0,
        "prompt_tokens": usage.prompt_total if usage is not None else 0,
        "completion_tokens": usage.output if usage is not None else 0,
        "cached_tokens": usage.cache_read if usage is not None else None,
        "end_user": record.user,
        "requester_ip_address": None,
        "user_agent": telling.agent or None if telling is not None else None,
        "request_tags": record.tags,
        "metadata": _metadata(record, words, nameless=nameless),
        "model_parameters": dict(words.parameters),
        "messages": msgspec.Raw(words.asked) if words.asked is not None else None,
        "response": msgspec.Raw(words.answer) if words.answer is not None else None,
        "status_code": record.status,
        "error_str": record.message,
        "error_information": _error(record),
        "attempted_retries": record.retries,
        "attempted_fallbacks": record.fallbacks,
        "why": record.why,
        "cache_hit": bool(record.cache),
        "cache_key": None,
        "saved_cache_cost": record.saving / NANO if record.cache else 0.0,
        "hidden_params": {
            "model_id": deployment.id if deployment is not None else None,
            "api_base": deployment.api_base if deployment is not None else None,
            "response_cost": cost,
            "litellm_overhead_time_ms": record.overhead_seconds * 1000,
            "additional_headers": None,
            "cache_key": None,
            "batch_models": None,
        },
        "model_map_information": None,
        "cost_breakdown": None,
        "guardrail_information": None,
        "response_cost_failure_debug_info": None,
        "standard_built_in_tools_params": None,
    }


def _metadata(record: CallRecord, words: Words, *, nameless: bool) -> dict[str, object]:
    caller, purpose = record.caller, record.purpose
    return {
        "user_api_key_hash": None if nameless else caller.key or None,
        "user_api_key_alias": None if nameless else caller.name,
        "user_api_key_user_id": None if nameless else caller.user or None,
        "user_api_key_team_id": None if nameless else caller.team or None,
        "user_api_key_org_id": None,
        "user_api_key_end_user_id": record.user,
        "requester_metadata": dict(words.metadata),
        "requester_ip_address": None,
        "spend_logs_metadata": None,
        "ticket_id": purpose.ticket or None,
        "session_id": purpose.session or None,
        "phase": purpose.phase or None,
        "workflow": purpose.workflow or None,
    }


def _error(record: CallRecord) -> dict[str, object]:
    deployment = record.deployment
    return {
        "error_code": str(record.status) if record.outcome is not Outcome.SUCCESS else "",
        "error_class": error_class(record),
        "error_kind": record.failure.value if record.failure is not None else None,
        "error_type": record.error_type,
        "error_message": record.message,
        "llm_provider": deployment.provider if deployment is not None else None,
        "traceback": "",
    }


def alert_payload(alert: BudgetAlert) -> Json:
    """Return an alert in the form of LiteLLM's budget webhook (`event`, `event_group`)."""
    scope = alert.scope.value
    return {
        "event": _EVENTS.get(alert.mark, "threshold_crossed"),
        "event_group": _GROUPS.get(scope, scope),
        "event_message": alert_sentence(alert),
        "scope": scope,
        "name": alert.name,
        "threshold": None if alert.mark == "soft" else int(alert.mark),
        "spend": alert.spent / NANO,
        "max_budget": alert.limit / NANO if alert.limit is not None else None,
        "soft_budget": alert.soft / NANO if alert.soft is not None else None,
        "window": alert.window,
        "resets_at": alert.resets,
        "token": alert.name if alert.scope is ScopeKind.KEY else None,
        "user_id": alert.name if alert.scope is ScopeKind.USER else None,
        "team_id": alert.name if alert.scope is ScopeKind.TEAM else None,
    }


def alert_sentence(alert: BudgetAlert) -> str:
    """Return what a budget's mark says, as a sentence."""
    scope = alert.scope.value
    what = "its soft budget" if alert.mark == "soft" else f"{alert.mark} % of its budget"
    named = scope if alert.scope is ScopeKind.GATEWAY else f"{scope} {alert.name}"
    return f"The {named} has spent {what}: {format_usd(alert.spent)} USD."
