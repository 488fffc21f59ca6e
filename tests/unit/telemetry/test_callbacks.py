"""Each sink is told of what it wants; what a call switches off it is not told of."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from support.jumping import play
from support.records import FAILED, LEFT, REFUSED, SERVED
from support.told import told
from tiergate.core.alerts import BudgetAlert
from tiergate.core.catalog import ScopeKind
from tiergate.core.record import CallRecord
from tiergate.core.sink_plan import FilePlace, SinkPlan, WebhookPlace
from tiergate.telemetry.callbacks import Callbacks, Opened
from tiergate.telemetry.outbox import INTERVAL
from tiergate.telemetry.told import Told

ALERT = BudgetAlert(ScopeKind.GATEWAY, "", "80", 8, 10, None, "1d", None)


class Sinks:
    """Implements `callbacks.Opener`; keeps what each sink got."""

    def __init__(self, *, lasts: bool = False) -> None:
        self.got: dict[str, list[Told]] = {}
        self.opened: list[str] = []
        self.closed: list[str] = []
        self._lasts = lasts

    def __call__(self, plan: SinkPlan) -> Opened:
        if plan.name == "broken":
            raise ValueError("it cannot be opened")
        self.opened.append(plan.name)

        async def send(batch: Sequence[Told]) -> None:
            self.got.setdefault(plan.name, []).extend(batch)

        return Opened(send, close=lambda: self.closed.append(plan.name), lasts=self._lasts)


def plan(name: str, **values: object) -> SinkPlan:
    values.setdefault("place", FilePlace())
    return SinkPlan(name=name, **values)


def at(sinks: Sinks, work, *plans: SinkPlan) -> dict[str, int]:
    drops: dict[str, int] = {}

    async def whole() -> None:
        callbacks = Callbacks({}, drops, asyncio.get_running_loop().time)
        callbacks.configure(plans, sinks)
        await work(callbacks)
        await callbacks.aclose()

    play(whole())
    return drops


async def moment() -> None:
    await asyncio.sleep(INTERVAL + 0.1)


def test_each_sink_gets_the_calls_that_it_wants():
    sinks = Sinks()

    async def work(callbacks: Callbacks) -> None:
        assert callbacks.any
        callbacks.began()
        for record in (SERVED, FAILED, LEFT, REFUSED):
            callbacks.ended(record)
        assert sinks.got == {}, "whoever tells does not wait"
        await moment()

    at(sinks, work, plan("good", on_failure=False), plan("bad", on_success=False), plan("all"))

    outcomes = {name: [r.outcome.value for r in got] for name, got in sinks.got.items()}
    assert outcomes == {
        "good": ["success"],
        "bad": ["failure", "cancelled", "refused"],
        "all": ["success", "failure", "cancelled", "refused"],
    }


def test_only_the_record_of_the_end_is_told():
    sinks = Sinks()

    async def work(callbacks: Callbacks) -> None:
        callbacks.refused(SERVED.dialect, SERVED.operation, 401, 0.0)
        callbacks.declined(SERVED)
        callbacks.attempt_failed(SERVED.deployment, None)
        callbacks.cooled(SERVED.deployment, None, 1.0)
        await moment()

    at(sinks, work, plan("a"))
    assert sinks.got == {}


def test_budget_marks_go_to_webhooks():
    sinks = Sinks()

    async def work(callbacks: Callbacks) -> None:
        callbacks.alerted(ALERT)
        await moment()

    at(sinks, work, plan("file"), plan("hook", place=WebhookPlace(url="http://h/")))
    assert sinks.got == {"hook": [ALERT]}


@pytest.mark.parametrize(
    ("without", "told_to"),
    [
        ((), {"Langfuse", "s3"}),
        (("langfuse",), {"s3"}),
        (("*",), set()),
        (("other",), {"Langfuse", "s3"}),
    ],
)
def test_a_call_can_switch_sinks_off(without, told_to):
    sinks = Sinks()

    async def work(callbacks: Callbacks) -> None:
        record = told()
        assert record.telling is not None
        record.telling.without = frozenset(without)
        callbacks.ended(record)
        await moment()

    at(sinks, work, plan("Langfuse"), plan("s3"))
    assert sinks.got.keys() == told_to


def test_what_waits_for_a_sink_without_words_keeps_none_in_memory():
    sinks = Sinks()

    async def work(callbacks: Callbacks) -> None:
        callbacks.ended(told())
        callbacks.ended(SERVED)
        await moment()

    at(sinks, work, plan("plain"), plan("wordy", words=True))

    plain, wordy = sinks.got["plain"][0], sinks.got["wordy"][0]
    assert isinstance(plain, CallRecord)
    assert isinstance(wordy, CallRecord)
    assert plain.telling is not None
    assert plain.telling.request is None
    assert plain.telling.trail == wordy.telling.trail
    assert wordy.telling.request is not None


def test_a_sink_that_stays_over_a_reload_keeps_what_waits():
    before, after = Sinks(), Sinks()

    async def work(callbacks: Callbacks) -> None:
        callbacks.ended(SERVED)
        callbacks.configure((plan("a"),), after)
        assert before.closed == ["a"]
        await moment()

    drops = at(before, work, plan("a"))
    assert after.got == {"a": [SERVED]}
    assert drops == {"a": 0}


def test_a_sink_that_lasts_is_opened_once():
    before, after = Sinks(lasts=True), Sinks()

    async def work(callbacks: Callbacks) -> None:
        callbacks.configure((plan("a"), plan("b", words=True)), after)
        assert after.opened == ["b"], "its plan has changed"
        assert before.closed == ["b"]

    at(before, work, plan("a"), plan("b"))
    assert before.closed == ["b", "a"]


def test_a_sink_that_goes_loses_what_waits():
    sinks = Sinks()

    async def work(callbacks: Callbacks) -> None:
        callbacks.ended(SERVED)
        callbacks.configure((), sinks)
        assert not callbacks.any
        callbacks.ended(SERVED)
        await moment()

    drops = at(sinks, work, plan("a"))
    assert sinks.got == {}
    assert sinks.closed == ["a"]
    assert drops == {"a": 1}


def test_a_sink_that_cannot_be_opened_changes_nothing():
    sinks = Sinks()

    async def work(callbacks: Callbacks) -> None:
        with pytest.raises(ValueError, match="cannot be opened"):
            callbacks.configure((plan("broken"),), sinks)
        callbacks.ended(SERVED)
        await moment()

    at(sinks, work, plan("a"))
    assert sinks.got == {"a": [SERVED]}
