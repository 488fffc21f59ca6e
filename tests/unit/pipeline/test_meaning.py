"""Plays of the cache that asks by meaning: what hits, what never does, and what cannot fail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from support.cached import CHAT, STREAM, CacheStage, Got
from support.engine import Turn, plain, served_by
from support.meanings import MeaningWorld, Scripted, at_angle
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import Dialect, Operation
from tiergate.core.catalog import RouterPolicy
from tiergate.core.meaning import MeaningPolicy
from tiergate.pipeline.meaning import MOST_KNOWN, REST_SECONDS
from tiergate.stores.meanings_embedded import EmbeddedVectors
from tiergate.stores.meanings_guarded import GuardedMeanings

ONE = (served_by("cheap", "a"),)
PLAIN_COST = 10 * 1000 + 5 * 5000
ASKED, NEAR, FAR = "how do I list files", "what shows the files", "what is rain"
VECTORS = {ASKED: at_angle(0), NEAR: at_angle(20), FAR: at_angle(80)}


def saying(text: str, body: JsonObject = CHAT, **more: object) -> JsonObject:
    return {**body, "messages": [{"role": "user", "content": text}], **more}


def world(**policy: object) -> MeaningWorld:
    given = {"threshold": 0.9, **policy}
    return MeaningWorld(Scripted(dict(VECTORS)), MeaningPolicy(**given))  # pyright: ignore[reportArgumentType]


def stage(ours: MeaningWorld, turns: Sequence[Turn], deployments=ONE, **more) -> CacheStage:
    return CacheStage(
        deployments,
        turns,
        policy=RouterPolicy(num_retries=0),
        meaning=ours.of(),
        **more,
    )


async def settled(on: CacheStage) -> None:
    """Wait until nothing goes on without a request."""
    async with asyncio.timeout(10):
        while on.cached.busy:
            await asyncio.sleep(0.001)


async def told(on: CacheStage, body: JsonObject, **more) -> Got:
    got = await on.get(body, **more)
    await settled(on)
    return got


async def test_a_question_of_the_same_meaning_gets_the_answer_with_its_similarity():
    ours = world()
    on = stage(ours, [plain()])
    first = await told(on, saying(ASKED))
    second = await told(on, saying(NEAR))
    assert second.body == first.body
    assert second.marks["x-tiergate-cache"] == "semantic; similarity=0.939"
    assert second.marks["x-litellm-cache-key"] == f"tiergate-answers:{second_key(on)}"
    assert (second.cost, on.spent) == (0, PLAIN_COST)
    assert on.watch.results == ["miss", "near_hit"]
    assert ours.watch.results == ["far", "near"]
    record = on.witness.records[-1]
    assert (record.cache, record.saving, record.why) == ("semantic", PLAIN_COST, "semantic cache")


def second_key(on: CacheStage) -> str:
    inbound, wish = on.question(saying(ASKED))
    return on.cached._parts.keys.of(inbound, wish).rpartition(":")[2]


async def test_a_near_answer_is_played_as_the_stream_that_was_asked_for():
    on = stage(world(), [plain()])
    await told(on, saying(ASKED))
    got = await told(on, saying(NEAR, STREAM))
    assert got.body.startswith(b"event: message_start")
    assert got.body.rstrip().endswith(b'{"type":"message_stop"}')


async def test_another_meaning_is_asked_of_the_provider():
    on = stage(world(), [plain(), plain()])
    await told(on, saying(ASKED))
    got = await told(on, saying(FAR))
    assert "x-tiergate-cache" not in got.marks
    assert on.watch.results == ["miss", "miss"]


async def test_an_equal_request_needs_no_vector():
    ours = world()
    on = stage(ours, [plain()])
    await told(on, saying(ASKED))
    asked = len(ours.embedder.asked)
    got = await told(on, saying(ASKED))
    assert got.marks["x-tiergate-cache"] == "response"
    assert len(ours.embedder.asked) == asked == 1


@pytest.mark.parametrize(
    "other",
    [
        saying(NEAR, system="You are S2."),
        saying(NEAR, temperature=0.5),
        saying(NEAR, max_tokens=99),
        saying(NEAR, metadata={"user_id": "bob"}),
        saying(f"{NEAR} 5"),
        saying(f"{NEAR} of Paul"),
        saying(f"{NEAR} not"),
    ],
)
async def test_everything_but_the_words_of_the_question_must_be_equal(other):
    ours = world()
    for text in (f"{NEAR} 5", f"{NEAR} of Paul", f"{NEAR} not"):
        ours.embedder.vectors[text] = at_angle(0)
    on = stage(ours, [plain(), plain()])
    await told(on, saying(ASKED))
    assert "x-tiergate-cache" not in (await told(on, other)).marks


async def test_a_question_that_takes_the_other_side_is_never_near():
    ours = world()
    ours.embedder.vectors = {"enable it": at_angle(0), "disable it": at_angle(1)}
    on = stage(ours, [plain(), plain()])
    await told(on, saying("enable it"))
    assert "x-tiergate-cache" not in (await told(on, saying("disable it"))).marks
    assert ours.watch.results == ["far", "far"]


TOOLS = {"tools": [{"name": "find", "input_schema": {"type": "object"}}]}
TURNS = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": "hello"},
]


def turns(text: str) -> JsonObject:
    return {**CHAT, "messages": [*TURNS, {"role": "user", "content": text}]}


@pytest.mark.parametrize(
    ("first", "second", "setting", "why"),
    [
        (saying(ASKED, **TOOLS), saying(NEAR, **TOOLS), "with_tools", "tools"),
        (turns(ASKED), turns(NEAR), "many_turns", "turns"),
    ],
)
@pytest.mark.parametrize("asked_for", [True, False])
async def test_tools_and_turns_are_asked_by_meaning_only_if_the_file_says_so(
    first, second, setting, why, asked_for
):
    ours = world(**{setting: asked_for})
    on = stage(ours, [plain()] * (1 if asked_for else 2))
    await told(on, first)
    got = await told(on, second)
    assert ("x-tiergate-cache" in got.marks) == asked_for
    assert ours.watch.results == (["far", "near"] if asked_for else [why, why])
    assert bool(ours.embedder.asked) == asked_for


async def test_an_embedding_that_fails_fails_no_request_and_is_left_alone_for_a_while():
    ours = world()
    ours.embedder.fault = "no such model"
    on = stage(ours, [plain(), plain()])
    assert (await told(on, saying(ASKED))).body
    assert (await told(on, saying(NEAR))).body
    assert ours.embedder.asked == [ASKED]
    assert ours.watch.results == ["no_vector", "rest"]


async def test_a_slow_embedding_is_waited_for_no_longer_than_is_said_and_serves_later():
    ours = world(timeout=0.02)
    ours.embedder.gate = asyncio.Event()
    on = stage(ours, [plain()])
    got = await on.get(saying(ASKED))
    assert got.body
    assert ours.watch.results == ["slow"]
    ours.embedder.gate.set()
    await settled(on)
    # The text of the first is known by now, so the next one is compared although it rests.
    assert ours.by_meaning is not None
    inbound, wish = on.question(saying(ASKED))
    question = ours.by_meaning.question(inbound, wish)
    assert question is not None
    (near,) = await ours.by_meaning.near(question)
    assert near.similarity == pytest.approx(1.0, abs=1e-5)
    await settled(on)


async def test_after_its_rest_the_embedding_is_asked_again():
    ours = world()
    ours.embedder.fault = "down"
    on = stage(ours, [plain(), plain()])
    await told(on, saying(ASKED))
    ours.embedder.fault = None
    assert ours.by_meaning is not None
    ours.by_meaning._rests_until -= REST_SECONDS
    await told(on, saying(NEAR))
    assert ours.watch.results == ["no_vector", "far"]


async def test_a_store_of_vectors_that_is_down_fails_no_request(tmp_path):
    (tmp_path / "file").write_text("in the way")
    ours = world()
    broken = EmbeddedVectors(tmp_path / "file", 10)
    now = asyncio.get_running_loop().time
    ours.index = GuardedMeanings(broken, 5.0, now, now)
    on = stage(ours, [plain(), plain()])
    assert (await told(on, saying(ASKED))).body
    assert (await told(on, saying(NEAR))).body
    assert ours.watch.results == ["down", "down"]
    assert "file" in (ours.index.fault or "")


async def test_an_answer_that_is_gone_serves_nobody():
    on = stage(world(), [plain(), plain()])
    await told(on, saying(ASKED))
    await on.store.clear("tiergate-answers")
    assert "x-tiergate-cache" not in (await told(on, saying(NEAR))).marks


async def test_no_store_keeps_nothing_and_no_cache_looks_at_nothing():
    ours = world()
    on = stage(ours, [plain(), plain(), plain()])
    await told(on, saying(ASKED, cache={"no-store": True}))
    assert "x-tiergate-cache" not in (await told(on, saying(NEAR))).marks
    assert (
        "x-tiergate-cache" not in (await told(on, saying(ASKED, cache={"no-cache": True}))).marks
    )


async def test_embeddings_are_never_asked_by_meaning():
    ours = world()
    on = stage(ours, [], deployments=(served_by("cheap", "a", Dialect.OPENAI),))
    body: JsonObject = {"model": "cheap", "input": ASKED}
    inbound, wish = on.question(body, Dialect.OPENAI, operation=Operation.EMBEDDING)
    assert ours.by_meaning is not None
    assert ours.by_meaning.question(inbound, wish) is None
    assert ours.watch.results == ["operation"]


async def test_vectors_of_texts_are_remembered_up_to_a_number():
    ours = world()
    on = stage(ours, [])
    assert ours.by_meaning is not None
    for number in range(MOST_KNOWN + 1):
        ours.by_meaning._remember(str(number), (1.0, 0.0))
    assert len(ours.by_meaning._known) == MOST_KNOWN
    assert "0" not in ours.by_meaning._known
    assert ours.by_meaning._remember("x", (0.0, 0.0)) is None
    await settled(on)


async def test_an_equal_request_at_the_same_time_gets_the_near_answer_with_its_similarity():
    ours = world()
    on = stage(ours, [plain()])
    await told(on, saying(ASKED))
    ours.embedder.gate = asyncio.Event()
    asking = [asyncio.ensure_future(on.get(saying(NEAR))) for _ in range(2)]
    async with asyncio.timeout(10):
        while len(ours.embedder.asked) < 2:
            await asyncio.sleep(0)
    ours.embedder.gate.set()
    answers = await asyncio.gather(*asking)
    await settled(on)
    assert {got.marks["x-tiergate-cache"] for got in answers} == {"semantic; similarity=0.939"}
    assert ours.embedder.asked == [ASKED, NEAR]
    assert sorted(on.watch.results) == ["miss", "near_hit", "shared"]
