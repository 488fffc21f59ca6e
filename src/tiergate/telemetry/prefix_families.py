"""The Prometheus families of the providers' prompt caches; by alias, as labels are bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from tiergate.base.money import NANO
from tiergate.core.prefix_figures import PrefixFigures, by_alias
from tiergate.telemetry.counts import Counts
from tiergate.telemetry.exposition import Family, counter

_ALIAS = ("requested_model",)
_Number = Callable[[PrefixFigures], int]
_TOKENS: Final[Sequence[tuple[str, str, _Number]]] = (
    ("input", "Prompt tokens of calls whose prefixes were watched", lambda f: f.input),
    ("read", "Of these, tokens read from the provider's cache", lambda f: f.read),
    ("written", "Of these, tokens written to the provider's cache", lambda f: f.written),
    (
        "expected",
        "Tokens that were warm in the provider's cache when the next turn came",
        lambda f: f.expected,
    ),
    ("expected_read", "Of these, tokens really read from it", lambda f: f.expected_read),
    (
        "lost",
        "Warm tokens that were left behind, since another deployment served",
        lambda f: f.lost,
    ),
)
_MONEY: Final[Sequence[tuple[str, str, _Number]]] = (
    (
        "saved",
        "What reads from the provider's cache have saved against plain input, USD",
        lambda f: f.saved,
    ),
    (
        "writes",
        "What writes to the provider's cache have cost more than plain input, USD",
        lambda f: f.writes,
    ),
    ("lost_cost", "What reading lost prefixes anew has cost, USD", lambda f: f.lost_cost),
)


def prefix_families(counts: Counts) -> Iterator[Family]:
    """Yield what the prompt caches of the providers did, and how often prefixes drifted."""
    sums = by_alias(counts.prefixes.items())
    for name, text, number_of in _TOKENS:
        family = counter(f"tiergate_prompt_cache_{name}_tokens", text, _ALIAS)
        for alias, figures in sums.items():
            family.add((alias,), number_of(figures))
        yield family
    for name, text, number_of in _MONEY:
        family = counter(f"tiergate_prompt_cache_{name}_usd", text, _ALIAS)
        for alias, figures in sums.items():
            family.add((alias,), number_of(figures) / NANO)
        yield family
    drifts = counter(
        "tiergate_prompt_prefix_drifts",
        "How often a prefix that used to match has changed, by part of the prompt",
        (*_ALIAS, "part"),
    )
    for alias, figures in sums.items():
        for part, number in figures.drifts.items():
            drifts.add((alias, part), number)
    yield drifts
