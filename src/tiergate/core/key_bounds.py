"""Keeps a key within the bounds that the configuration sets for all keys.

A field of a request that is beyond its bound is refused; one that is left out, where it would mean
"no limit", becomes the bound (LiteLLM's `upperbound_key_generate_params` does both).
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json
from tiergate.base.money import format_usd
from tiergate.core.key_defaults import KeyBounds, length
from tiergate.core.key_fields import invalid
from tiergate.core.keys import KeyRecord, Terms

_SETTING = "litellm_settings.upperbound_key_generate_params"


def bounded(
    record: KeyRecord,
    fields: AbstractSet[str],
    given: Mapping[str, Json],
    most: KeyBounds,
    now: float,
) -> KeyRecord:
    """Return a key within its bounds.

    Args:
        record: The key with the fields of the request.
        fields: Which fields are looked at: all for a new key, those of the request for a change.
        given: The fields of the request.
        most: The bounds.
        now: Unix seconds.

    Raises:
        Refused: 400, which names the field and its bound.
    """
    terms = record.terms
    if "max_budget" in fields:
        terms = _budget(terms, most)
    if "budget_duration" in fields:
        terms = _window(terms, most, named=bool(given.get("budget_duration")))
    if "rpm_limit" in fields:
        terms = replace(terms, rpm=_count(terms.rpm, most.rpm, "rpm_limit"))
    if "tpm_limit" in fields:
        terms = replace(terms, tpm=_count(terms.tpm, most.tpm, "tpm_limit"))
    if "max_parallel_requests" in fields:
        parallel = _count(terms.parallel, most.parallel, "max_parallel_requests")
        terms = replace(terms, parallel=parallel)
    record = replace(record, terms=terms)
    return _lifetime(record, most, now) if "duration" in fields else record


def _budget(terms: Terms, most: KeyBounds) -> Terms:
    if most.max_budget is None:
        return terms
    if terms.max_budget is None:
        return replace(terms, max_budget=most.max_budget)
    if terms.max_budget > most.max_budget:
        raise _beyond("max_budget", f"{format_usd(most.max_budget)} USD")
    return terms


def _window(terms: Terms, most: KeyBounds, *, named: bool) -> Terms:
    """Windows are compared by their length. One that is not named at all becomes the bound."""
    if most.period is None or most.window is None:
        return terms
    if terms.period == "none" and not named:
        return replace(terms, window=most.window, period=most.period)
    if length(terms.period) > length(most.period):
        raise _beyond("budget_duration", most.window)
    return terms


def _lifetime(record: KeyRecord, most: KeyBounds, now: float) -> KeyRecord:
    if most.lifetime is None:
        return record
    if record.expires is None:
        return replace(record, expires=now + most.lifetime)
    if record.expires - now > most.lifetime:
        raise _beyond("duration", f"{most.lifetime:g} seconds")
    return record


def _count(value: int | None, most: int | None, name: str) -> int | None:
    if most is None:
        return value
    if value is not None and value > most:
        raise _beyond(name, str(most))
    return most if value is None else value


def _beyond(name: str, most: str) -> Refused:
    return invalid(
        name,
        f"`{name}` is beyond what a key may have here: {most} at most ({_SETTING}).",
        code="over_upper_bound",
    )
