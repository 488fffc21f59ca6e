"""A vector by an alias of the gateway: through the engine, so in the books like any other call."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from support.cached import CHAT, CacheStage
from support.engine import Turn, error, served_by
from tiergate.base.jsontypes import Json
from tiergate.base.values import AliasName, Dialect, Operation
from tiergate.core.caller import Caller, RateLimits
from tiergate.core.catalog import RouterPolicy
from tiergate.core.record import Outcome
from tiergate.pipeline.embedding import TAG, AliasEmbedder
from tiergate.ports import Inbound, NoVectorError

ALIASES = (served_by("cheap", "a"), served_by("embed", "e", Dialect.OPENAI))


def answering(body: Json) -> Turn:
    text = json.dumps(body).encode()
    return Turn((text,), headers={"content-type": "application/json"})


def vectors(*numbers: Json) -> Turn:
    data = [{"object": "embedding", "index": 0, "embedding": list(numbers)}]
    usage = {"prompt_tokens": 7, "total_tokens": 7}
    return answering({"object": "list", "data": data, "model": "m", "usage": usage})


class World:
    def __init__(self, *turns: Turn, size: int | None = None) -> None:
        self.stage = CacheStage(ALIASES, turns, policy=RouterPolicy(num_retries=0))
        clock = self.stage.clock
        self.embedder = AliasEmbedder(
            self.stage.engine, AliasName("embed"), "openai/m", size, clock, lambda: 1.0
        )

    def inbound(self) -> Inbound:
        return self.stage.question(CHAT)[0]


async def test_the_vector_of_the_answer_is_returned_and_the_call_is_in_the_books():
    world = World(vectors(0.5, -1, 2.5))
    inbound = world.inbound()
    inbound.tags = ("team-a",)
    assert await world.embedder.vector("Why?", inbound) == [0.5, -1.0, 2.5]
    (record,) = world.stage.witness.records
    assert (record.operation, record.outcome) == (Operation.EMBEDDING, Outcome.SUCCESS)
    assert record.tags == ("team-a", TAG)
    assert record.call_id == f"{inbound.call_id}-meaning"
    assert world.stage.spent == record.cost > 0
    sent = json.loads(world.stage.upstreams.sent[0][1])
    assert sent["input"] == "Why?"
    world.stage.check_nothing_is_left()


async def test_the_caller_pays_and_its_rate_limits_do_not_count_it():
    world = World(vectors(1))
    inbound = world.inbound()
    limits = (("key:K", RateLimits(rpm=0)),)
    inbound.caller = Caller(name="k", key="K", aliases=frozenset({AliasName("cheap")}))
    inbound.caller = replace(inbound.caller, limits=limits)
    assert await world.embedder.vector("Why?", inbound) == [1.0]
    assert world.stage.witness.records[0].caller.key == "K"


@pytest.mark.parametrize(
    "turn",
    [
        error(500),
        answering({"data": []}),
        answering({"data": [{"embedding": []}]}),
        answering({"data": [{"embedding": "AAAA"}]}),
        vectors(1, "x"),
    ],
)
async def test_an_answer_without_a_vector_says_so(turn):
    world = World(turn)
    with pytest.raises(NoVectorError, match="alias embed"):
        await world.embedder.vector("Why?", world.inbound())
    world.stage.check_nothing_is_left()


async def test_a_vector_of_another_size_than_the_file_says_is_refused():
    world = World(vectors(1, 2), size=3)
    with pytest.raises(NoVectorError, match="2 numbers"):
        await world.embedder.vector("Why?", world.inbound())
