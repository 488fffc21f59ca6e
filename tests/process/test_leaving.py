"""A caller that leaves ends the call at its provider at once, plain or streamed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from support import dialects
from support.exchange import Gate, Recorded, Reply, Step, hanging_reply, stream_reply
from support.http_client import Exchange
from support.shapes import DOORS, minimal
from support.stage import ALIASES, Stage

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

SOON = 1.0
"""Seconds. On an idle machine it takes a few milliseconds."""

doors = pytest.mark.parametrize("path", DOORS)
aliases = pytest.mark.parametrize("alias", ALIASES)


async def assert_ended_soon(recorded: Recorded, left: float) -> None:
    await recorded.ended()
    assert recorded.gone is not None
    assert recorded.gone - left < SOON


def begun(stage: Stage, path: str, alias: str, *, stream: bool) -> Exchange:
    return stage.gateway.posting(path, minimal(path, alias, stream=stream))


def held_after(alias: str, count: int) -> tuple[Gate, Reply]:
    """A stream that stands still after so many events."""
    gate = Gate()
    events: Sequence[Step] = dialects.text_events(alias, "from the provider")
    return gate, stream_reply(*events[:count], gate, *events[count:])


@doors
@aliases
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_before_the_provider_answers(
    stage: Stage, path: str, alias: str, stream: bool
) -> None:
    stage.of(alias).script(hanging_reply())
    async with begun(stage, path, alias, stream=stream):
        recorded = await stage.of(alias).received()
    await assert_ended_soon(recorded, asyncio.get_running_loop().time())


@doors
@aliases
async def test_before_the_first_content(stage: Stage, path: str, alias: str) -> None:
    gate, reply = held_after(alias, 1)
    stage.of(alias).script(reply)
    async with begun(stage, path, alias, stream=True):
        recorded = await stage.of(alias).received()
        await gate.reached()
    await assert_ended_soon(recorded, asyncio.get_running_loop().time())


@doors
@aliases
async def test_in_the_middle_of_a_stream(stage: Stage, path: str, alias: str) -> None:
    count = dialects.first_content(dialects.text_events(alias, "from the provider"))
    _, reply = held_after(alias, count)
    stage.of(alias).script(reply)
    async with begun(stage, path, alias, stream=True) as exchange:
        head = await exchange.head()
        assert head.status == 200
        assert head.body or await exchange.piece()
        recorded = await stage.of(alias).received()
    await assert_ended_soon(recorded, asyncio.get_running_loop().time())


@doors
async def test_it_is_no_failure_of_the_provider(stage: Stage, path: str) -> None:
    alias = ALIASES[0]
    for _ in range(5):
        stage.providers.reset()
        stage.of(alias).script(hanging_reply())
        async with begun(stage, path, alias, stream=False):
            recorded = await stage.of(alias).received()
        await recorded.ended()
    stage.providers.reset()
    assert (await stage.gateway.post(path, minimal(path, alias))).status == 200
    metrics = (await stage.gateway.get("/metrics")).text
    failed = [
        line
        for line in metrics.splitlines()
        if line.startswith("litellm_deployment_failure_responses_total{")
    ]
    assert failed == []


async def test_many_leave_at_once_and_nothing_stays_open(stage: Stage) -> None:
    path, alias = DOORS[0], ALIASES[1]
    count = dialects.first_content(dialects.text_events(alias, "from the provider"))
    _, reply = held_after(alias, count)
    stage.of(alias).script(reply)
    exchanges = [begun(stage, path, alias, stream=True) for _ in range(40)]
    for exchange in exchanges:
        await exchange.__aenter__()
    await asyncio.gather(*(exchange.head() for exchange in exchanges))
    await asyncio.gather(*(exchange.leave() for exchange in exchanges))
    for recorded in stage.of(alias).requests:
        await recorded.ended()
        assert recorded.gone is not None
    ready = (await stage.gateway.get("/health/readiness/details")).json
    connections, idle = ready["upstream_connections"], ready["upstream_connections_idle"]
    assert connections == idle
