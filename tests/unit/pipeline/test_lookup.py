"""Plays of the cache in front of the engine: what is found, what is kept, who may have it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence

import pytest

from support import anthropic_wire, openai_wire
from support.attempts import general
from support.cached import CHAT, STREAM, CacheStage, stored
from support.engine import Turn, budget, error, plain, served_by, stream
from support.jumping import play
from tiergate.base.errors import Refused
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import AliasName, Dialect, NanoUsd, Operation
from tiergate.core.caching import ALL_DOORS, CachePolicy
from tiergate.core.caller import Caller, RateLimits
from tiergate.core.catalog import RouterPolicy
from tiergate.core.record import Outcome
from tiergate.pipeline.parts import GaveUp
from tiergate.ports import Form

ONE = (served_by("cheap", "a"),)
TIERS = (served_by("cheap", "a"), served_by("balanced", "b", Dialect.OPENAI))
PLAIN_COST = 10 * 1000 + 5 * 5000


def on(
    turns: Sequence[Turn],
    work: Callable[[CacheStage], Coroutine[object, object, None]],
    deployments=ONE,
    **more,
) -> None:
    """Set the stage, play, and see that nothing is left over."""

    async def whole() -> None:
        policy = more.pop("policy", RouterPolicy(num_retries=0))
        stage = CacheStage(deployments, turns, policy=policy, **more)
        await work(stage)
        await stage.finish()
        assert stage.upstreams.turns == [], "not every turn was taken"

    play(whole())


def calls(stage: CacheStage) -> int:
    return len(stage.upstreams.sent)


def saying(text: str, body: JsonObject = CHAT, **more: object) -> JsonObject:
    return {**body, "messages": [{"role": "user", "content": text}], **more}


def test_the_second_of_two_equal_requests_costs_nothing():
    async def work(stage: CacheStage) -> None:
        first, second = await stage.get(CHAT), await stage.get(CHAT)
        assert second.body == first.body
        assert (first.hit, second.hit) == (False, True)
        assert (first.cost, second.cost) == (PLAIN_COST, 0)
        assert stage.spent == PLAIN_COST
        assert second.marks["x-litellm-cache-key"].startswith("tiergate-answers:")
        assert stage.watch.results == ["miss", "hit"]

    on([plain()], work)


def test_a_hit_is_recorded_with_what_it_saved():
    async def work(stage: CacheStage) -> None:
        await stage.get(CHAT)
        await stage.get(CHAT)
        called, hit = stage.witness.records
        assert (called.cache, called.saving) == ("", 0)
        assert (hit.cache, hit.saving, hit.cost) == ("response", PLAIN_COST, 0)
        assert (hit.outcome, hit.deployment, hit.status) == (Outcome.SUCCESS, ONE[0], 200)
        assert hit.why == "response cache"

    on([plain()], work)


@pytest.mark.parametrize("first", [CHAT, STREAM])
@pytest.mark.parametrize("second", [CHAT, STREAM])
def test_one_stored_answer_serves_both_forms(first, second):
    async def work(stage: CacheStage) -> None:
        await stage.get(first)
        got = await stage.get(second)
        assert got.hit
        if second is STREAM:
            events = [json.loads(li[6:]) for li in got.body.split(b"\n") if li[:5] == b"data:"]
            texts = [e["delta"].get("text", "") for e in events if "delta" in e]
            assert "".join(texts) == "hello"
            assert events[-1] == {"type": "message_stop"}
            assert got.marks["x-litellm-response-cost"] == "0"
        else:
            answer = json.loads(got.body)
            assert answer["usage"]["input_tokens"] == 10
            assert answer["content"] == [{"type": "text", "text": "hello"}]

    on([stream() if first is STREAM else plain()], work)


OPENAI = (served_by("cheap", "o", Dialect.OPENAI),)
USAGE: JsonObject = {**STREAM, "stream_options": {"include_usage": True}}


@pytest.mark.parametrize("first", [CHAT, STREAM, USAGE])
@pytest.mark.parametrize("second", [CHAT, STREAM, USAGE])
def test_the_usage_chunk_comes_only_where_it_is_asked_for(first, second):
    async def work(stage: CacheStage) -> None:
        await stage.get(first, Dialect.OPENAI)
        got = await stage.get(second, Dialect.OPENAI)
        assert got.hit
        if second is CHAT:
            assert json.loads(got.body)["usage"]["completion_tokens"] == 5
            return
        events = [e[6:] for e in got.body.split(b"\n\n") if e.startswith(b"data: ")]
        assert events[-1] == b"[DONE]"
        told = [at for at, e in enumerate(events[:-1]) if json.loads(e).get("usage")]
        assert told == ([len(events) - 2] if second is USAGE else [])

    turn = plain(Dialect.OPENAI) if first is CHAT else stream(Dialect.OPENAI)
    on([turn], work, OPENAI)


def test_two_dialects_never_share():
    async def work(stage: CacheStage) -> None:
        await stage.get(CHAT)
        other = await stage.get(CHAT, Dialect.OPENAI)
        assert not other.hit
        assert json.loads(other.body)["object"] == "chat.completion"

    on([plain(), plain()], work)


def test_an_error_is_not_kept():
    async def work(stage: CacheStage) -> None:
        with pytest.raises(GaveUp):
            await stage.get(CHAT)
        assert not (await stage.get(CHAT)).hit
        assert (await stage.get(CHAT)).hit

    on([error(503), plain()], work)


def test_a_stream_that_breaks_is_not_kept():
    async def work(stage: CacheStage) -> None:
        broken = await stage.get(STREAM)
        assert b"event: error" in broken.body
        assert not (await stage.get(STREAM)).hit
        assert (await stage.get(STREAM)).hit

    cut = Turn(tuple(anthropic_wire.text_events("hello"))[:4])
    on([cut, stream()], work)


def test_a_refusal_is_not_kept():
    async def work(stage: CacheStage) -> None:
        await stage.get(CHAT)
        assert not (await stage.get(CHAT)).hit

    on([plain(stop="refusal"), plain(stop="refusal")], work)


def test_an_answer_above_the_limit_is_not_kept():
    async def work(stage: CacheStage) -> None:
        await stage.get(CHAT)
        assert not (await stage.get(CHAT)).hit

    on([plain(), plain()], work, cache=CachePolicy(most_bytes=20))


def test_an_answer_serves_until_it_expires():
    async def work(stage: CacheStage) -> None:
        await stage.get(CHAT)
        stage.now += 4.9
        assert (await stage.get(CHAT)).hit
        stage.now += 0.1
        assert not (await stage.get(CHAT)).hit

    on([plain(), plain()], work, cache=CachePolicy(ttl=5))


@pytest.mark.parametrize("headers", [{}, {"cache-control": "no-cache"}])
def test_no_cache_calls_and_keeps_the_new_answer(headers):
    async def work(stage: CacheStage) -> None:
        await stage.get(CHAT)
        body = CHAT if headers else {**CHAT, "cache": {"no-cache": True}}
        fresh = await stage.get(body, headers=headers)
        assert not fresh.hit and b"two" in fresh.body
        assert b"two" in (await stage.get(CHAT)).body

    on([plain(text="one"), plain(text="two")], work)


def test_no_store_looks_up_and_keeps_nothing():
    async def work(stage: CacheStage) -> None:
        quiet = {**CHAT, "cache": {"no-store": True}}
        await stage.get(quiet)
        await stage.get(CHAT)
        assert (await stage.get(quiet)).hit

    on([plain(), plain()], work)


def test_a_ttl_of_nothing_keeps_nothing():
    async def work(stage: CacheStage) -> None:
        await stage.get({**CHAT, "cache": {"ttl": 0}})
        assert not (await stage.get(CHAT)).hit

    on([plain(), plain()], work)


def test_s_maxage_takes_young_answers_only_and_keeps_the_new_one():
    async def work(stage: CacheStage) -> None:
        young = {**CHAT, "cache": {"s-maxage": 2}}
        await stage.get(CHAT)
        stage.now += 1
        assert (await stage.get(young)).hit
        stage.now += 1
        assert not (await stage.get(young)).hit
        stage.now += 1
        assert (await stage.get(young)).hit

    on([plain(), plain()], work)


def test_the_cache_s_own_words_never_reach_a_provider():
    async def work(stage: CacheStage) -> None:
        await stage.get({**CHAT, "cache": {"no-cache": True, "namespace": "t1"}})
        assert b"cache" not in stage.upstreams.sent[0][1]

    on([plain()], work)


def test_a_request_that_is_left_alone_is_called_every_time():
    async def work(stage: CacheStage) -> None:
        await stage.get(CHAT)
        assert not (await stage.get(CHAT)).hit
        assert (await stage.get({**CHAT, "cache": {"use-cache": True}})).hit is False
        assert (await stage.get({**CHAT, "cache": {"use-cache": True}})).hit
        assert stage.watch.results == ["bypass_off", "bypass_off", "miss", "hit"]

    on([plain(), plain(), plain()], work, cache=CachePolicy(default_on=False))


def test_a_drill_passes_the_cache_by():
    async def work(stage: CacheStage) -> None:
        await stage.get(CHAT)
        drilled = await stage.get({**CHAT, "mock_testing_fallbacks": True})
        assert not drilled.hit
        assert stage.upstreams.called == ["a", "b"]

    falls = RouterPolicy(num_retries=0, chains=general(cheap="balanced"))
    on([plain(), plain(Dialect.OPENAI)], work, TIERS, policy=falls)


def test_vectors_are_kept_too():
    async def work(stage: CacheStage) -> None:
        body: JsonObject = {"model": "cheap", "input": "hello"}
        for expected in (False, True):
            got = await stage.get(body, Dialect.OPENAI, operation=Operation.EMBEDDING)
            assert got.hit is expected
            assert json.loads(got.body)["data"]
        other = {"model": "cheap", "input": ["hello"]}
        assert not (await stage.get(other, Dialect.OPENAI, operation=Operation.EMBEDDING)).hit

    vectors = Turn((json.dumps(openai_wire.embeddings(["hello"])).encode(),))
    on([vectors, vectors], work, OPENAI)


def test_kinds_of_calls_that_are_not_named_are_not_kept():
    async def work(stage: CacheStage) -> None:
        await stage.get(CHAT)
        assert not (await stage.get(CHAT)).hit
        assert stage.watch.results == ["bypass_call_type"] * 2

    doors = ALL_DOORS - {(Dialect.ANTHROPIC, Operation.CHAT)}
    on([plain(), plain()], work, cache=CachePolicy(doors=doors))


# ------------------------------------------------------------------ who may have it


def caller(name: str, **values: object) -> Callable[[object], None]:
    def change(inbound) -> None:
        inbound.caller = Caller(name=name, key=name, **values)

    return change


def test_an_answer_is_given_to_its_own_key_only():
    async def work(stage: CacheStage) -> None:
        await stage.get(CHAT, change=caller("k1"))
        assert not (await stage.get(CHAT, change=caller("k2"))).hit
        assert (await stage.get(CHAT, change=caller("k1"))).hit

    on([plain(), plain()], work)


def test_an_answer_of_a_fallback_is_not_given_to_a_key_that_may_not_use_it():
    async def work(stage: CacheStage) -> None:
        red = {"team": "red"}
        await stage.get(CHAT, change=caller("k1", **red))
        allowed = frozenset({AliasName("cheap")})

        inbound, wish = stage.question(CHAT, change=caller("k2", **red, aliases=allowed))
        wish.allowed = allowed
        served = await stage.cached.run(inbound, wish)
        stage.cached.finished(served, None, None)
        assert served.marks == ()
        assert stage.upstreams.called == ["a", "b", "a"]

    falls = RouterPolicy(num_retries=0, chains=general(cheap="balanced"))
    on([error(503), plain(Dialect.OPENAI), plain()], work, TIERS, policy=falls)


def test_an_answer_of_a_deployment_that_is_gone_serves_nobody():
    async def work(stage: CacheStage) -> None:
        await stage.get(CHAT)
        gone = stored(b"{}", deployment="gone")
        inbound, wish = stage.question(CHAT)
        key = stage.cached._parts.keys.of(inbound, wish)
        await stage.store.put(key, gone)
        assert not (await stage.get(CHAT)).hit

    on([plain(), plain()], work)


def test_an_answer_whose_form_cannot_be_changed_is_called_for_again():
    async def work(stage: CacheStage) -> None:
        inbound, wish = stage.question(CHAT)
        key = stage.cached._parts.keys.of(inbound, wish)
        for answer in (stored(b"no events", form=Form.STREAM), stored(b"no json")):
            await stage.store.put(key, answer)
            assert not (await stage.get(CHAT if answer.form is Form.STREAM else STREAM)).hit

    on([plain(), stream()], work)


# ------------------------------------------------------------------ money and limits


LIMITED = Caller(name="k", key="k", limits=(("key:k", RateLimits(rpm=2)),))


def test_a_hit_counts_as_a_request_of_its_caller():
    async def work(stage: CacheStage) -> None:
        def change(inbound) -> None:
            inbound.caller = LIMITED

        await stage.get(CHAT, change=change)
        hit = await stage.get(CHAT, change=change)
        assert hit.hit
        assert (
            dict(stage.cached.limit_headers(hit.served))["x-ratelimit-remaining-requests"] == "0"
        )
        with pytest.raises(Refused) as caught:
            await stage.get(CHAT, change=change)
        assert caught.value.status == 429
        assert stage.witness.records[-1].outcome is Outcome.REFUSED

    on([plain()], work)


def test_a_hit_is_served_though_the_budget_is_spent():
    async def work(stage: CacheStage) -> None:
        await stage.get(CHAT)
        with pytest.raises(GaveUp):
            await stage.get(saying("another"))
        assert (await stage.get(CHAT)).hit

    # The most that a call can cost is 100 x 1000 + 100 x 5000 nano-USD.
    on([plain()], work, budgets=(budget(600_000 + PLAIN_COST - 1),))


def test_what_was_never_understood_is_the_engine_s_matter():
    async def work(stage: CacheStage) -> None:
        stage.cached.refused(Dialect.OPENAI, Operation.CHAT, 400, 0.0)
        assert stage.witness.refusals == [400]

    on([], work)


def test_the_books_of_a_call_that_was_not_cached_are_the_engine_s():
    async def work(stage: CacheStage) -> None:
        got = await stage.get({**CHAT, "cache": {"no-store": True}})
        assert got.cost == NanoUsd(PLAIN_COST)
        await asyncio.sleep(0)

    on([plain()], work)
