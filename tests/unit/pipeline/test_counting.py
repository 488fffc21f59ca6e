"""Token counts: the provider's where it can, else ours; never a failure because of a provider."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from support.engine import CHAT, Pause, Stage, Turn, error, hangs, refused_by_network, served_by
from support.jumping import play
from tiergate.base.errors import FailureClass, Refused
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import AliasName, Dialect, Operation
from tiergate.core.catalog import RouterPolicy
from tiergate.core.cooldown import Mark
from tiergate.core.plan import Wish
from tiergate.pipeline.counting import LIMIT_SECONDS, Counting

OURS = b'{"input_tokens":77}'
ANTHROPIC = (served_by("cheap", "a", defaults={"max_tokens": 5, "temperature": 1}),)
BOTH = (served_by("cheap", "o", Dialect.OPENAI), *ANTHROPIC)
COUNTED = Turn((b'{"input_tokens": 12}',))


def count(
    turns: Sequence[Turn],
    deployments=ANTHROPIC,
    *,
    body: JsonObject = CHAT,
    policy: RouterPolicy | None = None,
    estimate: int = 77,
    cooling: Sequence[str] = (),
) -> tuple[bytes, Stage, JsonObject | None, float]:
    async def work():
        stage = Stage(deployments, turns, policy=policy)
        seen: list[JsonObject] = []

        def guess(asked: JsonObject, model: str) -> int:
            seen.append(asked)
            return estimate

        for name in cooling:
            stage.cooldowns.marks[name] = Mark(until=1e9, cause=FailureClass.UPSTREAM)
        counting = Counting(
            stage.routes, stage.codec, stage.upstreams, stage.view, guess, stage.clock
        )
        inbound, wish = stage.read(body, operation=Operation.COUNT_TOKENS)
        began = stage.clock()
        counted = await counting.count(inbound, wish)
        assert all(exchange.over for exchange in stage.upstreams.exchanges)
        assert stage.accounts.leasing.slices.open_holds == 0
        return counted, stage, seen[0] if seen else None, stage.clock() - began

    return play(work())


def test_the_providers_count_is_passed_on():
    counted, stage, guessed, _ = count([COUNTED])

    assert counted == b'{"input_tokens": 12}'
    assert guessed is None
    name, sent = stage.upstreams.sent[0]
    assert name == "a"
    assert b"temperature" not in sent, "what the file adds to answers is not part of a count"


def test_the_first_that_can_count_is_asked_and_only_it():
    counted, stage, _, _ = count([COUNTED], BOTH)
    assert counted == b'{"input_tokens": 12}'
    assert stage.upstreams.called == ["a"]


@pytest.mark.parametrize(
    "turn",
    [
        error(500),
        error(429),
        error(404),
        refused_by_network(),
        Turn((b"not json",)),
        Turn((b"[]",)),
        Turn((b'{"tokens": 5}',)),
        Turn((b" " * 100_000,)),
    ],
)
def test_a_provider_that_does_not_count_is_no_failure(turn):
    counted, stage, guessed, _ = count([turn])

    assert counted == OURS
    assert guessed["messages"] == CHAT["messages"]
    assert stage.cooldowns.marks == {}
    assert stage.witness.failures == []


def test_a_provider_that_takes_too_long_is_not_waited_for():
    for turn in (hangs(), Turn((Pause(60.0), b"{}"))):
        counted, _, _, seconds = count([turn])
        assert counted == OURS
        assert seconds == pytest.approx(LIMIT_SECONDS)


def test_an_alias_without_a_counting_provider_is_counted_here():
    counted, stage, _, _ = count([], BOTH[:1])
    assert counted == OURS
    assert stage.upstreams.sent == []


def test_a_cooling_deployment_is_not_asked():
    counted, stage, _, _ = count([], cooling=["a"])
    assert counted == OURS
    assert stage.upstreams.sent == []


def test_a_count_is_at_least_one():
    assert count([], BOTH[:1], estimate=0)[0] == b'{"input_tokens":1}'


def test_tags_that_nobody_serves_are_refused():
    tagged = (served_by("cheap", "a", tags=("x",)),)
    with pytest.raises(Refused) as caught:
        count([], tagged, body={**CHAT, "tags": ["y"]}, policy=RouterPolicy(tag_filtering=True))
    assert (caught.value.status, caught.value.code) == (400, "no_eligible_deployment")


def test_an_alias_that_is_not_there_is_a_fault_of_ours():
    async def work() -> None:
        stage = Stage(ANTHROPIC)
        counting = Counting(
            stage.routes, stage.codec, stage.upstreams, stage.view, lambda body: 1, stage.clock
        )
        inbound, _ = stage.read(CHAT, operation=Operation.COUNT_TOKENS)
        inbound.alias = AliasName("nobody")
        with pytest.raises(LookupError):
            await counting.count(inbound, Wish(alias=inbound.alias))

    play(work())


def test_a_caller_who_leaves_closes_the_connection():
    async def work() -> None:
        stage = Stage(ANTHROPIC, [Turn((Pause(60.0),))])
        counting = Counting(
            stage.routes, stage.codec, stage.upstreams, stage.view, lambda body: 1, stage.clock
        )
        inbound, wish = stage.read(CHAT, operation=Operation.COUNT_TOKENS)
        task = asyncio.ensure_future(counting.count(inbound, wish))
        await asyncio.sleep(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert stage.upstreams.exchanges[0].closed

    play(work())
