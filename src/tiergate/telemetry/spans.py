"""Writes a call as spans by OpenTelemetry's conventions for generative AI: one, and its attempts.

Names are those of the conventions as of schema `gen-ai/1.42`; `gen_ai.system`, which older
dashboards read, stands beside `gen_ai.provider.name`. What the conventions have no name for is
under `tiergate.`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from tiergate.base.money import NANO
from tiergate.base.values import DeploymentId, Operation
from tiergate.core.catalog import Deployment
from tiergate.core.record import CallRecord, Outcome
from tiergate.core.trail import Tried
from tiergate.telemetry.genai_messages import input_messages, output_messages
from tiergate.telemetry.otlp import Kind, Span, Value, read_parent, span_id, trace_id
from tiergate.telemetry.payload import error_class
from tiergate.telemetry.words import Words

OPERATIONS: Final = {
    Operation.CHAT: "chat",
    Operation.COMPLETION: "text_completion",
    Operation.EMBEDDING: "embeddings",
    Operation.COUNT_TOKENS: "count_tokens",
}

PROVIDERS: Final[Mapping[str, str]] = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "vertex_ai": "gcp.vertex_ai",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "xai": "x_ai",
    "watsonx": "ibm.watsonx.ai",
}
"""Names of the conventions that are not the host's own."""

_SETTINGS: Final = (
    ("temperature", "gen_ai.request.temperature"),
    ("top_p", "gen_ai.request.top_p"),
    ("max_tokens", "gen_ai.request.max_tokens"),
    ("max_completion_tokens", "gen_ai.request.max_tokens"),
    ("seed", "gen_ai.request.seed"),
    ("frequency_penalty", "gen_ai.request.frequency_penalty"),
    ("presence_penalty", "gen_ai.request.presence_penalty"),
)


class CallSpans:
    """Makes spans of calls.

    Args:
        deployments: By id, for the attempts.
        nameless: Leave out whose key, user and team it was.
    """

    def __init__(
        self, deployments: Mapping[DeploymentId, Deployment], *, nameless: bool = False
    ) -> None:
        self._deployments = deployments
        self._nameless = nameless

    def of(self, record: CallRecord, words: Words) -> list[Span]:
        """Return the spans of a call; none where its caller has decided not to sample it."""
        telling = record.telling
        parent = read_parent(telling.parent) if telling is not None and telling.parent else None
        if parent is not None and not parent.sampled:
            return []
        named = (telling.trace if telling is not None else "") or record.call_id
        trace = trace_id(named) if parent is None else parent.trace
        own = span_id(seed_of(record))
        operation = OPERATIONS[record.operation]
        root = Span(
            trace,
            own,
            parent.span if parent is not None else b"",
            f"{operation} {record.asked}".rstrip(),
            Kind.SERVER,
            record.wall,
            record.wall + record.seconds,
            {**self._facts(record, operation), **_said(record, words)},
            _trouble(record),
        )
        return [root, *self._attempts(record, root, operation)]

    def _facts(self, record: CallRecord, operation: str) -> dict[str, Value | None]:
        usage, deployment, purpose = record.usage, record.deployment, record.purpose
        caller = record.caller
        facts: dict[str, Value | None] = {
            "gen_ai.operation.name": operation,
            "gen_ai.request.model": record.asked,
            "gen_ai.conversation.id": purpose.session or None,
            "http.response.status_code": record.status,
            "error.type": error_class(record),
            "tiergate.call_id": record.call_id,
            "tiergate.outcome": record.outcome.value,
            "tiergate.stream": record.stream,
            "tiergate.why": record.why,
            "tiergate.retries": record.retries,
            "tiergate.fallbacks": record.fallbacks,
            "tiergate.cache": record.cache or None,
            "tiergate.overhead_ms": record.overhead_seconds * 1000,
            "tiergate.ticket": purpose.ticket or None,
            "tiergate.phase": purpose.phase or None,
            "tiergate.workflow": purpose.workflow or None,
            "tiergate.tags": record.tags or None,
            "enduser.id": record.user,
        }
        if not self._nameless:
            facts["tiergate.key"] = caller.name
            facts["tiergate.team"] = caller.team or None
            facts["tiergate.user"] = caller.user or None
        if deployment is not None:
            provider = provider_name(deployment)
            facts["gen_ai.provider.name"] = facts["gen_ai.system"] = provider
            facts["gen_ai.response.model"] = deployment.model
            facts["tiergate.alias"] = deployment.alias
            facts["tiergate.deployment"] = deployment.id
        if record.cost is not None:
            facts["tiergate.cost_usd"] = record.cost / NANO
        if usage is not None:
            facts["gen_ai.usage.input_tokens"] = usage.prompt_total
            facts["gen_ai.usage.output_tokens"] = usage.output
            facts["gen_ai.usage.cache_read.input_tokens"] = usage.cache_read
            written = (usage.cache_write_5m, usage.cache_write_1h)
            if written != (None, None):
                facts["gen_ai.usage.cache_creation.input_tokens"] = sum(n or 0 for n in written)
        if record.stream and record.first_seconds:
            before = record.overhead_seconds + record.upstream_seconds
            facts["gen_ai.server.time_to_first_token"] = before
        return facts

    def _attempts(self, record: CallRecord, root: Span, operation: str) -> list[Span]:
        """Return a span for each attempt."""
        telling = record.telling
        if telling is None:
            return []
        tried = [decision for decision in telling.trail if isinstance(decision, Tried)]
        spans: list[Span] = []
        for number, attempt in enumerate(tried):
            begin = record.wall + max(0.0, attempt.begun - telling.received)
            last = number == len(tried) - 1 and attempt.failure is None
            end = root.end if last else begin + attempt.seconds
            spans.append(self._attempt(record, root, attempt, (begin, max(begin, end)), operation))
            spans[-1].id = span_id(f"{seed_of(record)} {number}")
        return spans

    def _attempt(
        self,
        record: CallRecord,
        root: Span,
        attempt: Tried,
        times: tuple[float, float],
        operation: str,
    ) -> Span:
        deployment = self._deployments.get(attempt.deployment)
        model = deployment.model if deployment is not None else attempt.deployment
        provider = provider_name(deployment) if deployment is not None else None
        failure = attempt.failure
        facts: dict[str, Value | None] = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": provider,
            "gen_ai.system": provider,
            "gen_ai.request.model": model,
            "http.response.status_code": attempt.status,
            "error.type": failure.value if failure is not None else None,
            "tiergate.alias": attempt.alias,
            "tiergate.deployment": attempt.deployment,
            "tiergate.attempt": attempt.number,
            "tiergate.hop": attempt.hop,
            "tiergate.call_id": record.call_id,
        }
        error = None if failure is None else f"{attempt.status} {failure.value}"
        name = f"{operation} {model}"
        return Span(root.trace, b"", root.id, name, Kind.CLIENT, *times, facts, error)


def seed_of(record: CallRecord) -> str:
    """Return what the id of a call's span is made of; a call's own id may come twice."""
    return f"{record.call_id} {record.wall!r}"


def provider_name(deployment: Deployment) -> str:
    """Return the provider in the words of the conventions."""
    return PROVIDERS.get(deployment.provider, deployment.provider)


def _trouble(record: CallRecord) -> str | None:
    if record.outcome is Outcome.SUCCESS:
        return None
    return record.message or f"{record.outcome.value}, status {record.status}"


def _said(record: CallRecord, words: Words) -> dict[str, Value | None]:
    """Return settings and words of the request, and the words of the answer."""
    said: dict[str, Value | None] = {}
    for name, attribute in _SETTINGS:
        raw = words.parameters.get(name)
        value = None if raw is None else _number(raw)
        if value is not None:
            said[attribute] = value
    if words.asked is not None and record.operation is not Operation.EMBEDDING:
        said["gen_ai.input.messages"] = input_messages(words.asked)
    if words.answer is not None:
        said["gen_ai.output.messages"] = output_messages(words.answer)
    return said


def _number(raw: msgspec.Raw) -> int | float | None:
    try:
        return msgspec.json.decode(raw, type=int | float)
    except msgspec.MsgspecError:
        return None
