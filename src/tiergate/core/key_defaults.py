"""What the configuration says of virtual keys: values for what a request leaves out, and bounds.

Values, and the comparison of windows that bounds need. What a key then may do is decided in
`key_terms`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tiergate.base.values import NanoUsd

_DAY = 86_400
_CALENDAR = {
    "hour": 3600,
    "day": _DAY,
    "week": 7 * _DAY,
    "month": 30 * _DAY,
    "year": 365 * _DAY,
}
"""Seconds of calendar windows as bounds compare them: a month is no longer than `30d`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyBounds:
    """Figures for keys that are made; None where nothing is written.

    Attributes:
        max_budget: nano-USD.
        window: The window of the budget in the file's words.
        period: The same in Tiergate's words (`core.rules.BudgetRule.period`).
        lifetime: Seconds until a key expires.
        parallel: Requests at the same time.
        tpm: Tokens per minute.
        rpm: Requests per minute.
    """

    max_budget: NanoUsd | None = None
    window: str | None = None
    period: str | None = None
    lifetime: float | None = None
    parallel: int | None = None
    tpm: int | None = None
    rpm: int | None = None


NO_BOUNDS = KeyBounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDefaults:
    """The file's rules for keys and users.

    Attributes:
        given: For what a request to make a key leaves out (`default_key_generate_params`).
        models: Aliases of a key whose request names none.
        team: Team of a key whose request names none; or empty.
        user: User of a key whose request names none; or empty.
        most: What no key may have more of (`upperbound_key_generate_params`); what a request
            leaves out is set to it.
        user_budget: The cap of every user who has none of their own
            (`max_internal_user_budget`), nano-USD; None: no cap.
        user_window: The window of that cap in the file's words.
        user_period: The same in Tiergate's words.
        own_values: Whether a request may bring the value of the key itself.
    """

    given: KeyBounds = NO_BOUNDS
    models: tuple[str, ...] = ()
    team: str = ""
    user: str = ""
    most: KeyBounds = NO_BOUNDS
    user_budget: NanoUsd | None = None
    user_window: str = "none"
    user_period: str = "none"
    own_values: bool = True


NO_DEFAULTS = KeyDefaults()


def length(period: str) -> float:
    """Return how many seconds a budget's window lasts, for comparing windows.

    Args:
        period: `calendar:UNIT`, `rolling:SECONDS` or `none`, which lasts for ever.
    """
    kind, _, what = period.partition(":")
    if kind == "calendar":
        return _CALENDAR[what]
    return float(what) if kind == "rolling" else float("inf")
