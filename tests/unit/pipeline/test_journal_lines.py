"""Lines of a journal: whatever was noted is found again, and what never ended is charged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.ledger import entry
from tiergate.core.budget import BudgetId
from tiergate.core.ledger import Entry
from tiergate.core.window import Span
from tiergate.pipeline.journal_lines import (
    BEGUN,
    VERSION,
    begin_line,
    encode,
    entry_line,
    first_line,
    lease_line,
    read_tale,
    settle_line,
    total_line,
)

FIRST = first_line("w", "ledger", 100.0)
CHEAP = lease_line("w.1", BudgetId("alias:cheap"), Span(0, 86_400))
GATEWAY = lease_line("w.2", BudgetId("gateway:gateway"), Span(0, None))
FACTS = entry(1, tags=("a", "b"), end_user="anna", ticket="T-1", reason="why")
BOTH = ["w.1", "w.2"]


def begun(record: Entry = FACTS) -> tuple[object, ...]:
    return tuple(getattr(record, name) for name in BEGUN)


def begin(number: int, amount: int, leases=BOTH, record: Entry = FACTS) -> bytes:
    return begin_line(number, amount, leases, begun(record))


def settled(*lines: bytes) -> dict[str, int]:
    tale = read_tale([FIRST, CHEAP, GATEWAY, *lines])
    assert tale is not None
    return {name: lease.settled for name, lease in tale.leases.items()}


@pytest.mark.parametrize("lines", [[], [b""], [b"", b""]])
def test_a_journal_in_which_nothing_stands_tells_nothing(lines):
    assert read_tale(lines) is None


def test_the_first_line_tells_whose_it_is():
    tale = read_tale([FIRST])
    assert tale is not None
    assert (tale.worker, tale.source, tale.newest) == ("w", "ledger", 100.0)
    assert (tale.leases, tale.entries, tale.lost) == ({}, [], [])


def test_leases_are_told_with_budget_and_window():
    tale = read_tale([FIRST, CHEAP, GATEWAY])
    assert tale is not None
    cheap, gateway = tale.leases["w.1"], tale.leases["w.2"]
    assert (cheap.budget, cheap.span, cheap.settled) == ("alias:cheap", Span(0, 86_400), 0)
    assert (gateway.budget, gateway.span) == ("gateway:gateway", Span(0, None))


def test_a_call_that_ended_counts_with_its_cost_in_every_budget():
    assert settled(begin(1, 100), settle_line(1, 30)) == {"w.1": 30, "w.2": 30}
    assert settled(begin(1, 100, ["w.2"]), settle_line(1, 30)) == {"w.1": 0, "w.2": 30}


def test_a_call_that_cost_more_than_was_held_counts_with_what_it_cost():
    assert settled(begin(1, 100), settle_line(1, 130)) == {"w.1": 130, "w.2": 130}


def test_a_call_that_was_given_back_counts_nothing():
    assert settled(begin(1, 100), settle_line(1, 0)) == {"w.1": 0, "w.2": 0}


def test_a_call_that_never_ended_is_charged_and_recorded():
    tale = read_tale([FIRST, CHEAP, GATEWAY, begin(1, 100), begin(2, 7), settle_line(2, 5)])
    assert tale is not None
    assert {name: lease.settled for name, lease in tale.leases.items()} == {"w.1": 105, "w.2": 105}
    (lost,) = tale.lost
    assert (lost.status, lost.cost, lost.estimated, lost.http_status) == ("lost", 100, True, 0)
    for name in BEGUN:
        assert getattr(lost, name) == getattr(FACTS, name), name
    assert tale.newest == FACTS.booked


def test_records_come_back_as_they_were_in_their_order():
    records = [entry(number, tags=("x", "é"), cost=number, batch="b") for number in range(5)]
    tale = read_tale([FIRST, *(entry_line(record) for record in records)])
    assert tale is not None
    assert tale.entries == records
    assert tale.newest == max(record.booked for record in records)


@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    number=st.integers(0, 2**62),
    seconds=st.floats(0, 1e9),
    yes=st.booleans(),
)
def test_any_value_of_a_record_survives(text, number, seconds, yes):
    record = entry(
        1, model=text, ticket=text, tags=(text,), cost=number, seconds=seconds, unpriced=yes
    )
    line = entry_line(record)
    assert b"\n" not in line
    tale = read_tale([FIRST, line])
    assert tale is not None
    assert tale.entries == [record]


def test_a_journal_begun_anew_goes_on_from_its_totals():
    """It says the same as the one before it, calls under way included."""
    before = settled(begin(1, 100), settle_line(1, 30), begin(2, 50))
    anew = settled(total_line("w.1", 30), total_line("w.2", 30), begin(2, 50))
    assert before == anew == {"w.1": 80, "w.2": 80}


def test_the_end_of_a_call_from_before_is_in_the_total_already():
    assert settled(total_line("w.1", 30), settle_line(1, 30)) == {"w.1": 30, "w.2": 0}


def test_a_lease_that_is_named_again_keeps_its_total():
    assert settled(total_line("w.1", 30), CHEAP) == {"w.1": 30, "w.2": 0}


@given(st.lists(st.tuples(st.integers(1, 1000), st.integers(-1, 1000)), max_size=20))
def test_leases_hold_what_the_records_cost(calls):
    """Whatever is cut off at the end: the sums of leases and ledger are one."""
    lines: list[bytes] = []
    for number, (amount, cost) in enumerate(calls, 1):
        record = entry(number, cost=cost)
        lines.append(begin(number, amount, record=record))
        if cost >= 0:
            lines.append(b"\n".join((settle_line(number, cost), entry_line(record))))
    for cut in range(len(lines) + 1):
        split = [part for line in lines[:cut] for part in line.split(b"\n")]
        tale = read_tale([FIRST, CHEAP, GATEWAY, *split])
        assert tale is not None
        cost = sum(e.cost for e in (*tale.entries, *tale.lost))
        assert {lease.settled for lease in tale.leases.values()} == {cost}


# ------------------------------------------------------------------ what is not ours


@pytest.mark.parametrize("version", [0, VERSION + 1])
def test_another_version_is_refused_by_its_number(version):
    with pytest.raises(ValueError, match=f"version {version}"):
        read_tale([encode(("w", "w", "s", version, 1.0))])


def test_without_its_first_line_it_is_refused():
    with pytest.raises(ValueError, match="first line is missing"):
        read_tale([CHEAP])


@pytest.mark.parametrize(
    "line",
    [
        b"x",
        b"{}",
        b"3",
        b'["s",1',
        b'["s","one",1]',
        b'["z",1]',
        b"[]",
        b'["e"]',
        b'["t","x",1]',
        b'["e",[1]]',
        b'["e",{}]',
        b'["b",1,2,["w.1"],[]]',
        b"\xff\xfe",
    ],
)
def test_a_damaged_line_is_refused(line):
    with pytest.raises(ValueError, match=r".+"):
        read_tale([FIRST, CHEAP, line])
