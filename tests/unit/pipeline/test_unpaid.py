"""A request that costs nothing is admitted, marked and recorded like any other."""

from __future__ import annotations

import asyncio

import pytest

from support.cached import CHAT, STREAM, Watch
from support.engine import PRICE, Stage, served_by
from support.jumping import play
from tiergate.base.errors import Failure, FailureClass, Refused
from tiergate.base.values import Usage
from tiergate.core.caller import Caller, RateLimits
from tiergate.core.cost import cost
from tiergate.core.record import Outcome
from tiergate.pipeline.attempt import Plain
from tiergate.pipeline.flights import Flight
from tiergate.pipeline.unpaid import Free, Unpaid
from tiergate.ports import Answered, BudgetStop, Pending

A = served_by("cheap", "a")
USAGE = Usage(input=10, output=5)


class Bench:
    """What serves without a price, with witnesses."""

    def __init__(self, worth=lambda deployment, usage: cost(usage, PRICE)) -> None:
        self.stage = Stage((A,))
        self.witness = self.stage.witness
        self.watch = Watch()
        self.unpaid = Unpaid(self.stage.spend, self.witness, self.watch, worth, self.stage.clock)

    async def serve(self, body=CHAT, free: Free | None = None, caller: Caller | None = None):
        inbound, wish = self.stage.read(body)
        if caller is not None:
            inbound.caller = caller
        outcome = Plain(Answered(b"{}", USAGE), [])
        free = free or Free("hit")
        return await self.unpaid.serve("ns:key", (A, outcome), free, inbound, wish)


def run(work) -> None:
    async def whole() -> None:
        bench = Bench()
        await work(bench)
        bench.stage.check_nothing_is_left()

    play(whole())


def test_the_answer_says_where_it_comes_from():
    async def work(bench: Bench) -> None:
        plain, streamed = await bench.serve(), await bench.serve(STREAM)
        marks = (("x-litellm-cache-key", "ns:key"), ("x-tiergate-cache", "response"))
        assert plain.marks == marks
        assert streamed.marks == (*marks, ("x-litellm-response-cost", "0"))
        for served in (plain, streamed):
            bench.unpaid.close(served, served.source, USAGE, None, left=False)

    run(work)


def test_the_record_has_the_saving_and_no_cost():
    async def work(bench: Bench) -> None:
        served = await bench.serve()
        assert bench.unpaid.close(served, served.source, USAGE, None, left=False) == 0
        (record,) = bench.witness.records
        assert (record.cost, record.saving, record.cache) == (0, 35_000, "response")
        assert bench.watch.results == ["hit"]

    run(work)


def test_a_saving_that_nobody_knows_is_none():
    async def whole() -> None:
        bench = Bench(worth=lambda deployment, usage: None)
        for usage in (USAGE, None):
            served = await bench.serve()
            bench.unpaid.close(served, served.source, usage, None, left=False)
        assert [record.saving for record in bench.witness.records] == [0, 0]

    play(whole())


@pytest.mark.parametrize(
    ("failure", "left", "outcome"),
    [
        (None, False, Outcome.SUCCESS),
        (None, True, Outcome.CANCELLED),
        (Failure(FailureClass.UPSTREAM, 500, "down"), False, Outcome.FAILURE),
        (Failure(FailureClass.UPSTREAM, 500, "down"), True, Outcome.CANCELLED),
    ],
)
def test_the_end_of_the_call_that_was_followed_counts(failure, left, outcome):
    async def work(bench: Bench) -> None:
        flight = Flight()
        flight.usage, flight.failure = USAGE, failure
        served = await bench.serve(STREAM, Free("shared", flight))
        bench.unpaid.close(served, served.source, None, None, left=left)
        (record,) = bench.witness.records
        assert record.outcome is outcome
        assert record.saving == (0 if failure else 35_000)

    run(work)


def test_one_that_left_while_it_waited_is_recorded():
    async def work(bench: Bench) -> None:
        inbound, _ = bench.stage.read(CHAT)
        bench.unpaid.left(inbound, None)
        (record,) = bench.witness.records
        assert (record.outcome, record.status) == (Outcome.CANCELLED, 499)

    run(work)


LIMITED = Caller(name="k", key="k", limits=(("key:k", RateLimits(rpm=1)),))


def test_a_caller_above_its_limit_is_refused_and_recorded():
    async def work(bench: Bench) -> None:
        served = await bench.serve(caller=LIMITED)
        bench.unpaid.close(served, served.source, USAGE, None, left=False)
        with pytest.raises(Refused):
            await bench.serve(caller=LIMITED)
        assert [r.status for r in bench.witness.records] == [200, 429]

    run(work)


class Slow:
    """Accounts that take their time, and then refuse or are never done."""

    def __init__(self, stop: BudgetStop | None) -> None:
        self._stop = stop

    def admit(self, inbound):
        del inbound
        return Pending(self._wait)

    async def _wait(self):
        if self._stop is None:
            await asyncio.sleep(1e9)
        return self._stop


def test_one_that_leaves_while_its_limits_are_asked_for_is_recorded():
    async def whole() -> None:
        bench = Bench()
        bench.unpaid._accounts = Slow(None)
        waiting = asyncio.ensure_future(bench.serve())
        await asyncio.sleep(1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert [r.outcome for r in bench.witness.records] == [Outcome.CANCELLED]
        assert bench.witness.in_flight == 0

    play(whole())
