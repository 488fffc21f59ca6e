"""Plays of equal requests at the same time: one call, and everybody gets all of its answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Coroutine, Sequence

import pytest

from support import anthropic_wire
from support.cached import CHAT, STREAM, CacheStage
from support.engine import Checkpoint, Hang, Pause, Turn, error, hangs, plain, served_by, stream
from support.jumping import play
from tiergate.base.values import Dialect
from tiergate.core.catalog import RouterPolicy
from tiergate.core.record import Outcome
from tiergate.pipeline.parts import GaveUp
from tiergate.ports import Fault, StoredAnswer
from tiergate.stores.answers_memory import MemoryAnswers

ONE = (served_by("cheap", "a"),)
EVENTS = tuple(anthropic_wire.text_events("hello"))
SLOW = Turn(tuple(part for event in EVENTS for part in (Pause(1.0), event)))
"""A stream with a second before each event."""


def on(
    turns: Sequence[Turn],
    work: Callable[[CacheStage], Coroutine[object, object, None]],
    **more,
) -> None:
    """Set the stage, play, and see that nothing is left over."""

    async def whole() -> None:
        policy = more.pop("policy", RouterPolicy(num_retries=0, disable_cooldowns=True))
        stage = CacheStage(ONE, turns, policy=policy, **more)
        await work(stage)
        await stage.finish()
        assert stage.upstreams.turns == [], "not every turn was taken"

    play(whole())


def begin(stage: CacheStage, body, **more) -> asyncio.Task:
    return asyncio.ensure_future(stage.get(body, **more))


async def until(done: Callable[[], object]) -> None:
    for _ in range(10_000):
        if done():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")


async def leave(task: asyncio.Task) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(("body", "turn"), [(CHAT, plain()), (STREAM, stream())])
def test_a_hundred_equal_requests_make_one_call(body, turn):
    async def work(stage: CacheStage) -> None:
        got = await stage.several(*[body] * 100)
        assert len({each.body for each in got}) == 1
        assert sum(each.hit for each in got) == 99
        assert sorted(stage.watch.results) == ["miss", *["shared"] * 99]
        costs = [record.cost for record in stage.witness.records]
        assert sorted(costs) == [0] * 99 + [35_000]
        assert stage.spent == 35_000
        saved = [record.saving for record in stage.witness.records if record.cache]
        assert saved == [35_000] * 99

    on([turn], work)


def test_followers_get_each_piece_as_it_comes():
    async def work(stage: CacheStage) -> None:
        heard: list[bytes] = []
        leader = begin(stage, STREAM)
        follower = begin(stage, STREAM, into=heard)
        began = stage.clock()
        await until(lambda: heard)
        first = stage.clock() - began
        await asyncio.gather(leader, follower)
        whole = stage.clock() - began
        # The fourth event is the first content; a second each, and eight in all.
        assert first == pytest.approx(4.0, abs=0.1)
        assert whole == pytest.approx(8.0, abs=0.1)

    on([SLOW], work)


def test_one_that_comes_in_the_middle_gets_the_beginning_too():
    async def work(stage: CacheStage) -> None:
        heard: list[bytes] = []
        leader = begin(stage, STREAM, into=heard)
        await until(lambda: len(heard) > 2)
        late = begin(stage, STREAM)
        assert (await late).body == (await leader).body
        assert late.result().hit

    on([SLOW], work)


def test_a_plain_request_waits_for_the_stream_s_end_and_gets_its_answer():
    async def work(stage: CacheStage) -> None:
        streamed = begin(stage, STREAM)
        await asyncio.sleep(0.1)
        asked = begin(stage, CHAT)
        await streamed
        got = await asked
        assert got.hit
        assert json.loads(got.body)["content"][0]["text"] == "hello"

    on([SLOW], work)


def test_a_stream_is_played_from_a_plain_answer_that_was_under_way():
    async def work(stage: CacheStage) -> None:
        first, second = await stage.several(CHAT, STREAM)
        assert not first.hit and second.hit
        assert second.body.endswith(b'message_stop"}\n\n')

    on([plain()], work)


def test_a_leader_that_leaves_while_the_answer_is_awaited_hands_over():
    async def work(stage: CacheStage) -> None:
        leader = begin(stage, CHAT)
        await asyncio.sleep(0.5)
        followers = [begin(stage, CHAT) for _ in range(3)]
        await asyncio.sleep(0.5)
        await leave(leader)
        got = await asyncio.gather(*followers)
        assert sum(each.hit for each in got) == 2
        outcomes = [record.outcome for record in stage.witness.records]
        assert outcomes.count(Outcome.CANCELLED) == 1

    on([hangs(), plain()], work)


def test_a_leader_that_leaves_in_mid_stream_takes_nothing_with_it():
    async def work(stage: CacheStage) -> None:
        heard: list[bytes] = []
        leader = begin(stage, STREAM, into=heard)
        follower = begin(stage, STREAM)
        await until(lambda: len(heard) > 1)
        await leave(leader)
        got = await follower
        assert got.hit
        assert got.body.count(b"event:") == len(EVENTS)
        assert got.body.endswith(EVENTS[-1])
        await asyncio.sleep(0)
        left = next(r for r in stage.witness.records if not r.cache)
        # He who began it pays for it: all of it was made.
        assert (left.outcome, left.cost) == (Outcome.CANCELLED, 35_000)
        assert (await stage.get(STREAM)).hit

    on([SLOW], work)


def test_the_last_one_to_leave_ends_the_call():
    async def work(stage: CacheStage) -> None:
        leader = begin(stage, STREAM)
        follower = begin(stage, STREAM)
        await asyncio.sleep(2.5)
        await leave(leader)
        await leave(follower)
        await asyncio.sleep(0)
        assert stage.upstreams.exchanges[0].closed
        assert {record.outcome for record in stage.witness.records} == {Outcome.CANCELLED}
        assert not (await stage.get(STREAM)).hit

    on([SLOW, stream()], work)


def test_a_follower_that_leaves_disturbs_nobody():
    async def work(stage: CacheStage) -> None:
        leader = begin(stage, STREAM)
        stays, goes = begin(stage, STREAM), begin(stage, STREAM)
        await asyncio.sleep(2.5)
        await leave(goes)
        assert (await leader).body == (await stays).body
        await leave(begin(stage, STREAM))

    on([SLOW], work)


def test_a_follower_that_leaves_while_it_waits_is_recorded():
    async def work(stage: CacheStage) -> None:
        leader = begin(stage, CHAT)
        await asyncio.sleep(0.1)
        follower = begin(stage, CHAT)
        await asyncio.sleep(0.1)
        await leave(follower)
        await leader
        assert [r.status for r in stage.witness.records] == [499, 200]

    on([Turn((Pause(1.0), *plain().pieces))], work)


def test_a_leader_that_fails_hands_over():
    async def work(stage: CacheStage) -> None:
        leader, *followers = [begin(stage, CHAT) for _ in range(10)]
        with pytest.raises(GaveUp):
            await leader
        got = await asyncio.gather(*followers)
        assert sum(each.hit for each in got) == 8

    on([error(503), plain()], work)


def test_an_outage_is_not_waited_for_once_per_request():
    async def work(stage: CacheStage) -> None:
        tasks = [begin(stage, CHAT) for _ in range(10)]
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, GaveUp) for end in ends)
        # Two leaders one after the other, then everybody at once.
        assert stage.clock() < 1000.0 + 3.5

    slow_failure = Turn(error(503).pieces, 503, before=(Pause(1.0),))
    on([slow_failure] * 10, work)


def test_a_break_after_content_is_told_to_everybody_and_kept_for_nobody():
    async def work(stage: CacheStage) -> None:
        got = await stage.several(STREAM, STREAM, STREAM)
        assert len({each.body for each in got}) == 1
        assert b"event: error" in got[0].body
        assert {r.outcome for r in stage.witness.records} == {Outcome.FAILURE}
        assert [r.saving for r in stage.witness.records if r.cache] == [0, 0]
        assert not (await stage.get(STREAM)).hit

    on([Turn((*EVENTS[:4], Fault.RESET)), stream()], work)


def test_a_provider_that_falls_silent_is_told_to_everybody():
    async def work(stage: CacheStage) -> None:
        got = await stage.several(STREAM, STREAM)
        assert all(b"silent" in each.body for each in got)

    policy = RouterPolicy(num_retries=0, stream_timeout=5.0, disable_cooldowns=True)
    on([Turn((*EVENTS[:4], Hang()))], work, policy=policy)


def test_a_request_with_its_own_time_limit_follows_nobody():
    async def work(stage: CacheStage) -> None:
        leader = begin(stage, CHAT)
        await asyncio.sleep(0.1)
        hurried = await stage.get(CHAT, headers={"x-litellm-timeout": "3"})
        assert not hurried.hit
        assert not (await leader).hit

    on([Turn((Pause(5.0), *plain().pieces)), plain()], work)


def test_a_stop_of_the_gateway_is_no_end_of_the_answer():
    async def work(stage: CacheStage) -> None:
        heard: list[bytes] = []
        leader = begin(stage, STREAM, into=heard)
        await until(lambda: len(heard) > 1)
        await stage.cached.aclose()
        got = await leader
        assert b"event: error" in got.body
        assert not (await stage.get(STREAM)).hit

    on([SLOW, stream()], work)


class FarAnswers(MemoryAnswers):
    """A store outside the process: keeping an answer takes a second."""

    def post(self, key: str, answer: StoredAnswer, done: Callable[[], None]) -> bool:
        del key, answer, done
        return False

    async def put(self, key: str, answer: StoredAnswer) -> None:
        await asyncio.sleep(1.0)
        await super().put(key, answer)


@pytest.mark.parametrize(("body", "turn"), [(CHAT, plain()), (STREAM, stream())])
def test_nobody_waits_for_an_answer_to_be_written(body, turn):
    async def work(stage: CacheStage) -> None:
        await stage.get(body)
        assert stage.clock() == 1000.0
        assert stage.cached.busy
        # While it is on its way it serves others all the same.
        assert (await stage.get(body)).hit
        await asyncio.sleep(1.1)
        assert (await stage.get(body)).hit

    on([turn], work, store=FarAnswers(10_000, lambda: 0.0))


def test_nobody_waits_for_a_large_answer_to_be_compressed(monkeypatch):
    monkeypatch.setattr("tiergate.pipeline.leading.LARGE", 100)

    class Slow(MemoryAnswers):
        async def put(self, key: str, answer: StoredAnswer) -> None:
            await asyncio.sleep(1.0)
            await super().put(key, answer)

    async def work(stage: CacheStage) -> None:
        await stage.get(CHAT)
        assert stage.clock() == 1000.0
        assert (await stage.get(CHAT)).hit
        await asyncio.sleep(1.1)

    on([plain(text="x" * 200)], work, store=Slow(1_000_000, lambda: 0.0))


class GoneAnswers(MemoryAnswers):
    """A store that does not answer."""

    fault = "gone"

    async def get(self, key: str) -> StoredAnswer | None:
        del key
        return None


def test_a_look_up_in_a_store_that_is_down_is_told_apart():
    async def work(stage: CacheStage) -> None:
        await stage.get(CHAT)
        assert stage.watch.results == ["miss_down"]

    on([plain()], work, store=GoneAnswers(10_000, lambda: 0.0))


def test_too_many_answers_on_their_way_are_not_kept(monkeypatch):
    monkeypatch.setattr("tiergate.pipeline.leading.MOST_WRITES", 1)

    async def work(stage: CacheStage) -> None:
        await stage.get(CHAT)
        await stage.get({**CHAT, "temperature": 0.5})
        await asyncio.sleep(1.1)
        assert (await stage.get(CHAT)).hit
        assert not (await stage.get({**CHAT, "temperature": 0.5})).hit
        await asyncio.sleep(1.1)

    on([plain(), plain(), plain()], work, store=FarAnswers(10_000, lambda: 0.0))


def _wholes() -> int:
    """How many awaits two equal streams have from begin to end."""
    point = Checkpoint()
    on([stream()], lambda stage: stage.several(STREAM, STREAM), point=point)
    return point.count


@pytest.mark.parametrize("who", [0, 1])
def test_wherever_one_of_two_leaves_the_other_gets_everything(who):
    whole = b"".join(EVENTS)
    for at in range(1, _wholes() + 1):
        tasks: list[asyncio.Task] = []
        point = Checkpoint(at, lambda tasks=tasks: tasks[who].cancel())

        async def work(stage: CacheStage, tasks=tasks) -> None:
            tasks += [begin(stage, STREAM), begin(stage, STREAM)]
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            stays = ends[1 - who]
            assert not isinstance(stays, BaseException), stays
            assert stays.body.count(b"event:") == whole.count(b"event:")
            stage.upstreams.turns.clear()

        on([stream(), stream()], work, point=point)


def test_the_alias_s_dialect_makes_no_difference():
    async def whole() -> None:
        stage = CacheStage((served_by("cheap", "o", Dialect.OPENAI),), [stream(Dialect.OPENAI)])
        got = await asyncio.gather(*(stage.get(STREAM) for _ in range(5)))
        assert len({each.body for each in got}) == 1
        await stage.finish()

    play(whole())
