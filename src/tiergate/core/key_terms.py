"""Turns the fields of a request into the record of a key, a user or a team.

Values in, values out: a field that is there takes the place of what was there before, null takes
a limit away, and what the configuration says of defaults and bounds is brought in. Whether an
alias of a key is free, or a team exists, is found out where the documents are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from types import MappingProxyType
from typing import Final, Protocol

from tiergate.base.jsontypes import Json
from tiergate.base.values import AliasName
from tiergate.core.key_bounds import bounded
from tiergate.core.key_defaults import NO_DEFAULTS, KeyDefaults
from tiergate.core.key_fields import (
    invalid,
    read_count,
    read_flag,
    read_object,
    read_text,
    read_texts,
    read_usd,
)
from tiergate.core.keys import Holder, HolderKind, KeyRecord, Member, Terms
from tiergate.core.rules import OnStoreFailure
from tiergate.core.tags import parse_tags

ALL_MODELS: Final = "all-proxy-models"
TEAM_MODELS: Final = "all-team-models"
NO_MODELS: Final = "no-default-models"
"""LiteLLM's words in `models`: all aliases, those of the team, and none at all (of a user)."""

TERM_FIELDS: Final = frozenset(
    {
        "models", "max_budget", "budget_duration", "soft_budget", "max_parallel_requests",
        "rpm_limit", "tpm_limit", "tags", "metadata", "blocked", "on_store_failure",
        "guardrails",
    }
)  # fmt: skip
KEY_FIELDS: Final = TERM_FIELDS | {
    "key", "key_alias", "duration", "user_id", "team_id", "budget_fallbacks", "key_type",
}  # fmt: skip
USER_FIELDS: Final = TERM_FIELDS | {"user_id", "user_alias", "user_email"}
TEAM_FIELDS: Final = TERM_FIELDS | {"team_id", "team_alias", "members_with_roles"}

_LONGEST_METADATA = 32 * 1024
_KEY_TYPES = ("default", "llm_api")
_DURATIONS = "30s, 5min, 24h, 30d"
_WINDOWS = "24h, 30d, 1mo, or hourly, daily, weekly, monthly, yearly"


class WindowText(Protocol):
    """What a text says of a budget's window."""

    @property
    def text(self) -> str:
        """The words."""
        ...

    @property
    def period(self) -> str:
        """As in `core.rules.BudgetRule.period`."""
        ...

    @property
    def minute_by_m(self) -> bool:
        """`m` was read as minutes, which budgets rarely mean."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRules:
    """What reading and meaning of keys depend on; made once per configuration.

    Attributes:
        names: Every name that callers may use, mapped to its alias.
        zone: Of calendar windows.
        window: Reads a budget's window; raises ValueError.
        seconds: Reads a length of time in seconds; raises ValueError.
        defaults: The file's rules for keys.
        on_store_failure: What budgets of keys do that say nothing of their own.
        guardrails: The names of all guards.
    """

    names: Mapping[str, AliasName]
    zone: tzinfo
    window: Callable[[str | float], WindowText]
    seconds: Callable[[str], float]
    defaults: KeyDefaults = NO_DEFAULTS
    on_store_failure: OnStoreFailure = OnStoreFailure.ALLOW_LEASED
    guardrails: tuple[str, ...] = ()


def made_key(body: Mapping[str, Json], blank: KeyRecord, rules: KeyRules, now: float) -> KeyRecord:
    """Return the record of a key that is made.

    Args:
        body: The request; null and absent are the same.
        blank: What is known besides: the hash, the masked form, who asks.
        rules: The rules of the configuration.
        now: Unix seconds.

    Raises:
        Refused: 400, which names the field.
    """
    given = {name: value for name, value in body.items() if value is not None}
    defaults = rules.defaults
    started = replace(
        blank,
        created=now,
        user=defaults.user,
        team=defaults.team,
        terms=replace(
            blank.terms,
            models=defaults.models,
            max_budget=defaults.given.max_budget,
            window=defaults.given.window or "none",
            period=defaults.given.period or "none",
            parallel=defaults.given.parallel,
            tpm=defaults.given.tpm,
            rpm=defaults.given.rpm,
        ),
        expires=now + defaults.given.lifetime if defaults.given.lifetime is not None else None,
    )
    changed = changed_key(given, started, rules, now)
    return bounded(changed, KEY_FIELDS, given, defaults.most, now)


def changed_key(
    body: Mapping[str, Json], record: KeyRecord, rules: KeyRules, now: float
) -> KeyRecord:
    """Return the record of a key with the fields of a request; null takes a limit away.

    Args:
        body: The request.
        record: The key as it was.
        rules: The rules of the configuration.
        now: Unix seconds.

    Raises:
        Refused: 400, which names the field.
    """
    key_type = body.get("key_type")
    if key_type is not None and key_type not in _KEY_TYPES:
        raise invalid(
            "key_type",
            "`key_type` must be `default` or `llm_api`: a virtual key calls models and sees its "
            "own data. Keys are managed with the master key.",
        )
    if "key_alias" in body:
        record = replace(record, alias=read_text(body["key_alias"], "key_alias"))
    if "user_id" in body:
        record = replace(record, user=read_text(body["user_id"], "user_id"))
    if "team_id" in body:
        record = replace(record, team=read_text(body["team_id"], "team_id"))
    if "duration" in body:
        record = replace(record, expires=_expiry(body["duration"], rules, now))
    if "budget_fallbacks" in body:
        record = replace(record, chains=_chains(body["budget_fallbacks"], rules))
    terms = changed_terms(body, record.terms, rules, frozenset({ALL_MODELS, TEAM_MODELS}))
    record = replace(record, terms=terms, updated=now)
    return bounded(record, frozenset(body), body, rules.defaults.most, now)


def changed_holder(
    body: Mapping[str, Json], holder: Holder, rules: KeyRules, now: float
) -> Holder:
    """Return a user or team with the fields of a request.

    Raises:
        Refused: 400, which names the field.
    """
    kind = holder.kind.value
    if f"{kind}_alias" in body:
        holder = replace(holder, alias=read_text(body[f"{kind}_alias"], f"{kind}_alias"))
    if "user_email" in body:
        holder = replace(holder, email=read_text(body["user_email"], "user_email"))
    if "members_with_roles" in body:
        value = body["members_with_roles"]
        holder = replace(holder, members=read_members(value, "members_with_roles"))
    words = {ALL_MODELS, NO_MODELS} if holder.kind is HolderKind.USER else {ALL_MODELS}
    terms = changed_terms(body, holder.terms, rules, frozenset(words))
    return replace(holder, terms=terms, updated=now)


def changed_terms(
    body: Mapping[str, Json], terms: Terms, rules: KeyRules, words: frozenset[str]
) -> Terms:
    """Return terms with the fields of a request.

    Args:
        body: The request.
        terms: As they were.
        rules: The rules of the configuration.
        words: What may stand in `models` besides aliases.

    Raises:
        Refused: 400, which names the field.
    """
    if "models" in body:
        terms = replace(terms, models=_models(body["models"], rules, words))
    if "max_budget" in body:
        terms = replace(terms, max_budget=read_usd(body["max_budget"], "max_budget"))
    if "soft_budget" in body:
        terms = replace(terms, soft_budget=read_usd(body["soft_budget"], "soft_budget"))
    if "budget_duration" in body:
        window, period = _window(body["budget_duration"], rules)
        terms = replace(terms, window=window, period=period)
    if "rpm_limit" in body:
        terms = replace(terms, rpm=read_count(body["rpm_limit"], "rpm_limit"))
    if "tpm_limit" in body:
        terms = replace(terms, tpm=read_count(body["tpm_limit"], "tpm_limit"))
    if "max_parallel_requests" in body:
        parallel = read_count(body["max_parallel_requests"], "max_parallel_requests")
        terms = replace(terms, parallel=parallel)
    if "tags" in body:
        terms = replace(terms, tags=tuple(dict.fromkeys(parse_tags(body["tags"], "tags"))))
    if "metadata" in body:
        terms = replace(terms, metadata=_metadata(body["metadata"], rules))
    if "blocked" in body:
        terms = replace(terms, blocked=read_flag(body["blocked"], "blocked"))
    return _with_checks(body, terms, rules)


def _with_checks(body: Mapping[str, Json], terms: Terms, rules: KeyRules) -> Terms:
    if "guardrails" in body:
        terms = replace(terms, guardrails=_guardrails(body["guardrails"], "guardrails", rules))
    if "on_store_failure" in body:
        terms = replace(terms, on_store_failure=_on_failure(body["on_store_failure"]))
    return terms


def read_members(value: Json, name: str) -> tuple[Member, ...]:
    """Return the members that a request names: one `{user_id, role}`, or a list of them.

    Raises:
        Refused: 400, when it is something else.
    """
    found: dict[str, Member] = {}
    for entry in value if isinstance(value, list) else [] if value is None else [value]:
        user = entry.get("user_id") if isinstance(entry, dict) else None
        role = entry.get("role", "user") if isinstance(entry, dict) else None
        if not user or role not in ("user", "admin"):
            raise invalid(
                name, f'`{name}` must be {{"user_id": ..., "role": "user"}}, or a list of those.'
            )
        member = Member(read_text(user, name), str(role))
        found[member.user] = member
    return tuple(found.values())


def window_warnings(body: Mapping[str, Json], rules: KeyRules) -> tuple[str, ...]:
    """Say that a window was read as minutes, where that is not likely to be meant."""
    value = body.get("budget_duration")
    if not isinstance(value, str) or not rules.window(value.strip()).minute_by_m:
        return ()
    return (f"`budget_duration` {value} is read as minutes; a month is 1mo, a minute 1min",)


def _models(value: Json, rules: KeyRules, words: frozenset[str]) -> tuple[str, ...]:
    models = read_texts(value, "models")
    for name in models:
        if name not in rules.names and name not in words:
            raise invalid(
                "models",
                f"There is no alias `{name}`. `models` takes {', '.join(rules.names)}; "
                f"or {', '.join(sorted(words))}.",
                code="model_not_found",
            )
    return models


def _window(value: Json, rules: KeyRules) -> tuple[str, str]:
    if value is None:
        return "none", "none"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise invalid("budget_duration", f"`budget_duration` must be a text such as {_WINDOWS}.")
    try:
        window = rules.window(value.strip() if isinstance(value, str) else value)
    except ValueError as exc:
        raise invalid(
            "budget_duration", f"`budget_duration` {exc}. Write one of {_WINDOWS}."
        ) from None
    return window.text, window.period


def _expiry(value: Json, rules: KeyRules, now: float) -> float | None:
    """Return when a key expires; null and LiteLLM's `-1` mean never."""
    if value is None or value == "-1":
        return None
    if not isinstance(value, str):
        raise invalid("duration", f"`duration` must be a text such as {_DURATIONS}.")
    try:
        seconds = rules.seconds(value.strip())
    except ValueError as exc:
        raise invalid("duration", f"`duration` {exc}. Write one of {_DURATIONS}.") from None
    if seconds <= 0:
        raise invalid("duration", "`duration` must be longer than nothing; or null for ever.")
    return now + seconds


def _chains(value: Json, rules: KeyRules) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found: list[tuple[str, tuple[str, ...]]] = []
    for name, members in read_object(value, "budget_fallbacks").items():
        chain = read_texts(members, "budget_fallbacks")
        for each in (name, *chain):
            if each not in rules.names:
                raise invalid(
                    "budget_fallbacks",
                    f"`budget_fallbacks` names `{each[:100]}`, which is no alias. Known aliases: "
                    f"{', '.join(rules.names)}.",
                    code="model_not_found",
                )
        if chain:
            found.append((name, chain))
    return tuple(found)


def _guardrails(value: Json, name: str, rules: KeyRules) -> tuple[str, ...]:
    """Return names of guards. One that is not there would bind the key to nothing."""
    names = read_texts(value, name)
    unknown = [each for each in names if each not in rules.guardrails]
    if unknown:
        there = ", ".join(rules.guardrails) or "none"
        raise invalid(
            name,
            f"`{name}` names {', '.join(unknown)[:200]}, which the configuration does not have. "
            f"Known guardrails: {there}.",
            code="unknown_guardrail",
        )
    return names


def _metadata(value: Json, rules: KeyRules) -> Mapping[str, Json]:
    metadata = read_object(value, "metadata")
    _guardrails(metadata.get("guardrails"), "metadata.guardrails", rules)
    if len(json.dumps(metadata)) > _LONGEST_METADATA:
        raise invalid("metadata", f"`metadata` is longer than {_LONGEST_METADATA} characters.")
    parse_tags(metadata.get("tags"), "metadata.tags")
    return MappingProxyType(metadata)


def _on_failure(value: Json) -> OnStoreFailure | None:
    if value is None:
        return None
    for each in OnStoreFailure:
        if value == each.value:
            return each
    words = ", ".join(each.value for each in OnStoreFailure)
    raise invalid("on_store_failure", f"`on_store_failure` must be one of {words}.")
