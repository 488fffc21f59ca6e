"""Budget pages as counters: every window, money only, and whose records are where."""

from __future__ import annotations

import pytest

from tiergate.core.pages import Lease, SharedPage, Sheet
from tiergate.core.rules import ScopeKind
from tiergate.core.verify import Counter
from tiergate.pipeline.sheets import write_sheet
from tiergate.wiring.counters import counters_of

NOW = 1000.0
ALIVE, DEAD = 2000.0, 500.0


def counters(name: str, *pages: SharedPage) -> list[Counter]:
    return counters_of([(f"budget:{name}", write_sheet(Sheet(list(pages))))], "ours", NOW)


def test_spent_is_told_apart_by_whose_records_it_has():
    page = SharedPage(
        100,
        200,
        {"ours": 1, "theirs": 10},
        {
            "a": Lease(500, 100, 300, ALIVE, "ours"),
            "b": Lease(7000, 1000, 1000, DEAD, "ours"),
            "c": Lease(50_000, 20_000, 20_000, ALIVE, "theirs"),
        },
    )
    (found,) = counters("alias:frontier", page)
    assert found == Counter(
        scope=ScopeKind.ALIAS,
        name="frontier",
        window_start=100,
        window_end=200,
        spent=1 + 10 + 100 + 7000 + 20_000,
        assumed=6000,
        others=10 + 20_000,
    )


def test_every_window_is_a_counter():
    pages = [SharedPage(0, 100, {"ours": 1}), SharedPage(100, None, {"ours": 2})]
    assert [c.spent for c in counters("tag:x", *pages)] == [1, 2]


def test_what_only_counts_is_a_counter_of_the_whole():
    (found,) = counters("total:provider:openai", SharedPage(0, None))
    assert (found.scope, found.name, found.whole) == (ScopeKind.PROVIDER, "openai", True)
    (found,) = counters("provider:openai", SharedPage(0, None))
    assert (found.scope, found.name, found.whole) == (ScopeKind.PROVIDER, "openai", False)


def test_names_may_hold_colons():
    assert counters("ticket:A:1", SharedPage(0, None))[0].name == "A:1"


@pytest.mark.parametrize(
    "name", ["key:abc#rpm", "team:red#tpm", "deployment:d#parallel", "moon:x", "nothing"]
)
def test_what_is_no_money_is_left_out(name):
    assert counters(name, SharedPage(0, None)) == []
