"""The machine's own contract; what it decides is told by the plays."""

from __future__ import annotations

import pytest

from support.attempts import START, Play, deployments, failure, general, routes
from tiergate.base.errors import Refused
from tiergate.base.values import AliasName, DeploymentId
from tiergate.core.catalog import ChainKind, RouterPolicy, ScopeKind
from tiergate.core.cooldown import Mark
from tiergate.core.plan import Call, GiveUp, Machine, Misstep, Wish, members
from tiergate.core.routing import View
from tiergate.core.trail import Tried

CHEAP = AliasName("cheap")


def dice() -> float:
    return 0.5


def machine(**wish: int) -> Machine:
    return Machine(routes(deployments(cheap="a")), Wish(alias=CHEAP, **wish), START)


def test_a_new_machine_calls_and_remembers_nothing() -> None:
    one = machine()

    step = one.next(View(), START, dice)

    assert isinstance(step, Call)
    assert (step.number, step.hop, step.probe) == (1, 0, False)
    assert one.trail == ()


def test_outcomes_need_an_attempt_that_is_out() -> None:
    one = machine()
    with pytest.raises(Misstep, match="choosing; `answered`"):
        one.answered(START)
    with pytest.raises(Misstep, match="choosing; `failed`"):
        one.failed(failure("500"), START)
    with pytest.raises(Misstep, match="choosing; `refused`"):
        one.refused(ScopeKind.GATEWAY, Refused(429, "spent"), START)
    with pytest.raises(Misstep, match="choosing; `forestalled`"):
        one.forestalled()


def test_a_probe_that_another_call_took_uses_no_retry_up() -> None:
    one = machine(num_retries=1)
    marks = {DeploymentId("a"): Mark(until=START)}
    step = one.next(View(marks=marks), START, dice)
    assert isinstance(step, Call)
    assert step.probe

    marks[DeploymentId("a")] = Mark(until=START, probe_until=START + 60)
    one.forestalled()

    end = one.next(View(marks=marks), START, dice)
    assert isinstance(end, GiveUp)
    assert (end.error.status, end.error.code) == (429, "all_deployments_in_cooldown")
    assert end.tried == ()


def test_nothing_is_next_while_an_attempt_is_out_or_after_an_answer() -> None:
    one = machine()
    one.next(View(), START, dice)
    with pytest.raises(Misstep, match="calling; `next`"):
        one.next(View(), START, dice)

    one.answered(START + 1)
    with pytest.raises(Misstep, match="answered; `next`"):
        one.next(View(), START, dice)
    with pytest.raises(Misstep, match="answered; `failed`"):
        one.failed(failure("500"), START)


def test_giving_up_is_final() -> None:
    one = machine(num_retries=0)
    one.next(View(), START, dice)
    one.failed(failure("500"), START)

    step = one.next(View(), START, dice)

    assert isinstance(step, GiveUp)
    assert one.next(View(), START + 99, dice) is step


def test_the_call_after_a_cooldown_is_named_a_probe() -> None:
    play = Play(deployments(cheap="a"), RouterPolicy(allowed_fails=0, num_retries=0))
    play.ask("cheap", "500")
    play.now += 5

    step = Machine(play.routes, Wish(alias=CHEAP), play.now).next(play.view, play.now, dice)

    assert isinstance(step, Call)
    assert step.probe


def test_the_record_of_an_attempt_says_how_long_it_took() -> None:
    play = Play(deployments(cheap="a"))

    play.ask("cheap", "ok in 3")

    (tried,) = play.machine.trail
    assert isinstance(tried, Tried)
    assert tried.seconds == pytest.approx(3)


def test_the_requests_own_chain_drops_repetitions_and_the_alias_itself() -> None:
    made = routes(
        deployments(cheap="a", balanced="b"), RouterPolicy(chains=general(cheap="frontier"))
    )
    route = made.of("cheap")
    assert route is not None
    own = tuple(AliasName(n) for n in ("balanced", "gone", "cheap", "balanced"))
    wish = Wish(alias=CHEAP, fallbacks=own)

    assert members(made, route, wish, ChainKind.GENERAL) == ("balanced", "gone")
    assert members(made, route, Wish(alias=CHEAP), ChainKind.GENERAL) == ("frontier",)
    assert members(made, route, wish, ChainKind.BUDGET) == ()
