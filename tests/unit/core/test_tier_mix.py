"""The mix of the tiers: what was meant, and what was."""

from __future__ import annotations

import pytest

from tiergate.base.values import AliasName
from tiergate.core.ledger import SpendRow
from tiergate.core.tier_mix import Tier, mix

PAGE = ("cheap", "balanced", "frontier")
TARGETS = tuple(zip(map(AliasName, PAGE), (0.7, 0.25, 0.05), strict=True))


def row(alias: str, calls: int, cost: int) -> SpendRow:
    return SpendRow(
        keys=(alias,), start=None, calls=calls, failed=0, input=0, output=0, cached=0,
        written=0, cost=cost, saving=0, estimated=0,
    )  # fmt: skip


def test_the_mix_is_of_calls_and_of_cost():
    tiers = mix(
        [row("frontier", 10, 700), row("cheap", 60, 100), row("balanced", 30, 200)], TARGETS
    )
    assert [tier.alias for tier in tiers] == list(PAGE)
    assert [tier.call_share for tier in tiers] == pytest.approx([0.6, 0.3, 0.1])
    assert [tier.cost_share for tier in tiers] == pytest.approx([0.1, 0.2, 0.7])
    assert [tier.off for tier in tiers] == pytest.approx([-0.1, 0.05, 0.05])


def test_aliases_beside_the_tiers_do_not_change_their_shares():
    tiers = mix([row("vectors", 9000, 9), row("cheap", 1, 1)], TARGETS)
    assert tiers[0].call_share == 1.0
    assert tiers[-1] == Tier("vectors", None, 9000, 9, None, None)
    assert tiers[-1].off == 0.0


def test_calls_that_nobody_served_are_in_no_tier():
    assert mix([row("", 5, 0)], ()) == ()


def test_without_targets_the_shares_are_of_all_aliases():
    tiers = mix([row("a", 1, 0), row("b", 3, 0)], ())
    assert [(tier.alias, tier.call_share, tier.cost_share) for tier in tiers] == [
        ("b", 0.75, None),
        ("a", 0.25, None),
    ]


def test_tiers_without_calls_are_shown_too():
    tiers = mix([], TARGETS)
    assert [(tier.calls, tier.call_share) for tier in tiers] == [(0, None)] * 3
