"""Reads figures by kind of failure: `retry_policy` and `allowed_fails_policy`.

LiteLLM writes one key for each exception class; the gateway has one figure for all faults of a
provider (500, 502, 503), so keys that mean the same kind are brought together here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tiergate.config.reading import Reader
from tiergate.config.section import Section, Spot, as_section
from tiergate.config.suggest import did_you_mean
from tiergate.core.catalog import FailureCounts

_RETRIES: Final = "Retries"
_ALLOWED: Final = "AllowedFails"

_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "bad_request": ("BadRequestError",),
    "authentication": ("AuthenticationError",),
    "timeout": ("TimeoutError",),
    "rate_limit": ("RateLimitError",),
    "content_policy": ("ContentPolicyViolationError",),
    "internal_server": ("InternalServerError", "ServiceUnavailableError", "BadGatewayError"),
    "not_found": ("NotFoundError",),
}
_FOLLOW_DEFAULT: Final = frozenset({"timeout", "rate_limit", "internal_server"})
"""Kinds that `DefaultRetries` fills: those that are retried at all."""


def retry_policy(spot: Spot | None, reader: Reader) -> FailureCounts:
    """Return retries by kind of failure; None for kinds the policy does not name."""
    section = as_section(spot, reader.findings)
    if section is None:
        return FailureCounts()
    counts = _counts(section, _RETRIES, reader)
    default = reader.typed.whole(section.take(f"Default{_RETRIES}"))
    if default is not None:
        counts = {
            kind: default if count is None and kind in _FOLLOW_DEFAULT else count
            for kind, count in counts.items()
        }
    _refuse_unknown(section, _RETRIES, reader)
    return FailureCounts(**counts)


def allowed_fails_policy(spot: Spot | None, reader: Reader) -> FailureCounts:
    """Return allowed failures by kind; None for kinds the policy does not name."""
    section = as_section(spot, reader.findings)
    if section is None:
        return FailureCounts()
    counts = _counts(section, _ALLOWED, reader)
    _refuse_unknown(section, _ALLOWED, reader)
    return FailureCounts(**counts)


def _counts(section: Section, ending: str, reader: Reader) -> dict[str, int | None]:
    counts: dict[str, int | None] = {}
    for kind, classes in _KINDS.items():
        given: list[tuple[int, Spot]] = []
        for name in classes:
            spot = section.take(f"{name}{ending}")
            count = reader.typed.whole(spot)
            if count is not None and spot is not None:
                given.append((count, spot))
        least = min((count for count, _ in given), default=None)
        if least is not None and any(count != least for count, _ in given):
            reader.findings.warning(
                "one-figure",
                given[-1][1].at,
                "all 5xx answers share one figure here, and the keys give several; "
                f"{least} is used",
            )
        counts[kind] = least
    return counts


def _refuse_unknown(section: Section, ending: str, reader: Reader) -> None:
    known = [f"{name}{ending}" for classes in _KINDS.values() for name in classes]
    for spot in section.left():
        reader.findings.mistake(
            "unknown-key", spot.at, "unknown key", did_you_mean(spot.key, known)
        )
