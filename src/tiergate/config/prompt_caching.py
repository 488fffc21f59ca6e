"""Reads which prompt-cache breakpoints the gateway adds: for all Claude models, or by deployment.

`enable_anthropic_prompt_caching` marks the end of tools and system prompt of every deployment that
speaks Anthropic's dialect and is a Claude; `cache_control_injection_points` says it for one
deployment, and wins there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from tiergate.base.values import Dialect
from tiergate.config.deployment import ModelEntry
from tiergate.config.reading import Reader, Sections
from tiergate.config.section import Spot
from tiergate.core.breakpoints import Breakpoints, stable_prefix
from tiergate.core.prefix_minima import prefix_minimum

ENABLED: Final = "enable_anthropic_prompt_caching"
TTL: Final = "anthropic_prompt_caching_ttl"
LEAST: Final = "prompt_caching_min_tokens"
_HERE: Final = "litellm_settings"
_ENABLED_VARIABLE: Final = "LITELLM_ENABLE_ANTHROPIC_PROMPT_CACHING"
_TTL_VARIABLE: Final = "LITELLM_ANTHROPIC_PROMPT_CACHING_TTL"
_YES: Final = frozenset({"true", "1", "yes", "on"})
_HOUR: Final = "1h"
_TTLS: Final = ("5m", _HOUR)


@dataclass(frozen=True, slots=True)
class PromptCaching:
    """What the file says for all Claude models.

    Attributes:
        on: Breakpoints are added.
        one_hour: They live an hour instead of five minutes.
        least: Tokens that a prefix must have; None takes each model's own minimum.
        least_at: Where that stands.
    """

    on: bool = False
    one_hour: bool = False
    least: int | None = None
    least_at: Spot | None = None


def read_prompt_caching(
    sections: Sections, environ: Mapping[str, str], reader: Reader, *, look_up: bool
) -> PromptCaching:
    """Return what the file, or the environment, says for all Claude models.

    Args:
        sections: The sections of the file.
        environ: The environment variables.
        reader: Where findings and the report go.
        look_up: False for `--no-env`: the environment says nothing.
    """
    section, typed = sections.litellm, reader.typed
    on_spot, ttl_spot, least_spot = (section.take(key) for key in (ENABLED, TTL, LEAST))
    on = typed.flag(on_spot)
    ttl = typed.choice(ttl_spot, _TTLS)
    least = typed.whole(least_spot, least=1)
    variables: Mapping[str, str] = environ if look_up else {}
    if on is None and on_spot is None:
        on = variables.get(_ENABLED_VARIABLE, "").strip().lower() in _YES
    if ttl is None and ttl_spot is None and variables.get(_TTL_VARIABLE, "").strip() == _HOUR:
        ttl = _HOUR
    found = PromptCaching(on or False, ttl == _HOUR, least, least_spot)
    reader.show(f"{_HERE}.{ENABLED}", found.on, on_spot)
    if found.on:
        reader.show(f"{_HERE}.{TTL}", ttl or _TTLS[0], ttl_spot)
        text = "" if least else "each model's own minimum"
        reader.show(f"{_HERE}.{LEAST}", least, least_spot, text=text)
    return found


def with_breakpoints(
    entries: tuple[ModelEntry, ...], general: PromptCaching, reader: Reader
) -> tuple[ModelEntry, ...]:
    """Return the deployments with the breakpoints that are added to their requests.

    Args:
        entries: The deployments, with what each says itself.
        general: What the file says for all.
        reader: Where findings go.
    """
    _say_too_short(entries, general, reader)
    return tuple(
        replace(entry, deployment=replace(entry.deployment, breakpoints=_of(entry, general)))
        for entry in entries
    )


def _of(entry: ModelEntry, general: PromptCaching) -> Breakpoints | None:
    made = entry.deployment
    if made.dialect is not Dialect.ANTHROPIC:
        return None
    least = max(general.least or 0, prefix_minimum(made.model))
    if made.breakpoints is not None:
        return replace(made.breakpoints, least=least) if made.breakpoints.places else None
    if not general.on or not _is_claude(made.model):
        return None
    return stable_prefix(least, one_hour=general.one_hour)


def _is_claude(model: str) -> bool:
    return "claude" in model.lower()


def _say_too_short(
    entries: tuple[ModelEntry, ...], general: PromptCaching, reader: Reader
) -> None:
    """Warn of a least length that is below what a model caches."""
    least, spot = general.least, general.least_at
    if not general.on or least is None or spot is None:
        return
    short: dict[int, dict[str, None]] = {}
    for entry in entries:
        made = entry.deployment
        minimum = prefix_minimum(made.model)
        if made.dialect is Dialect.ANTHROPIC and _is_claude(made.model) and minimum > least:
            short.setdefault(minimum, {})[made.model] = None
    if not short:
        return
    told = "; ".join(
        f"{', '.join(models)} from {minimum}" for minimum, models in sorted(short.items())
    )
    reader.findings.warning(
        "prefix-minimum",
        spot.at,
        f"is {least} tokens, and the provider caches only longer prefixes for some models: {told}",
        "Shorter prefixes of those get no breakpoint, and cost the full price each time.",
    )
