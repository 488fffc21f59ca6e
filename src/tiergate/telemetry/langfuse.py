"""Writes a call as a generation of Langfuse, for its OTLP door (`/api/public/otel`).

Attributes are those that Langfuse's server maps to its own fields ("Property mapping" on its
OpenTelemetry page). What callers write into `metadata` has LiteLLM's names: `trace_id`,
`trace_name`, `generation_name`, `session_id`, `trace_user_id`, `tags`, `version`, `release`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec

from tiergate.base.jsontypes import Json
from tiergate.base.money import NANO
from tiergate.core.record import CallRecord, Outcome
from tiergate.telemetry.otlp import Kind, Span, Value, read_parent, span_id, trace_id
from tiergate.telemetry.spans import OPERATIONS, seed_of
from tiergate.telemetry.words import Words

_KNOWN: Final = frozenset(
    {
        "trace_id",
        "trace_name",
        "generation_name",
        "generation_id",
        "session_id",
        "trace_user_id",
        "tags",
        "version",
        "trace_version",
        "release",
        "trace_release",
        "parent_observation_id",
        "mask_input",
        "mask_output",
    }
)


class Generations:
    """Makes generations of calls.

    Args:
        nameless: Leave out whose key, user and team it was.
    """

    def __init__(self, *, nameless: bool = False) -> None:
        self._nameless = nameless

    def of(self, record: CallRecord, words: Words) -> list[Span]:
        """Return the span of a call; Langfuse wants every call, whatever its caller samples."""
        telling = record.telling
        parent = read_parent(telling.parent) if telling is not None and telling.parent else None
        own = words.metadata
        if parent is not None:
            trace, above = parent.trace, parent.span
        else:
            header = telling.trace if telling is not None else ""
            trace = trace_id(_text(own.get("trace_id")) or header or record.call_id)
            above = _span(_text(own.get("parent_observation_id")))
        named = _text(own.get("generation_name")) or OPERATIONS[record.operation]
        return [
            Span(
                trace,
                span_id(seed_of(record)),
                above,
                named,
                Kind.INTERNAL,
                record.wall,
                record.wall + record.seconds,
                {**self._trace(record, words), **self._generation(record, words)},
                _trouble(record),
            )
        ]

    def _trace(self, record: CallRecord, words: Words) -> dict[str, Value | None]:
        own = words.metadata
        session = _text(own.get("session_id")) or record.purpose.session
        name = _text(own.get("trace_name")) or record.purpose.workflow or "tiergate"
        return {
            "langfuse.trace.name": name,
            "user.id": _text(own.get("trace_user_id")) or record.user,
            "session.id": session or None,
            "langfuse.trace.tags": record.tags or None,
            "langfuse.version": _text(own.get("version") or own.get("trace_version")) or None,
            "langfuse.release": _text(own.get("release") or own.get("trace_release")) or None,
        }

    def _generation(self, record: CallRecord, words: Words) -> dict[str, Value | None]:
        deployment, usage, own = record.deployment, record.usage, words.metadata
        facts: dict[str, Value | None] = {
            "langfuse.observation.type": "generation",
            "langfuse.observation.level": "DEFAULT" if _trouble(record) is None else "ERROR",
            "langfuse.observation.status_message": _trouble(record),
            "langfuse.observation.model.name": (
                deployment.model if deployment is not None else record.asked
            ),
        }
        if usage is not None:
            facts["langfuse.observation.usage_details"] = _json(
                {
                    "input": usage.input,
                    "output": usage.output,
                    "input_cached_tokens": usage.cache_read or 0,
                    "input_cache_creation": (usage.cache_write_5m or 0)
                    + (usage.cache_write_1h or 0),
                    "total": usage.prompt_total + usage.output,
                }
            )
        if record.cost is not None:
            facts["langfuse.observation.cost_details"] = _json({"total": record.cost / NANO})
        if record.stream and record.first_seconds:
            first = record.wall + record.overhead_seconds + record.upstream_seconds
            facts["langfuse.observation.completion_start_time"] = _instant(first)
        if words.parameters:
            facts["langfuse.observation.model.parameters"] = _json(
                {name: raw for name, raw in words.parameters.items() if name not in _LARGE}
            )
        if words.asked is not None and own.get("mask_input") is not True:
            facts["langfuse.observation.input"] = words.asked.decode("utf-8", "replace")
        if words.answer is not None and own.get("mask_output") is not True:
            facts["langfuse.observation.output"] = _output(words.answer)
        for name, value in self._notes(record, words).items():
            facts[f"langfuse.observation.metadata.{name}"] = value
        return facts

    def _notes(self, record: CallRecord, words: Words) -> dict[str, Value | None]:
        caller, purpose = record.caller, record.purpose
        notes: dict[str, Value | None] = {
            name: value if isinstance(value, str | bool | int | float) else _json(value)
            for name, value in words.metadata.items()
            if name not in _KNOWN and value is not None
        }
        notes |= {
            "call_id": record.call_id,
            "alias": record.asked,
            "deployment": record.deployment.id if record.deployment is not None else None,
            "why": record.why,
            "status_code": record.status,
            "cache": record.cache or None,
            "ticket": purpose.ticket or None,
            "phase": purpose.phase or None,
        }
        if not self._nameless:
            notes["key"] = caller.name
            notes["team"] = caller.team or None
        return notes


_LARGE: Final = frozenset({"tools", "functions", "response_format", "thinking"})


def _output(answer: bytes) -> str:
    """Return the message of an answer: the one choice of OpenAI's dialect, else the whole."""
    try:
        found = msgspec.json.decode(answer, type=_Answer)
    except msgspec.MsgspecError:
        return answer.decode("utf-8", "replace")
    if len(found.choices) == 1 and (message := bytes(found.choices[0].message)):
        return message.decode("utf-8", "replace")
    if content := bytes(found.content):
        return f'{{"role":"assistant","content":{content.decode("utf-8", "replace")}}}'
    return answer.decode("utf-8", "replace")


_ABSENT: Final = msgspec.Raw(b"")


class _Choice(msgspec.Struct):
    message: msgspec.Raw = _ABSENT


class _Answer(msgspec.Struct):
    choices: list[_Choice] = []
    content: msgspec.Raw = _ABSENT


def _trouble(record: CallRecord) -> str | None:
    if record.outcome is Outcome.SUCCESS:
        return None
    return record.message or f"{record.outcome.value}, status {record.status}"


def _instant(wall: float) -> str:
    """Return an instant as the JSON text that Langfuse reads."""
    moment = datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")
    return f'"{moment.replace("+00:00", "Z")}"'


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _text(value: Json) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _span(text: str) -> bytes:
    """Return a span's id that was given in hexadecimal; nothing where it is none."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        return b""
    return found if len(found) == _SPAN_BYTES else b""


_SPAN_BYTES: Final = 8
