"""One record of the ledger as one line of JSON: the toolkit's form, and one with every field.

The toolkit's form has these members in this order, and no others: `timestamp, workflow, phase,
ticket_id, model_alias, provider, model, input_tokens, output_tokens, cached_input_tokens,
cost_usd, cache_hit, batch_job_id, escalation_reason, status`. What is not known is null. Which
records are written is not decided here.
"""

from __future__ import annotations

from datetime import UTC, datetime

from tiergate.core.exact_json import Exact, ExactObject, Usd, encode
from tiergate.core.ledger import Entry

_MILLI = 1000


def toolkit_line(entry: Entry) -> str:
    """Return the toolkit's line of a record, without a newline."""
    return encode(toolkit_form(entry))


def full_line(entry: Entry) -> str:
    """Return the line with every field of a record, without a newline."""
    return encode(full_form(entry))


def toolkit_form(entry: Entry) -> ExactObject:
    """Return the members of the toolkit's form.

    `input_tokens` counts all input, `cached_input_tokens` the part of it that was read from the
    provider's cache. `cache_hit` says that a cache of the gateway answered.
    """
    return {
        "timestamp": utc_text(entry.wall),
        "workflow": _known(entry.workflow),
        "phase": _known(entry.phase),
        "ticket_id": _known(entry.ticket),
        "model_alias": entry.served or entry.asked,
        "provider": _known(entry.provider),
        "model": _known(entry.model),
        "input_tokens": input_tokens(entry),
        "output_tokens": entry.output,
        "cached_input_tokens": entry.cache_read,
        "cost_usd": Usd(entry.cost),
        "cache_hit": bool(entry.cache),
        "batch_job_id": _known(entry.batch),
        "escalation_reason": _known(entry.reason),
        "status": entry.status,
    }


def full_form(entry: Entry) -> ExactObject:
    """Return the toolkit's members, and after them every other field."""
    tags: list[Exact] = [*entry.tags]
    return {
        **toolkit_form(entry),
        "call_id": entry.call_id,
        "part": entry.part,
        "booked": utc_text(entry.booked),
        "seconds": round(entry.seconds, 6),
        "operation": entry.operation,
        "dialect": entry.dialect,
        "http_status": entry.http_status,
        "asked": entry.asked,
        "served": _known(entry.served),
        "deployment": _known(entry.deployment),
        "key": _known(entry.key),
        "key_name": _known(entry.key_name),
        "user": _known(entry.user),
        "team": _known(entry.team),
        "end_user": _known(entry.end_user),
        "session": _known(entry.session),
        "tags": tags,
        "uncached_input_tokens": entry.input,
        "cache_write_5m_tokens": entry.cache_write_5m,
        "cache_write_1h_tokens": entry.cache_write_1h,
        "reasoning_tokens": entry.reasoning,
        "audio_input_tokens": entry.audio_input,
        "audio_output_tokens": entry.audio_output,
        "estimated": entry.estimated,
        "unpriced": entry.unpriced,
        "cost_nano_usd": entry.cost,
        "saving_usd": Usd(entry.saving),
        "cache": _known(entry.cache),
        "retries": entry.retries,
        "fallbacks": entry.fallbacks,
        "escalated": entry.escalated,
        "why": _known(entry.why),
    }


def input_tokens(entry: Entry) -> int:
    """Return all input tokens of a record, cached and newly cached ones included."""
    return entry.input + entry.cache_read + entry.cache_write_5m + entry.cache_write_1h


def utc_text(seconds: float) -> str:
    """Return Unix seconds as ISO 8601 in UTC, with milliseconds (`2026-11-24T10:00:00.000Z`)."""
    # Whole milliseconds first: the float's last bits would round up across a second at worst.
    whole, milli = divmod(round(seconds * _MILLI), _MILLI)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{milli:03d}Z"


def _known(text: str) -> str | None:
    return text or None
