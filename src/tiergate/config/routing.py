"""Reads how attempts are made: strategy, retries, chains, cooldown, timeouts, tag filtering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tiergate.base.values import AliasName
from tiergate.config.chains import Names, Rule, read_chains
from tiergate.config.keycheck import KeyCheck
from tiergate.config.policies import allowed_fails_policy, retry_policy
from tiergate.config.reading import Reader, Sections
from tiergate.config.section import Section, Spot, as_section
from tiergate.config.tree import MapNode
from tiergate.core.catalog import FailureCounts, RouterPolicy, Strategy
from tiergate.core.cooldown import DEFAULT_ALLOWED_FAILS

DEFAULTS: Final = RouterPolicy()
_OLD_NAMES: Final = {"usage-based-routing": Strategy.USAGE}
"""LiteLLM's first usage strategy is served as the second."""


@dataclass(frozen=True, slots=True)
class Routing:
    """The policy, with what checks need to know of its lines.

    Attributes:
        policy: The policy.
        rules: The fallback rules with their places.
        timeout: Where `request_timeout` is given, or None.
    """

    policy: RouterPolicy
    rules: tuple[Rule, ...]
    timeout: Spot | None


def read_routing(
    sections: Sections, aliases: frozenset[str], reader: Reader, check: KeyCheck
) -> Routing:
    """Return how attempts are made.

    Args:
        sections: The sections of the file.
        aliases: The aliases of `model_list`.
        reader: Where findings and the report go.
        check: Reports keys that nobody reads.
    """
    alias_of, hidden = _other_names(sections.router, aliases, reader)
    chains, rules = read_chains(sections, Names(aliases, alias_of), reader)
    both = _Both(sections, reader)
    request_timeout, timeout_spot = _request_timeout(sections, reader)
    strategy = _strategy(sections.router.take("routing_strategy"), reader)
    policy = RouterPolicy(
        strategy=strategy,
        latency_buffer=_latency_buffer(sections.router, reader, check),
        num_retries=both.whole("num_retries", DEFAULTS.num_retries),
        retry_policy=retry_policy(
            reader.pick("retry_policy", sections.router, sections.litellm), reader
        ),
        alias_retry_policy=_by_alias(sections.router, aliases, reader),
        retry_after=both.seconds("retry_after", DEFAULTS.retry_after) or 0.0,
        allowed_fails=both.whole_if_given("allowed_fails", DEFAULT_ALLOWED_FAILS),
        allowed_fails_policy=allowed_fails_policy(
            reader.pick("allowed_fails_policy", sections.router, sections.litellm), reader
        ),
        cooldown_time=both.seconds("cooldown_time", DEFAULTS.cooldown_time) or 0.0,
        disable_cooldowns=both.flag("disable_cooldowns", default=DEFAULTS.disable_cooldowns),
        request_timeout=request_timeout,
        stream_timeout=both.seconds("stream_timeout", None, above_zero=True),
        chains=chains,
        max_fallbacks=both.whole("max_fallbacks", DEFAULTS.max_fallbacks),
        tag_filtering=_flag_at(
            sections, reader, "enable_tag_filtering", default=DEFAULTS.tag_filtering
        ),
        tags_match_any=both.flag("tag_filtering_match_any", default=DEFAULTS.tags_match_any),
        alias_of=alias_of,
        hidden_aliases=hidden,
        mock_testing=_mock_testing(sections.general, reader),
    )
    return Routing(policy, rules, timeout_spot)


@dataclass(frozen=True, slots=True)
class _Both:
    """Reads settings that may stand under `router_settings` or `litellm_settings`."""

    sections: Sections
    reader: Reader

    def spot(self, key: str) -> Spot | None:
        return self.reader.pick(key, self.sections.router, self.sections.litellm)

    def whole(self, key: str, default: int) -> int:
        found = self.whole_if_given(key, default)
        return default if found is None else found

    def whole_if_given(self, key: str, default: int) -> int | None:
        """Return the number that the file gives, or None; the default is only shown."""
        spot = self.spot(key)
        found = self.reader.typed.whole(spot)
        self.reader.show(f"router_settings.{key}", default if found is None else found, spot)
        return found

    def flag(self, key: str, *, default: bool) -> bool:
        spot = self.spot(key)
        found = self.reader.typed.flag(spot)
        value = default if found is None else found
        self.reader.show(f"router_settings.{key}", value, spot)
        return value

    def seconds(
        self, key: str, default: float | None, *, above_zero: bool = False
    ) -> float | None:
        spot = self.spot(key)
        found = self.reader.typed.seconds(spot)
        if above_zero and found == 0 and spot is not None:
            _say_zero(spot, self.reader)
            found = None
        value = default if found is None else found
        self.reader.show(
            f"router_settings.{key}", value, spot, text="" if value is None else f"{value:g} s"
        )
        return value


def _say_zero(spot: Spot, reader: Reader) -> None:
    reader.findings.mistake(
        "wrong-type", spot.at, "0 seconds would end every call", "Remove it for the default."
    )


def _strategy(spot: Spot | None, reader: Reader) -> Strategy:
    known = {strategy.value: strategy for strategy in Strategy} | _OLD_NAMES
    word = reader.typed.choice(spot, known)
    strategy = DEFAULTS.strategy if word is None else known[word]
    if word in _OLD_NAMES and spot is not None:
        reader.findings.notice("read-as", spot.at, f"is served as {strategy.value}")
    reader.show("router_settings.routing_strategy", strategy.value, spot)
    return strategy


def _latency_buffer(router: Section, reader: Reader, check: KeyCheck) -> float:
    """Return `lowest_latency_buffer`, the only argument of a strategy that acts."""
    section = as_section(router.take("routing_strategy_args"), reader.findings)
    if section is None:
        return DEFAULTS.latency_buffer
    found = reader.typed.number(section.take("lowest_latency_buffer"))
    check.left(section)
    return DEFAULTS.latency_buffer if found is None else found


def _request_timeout(sections: Sections, reader: Reader) -> tuple[float, Spot | None]:
    """Return the most a call may take, and where it is given.

    `router_settings.timeout` is the same bound under another name, and LiteLLM prefers
    `request_timeout` where both are given.
    """
    spot = reader.pick("request_timeout", sections.litellm, sections.router)
    length = reader.typed.seconds(spot)
    other = sections.router.take("timeout")
    other_length = reader.typed.seconds(other)
    if other is not None and length is not None and other_length not in (None, length):
        reader.findings.warning(
            "two-names",
            other.at,
            f"is not used: {spot.at.path if spot else ''} sets the same bound to {length:g} s",
            "Keep one of the two.",
        )
    if length is None and other_length is not None:
        spot, length = other, other_length
    if length == 0 and spot is not None:
        _say_zero(spot, reader)
        length = None
    value = DEFAULTS.request_timeout if length is None else length
    reader.show("litellm_settings.request_timeout", value, spot, text=f"{value:g} s")
    return value, spot if length is not None else None


def _flag_at(sections: Sections, reader: Reader, key: str, *, default: bool) -> bool:
    spot = reader.pick(key, sections.router, sections.general)
    found = reader.typed.flag(spot)
    value = default if found is None else found
    reader.show(f"router_settings.{key}", value, spot)
    return value


def _mock_testing(general: Section, reader: Reader) -> bool:
    """Return whether drills are allowed: they are, unless the file says no in LiteLLM's words."""
    spot = general.take("dangerously_allow_mock_testing_request_params")
    found = reader.typed.flag(spot)
    return DEFAULTS.mock_testing if found is None else found


def _by_alias(
    router: Section, aliases: frozenset[str], reader: Reader
) -> Mapping[AliasName, FailureCounts]:
    section = as_section(router.take("model_group_retry_policy"), reader.findings)
    found: dict[AliasName, FailureCounts] = {}
    for spot in section.all() if section else ():
        if spot.key in aliases:
            found[AliasName(spot.key)] = retry_policy(spot, reader)
        else:
            reader.findings.error(
                "unknown-alias",
                spot.at,
                f'there is no alias "{spot.key}"',
                Names(aliases, {}).suggest(spot.key),
            )
    return MappingProxyType(found)


def _other_names(
    router: Section, aliases: frozenset[str], reader: Reader
) -> tuple[Mapping[str, AliasName], frozenset[str]]:
    """Return `model_group_alias`: other names for aliases, and which of them are not listed."""
    section = as_section(router.take("model_group_alias"), reader.findings)
    names: dict[str, AliasName] = {}
    hidden: set[str] = set()
    for spot in section.all() if section else ():
        target, is_hidden = _other_name(spot, reader)
        if target is None:
            continue
        if spot.key in aliases:
            reader.findings.error(
                "conflicting-values",
                spot.at,
                f'"{spot.key}" is an alias of model_list already',
                "Choose another name.",
            )
        elif target not in aliases:
            reader.findings.error(
                "unknown-alias",
                spot.at,
                f'there is no alias "{target}"',
                Names(aliases, {}).suggest(target),
            )
        else:
            names[spot.key] = AliasName(target)
            if is_hidden:
                hidden.add(spot.key)
    if names:
        reader.show(
            "router_settings.model_group_alias",
            tuple(f"{name} = {alias}" for name, alias in names.items()),
            None if section is None else Spot(section.path, section.position, section.node),
        )
    return MappingProxyType(names), frozenset(hidden)


def _other_name(spot: Spot, reader: Reader) -> tuple[str | None, bool]:
    if not isinstance(spot.node, MapNode):
        return reader.typed.name(spot, "an alias, or a mapping with model and hidden"), False
    section = Section(spot.path, spot.position, spot.node)
    target = reader.typed.name(section.take("model"), "an alias")
    hidden = reader.typed.flag(section.take("hidden"))
    for left in section.left():
        reader.findings.mistake("unknown-key", left.at, "unknown key", "Known are model, hidden.")
    return target, bool(hidden)
