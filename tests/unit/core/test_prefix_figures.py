"""Figures are bounded, added over workers, and summed by alias."""

from __future__ import annotations

from tiergate.core.prefix_figures import (
    MOST_KEYS,
    OTHERS,
    LastDrift,
    PrefixFigures,
    PrefixKey,
    add_figures,
    by_alias,
    figures_of,
)

KEY: PrefixKey = ("k", "cheap", "draft")


def full(times: int, wall: float) -> PrefixFigures:
    drift = LastDrift(wall, "system", 1, "changed", 5, "timestamp")
    drifts = {"system": times, "tool": 1}
    return PrefixFigures("n", *(times * n for n in range(1, 11)), drifts, drift)


def test_figures_of_workers_are_added_and_the_latest_drift_counts() -> None:
    one = full(1, 50.0)
    one.add(full(2, 40.0))
    assert (one.calls, one.lost_cost, one.drifts) == (3, 30, {"system": 3, "tool": 2})
    assert one.last is not None
    assert one.last.wall == 50.0
    one.add(full(1, 60.0))
    assert one.last.wall == 60.0
    assert one.name == "n"


def test_adding_changes_only_what_is_added_to() -> None:
    into: dict[PrefixKey, PrefixFigures] = {}
    mine = {KEY: full(1, 1.0)}
    add_figures(into, mine)
    add_figures(into, mine)
    assert (into[KEY].calls, mine[KEY].calls) == (2, 1)
    assert mine[KEY].drifts == {"system": 1, "tool": 1}


def test_too_many_keys_share_one_row() -> None:
    figures: dict[PrefixKey, PrefixFigures] = {}
    for number in range(MOST_KEYS + 50):
        figures_of(figures, (str(number), "a", ""), f"n{number}").calls += 1
    assert len(figures) == MOST_KEYS + 1
    assert (figures[OTHERS].calls, figures[OTHERS].name) == (50, "")
    assert figures["3", "a", ""].name == "n3"
    assert figures_of(figures, ("3", "a", "")).calls == 1


def test_sums_by_alias() -> None:
    found = by_alias(
        [(KEY, full(1, 1.0)), (("o", "cheap", ""), full(2, 2.0)), (OTHERS, full(1, 1))]
    )
    assert {alias: each.calls for alias, each in found.items()} == {"cheap": 3, "(others)": 1}
