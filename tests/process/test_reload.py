"""SIGHUP swaps the configuration whole: for new requests, without a gap, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from support import dialects
from support.exchange import Gate, stream_reply
from support.shapes import CHAT, DOORS, minimal, told
from support.stage import (
    ALIASES,
    ANTHROPIC_ALIAS,
    OPENAI_ALIAS,
    Providers,
    Stage,
    gateway_of,
    usual,
    with_settings,
)
from tiergate.base.jsontypes import JsonObject

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

OTHER_KEY = "sk-other-3vB9nM5xQ1wE7rT2yU8iO4pA6sD0fG"


@pytest_asyncio.fixture(loop_scope="module")
async def fresh(providers: Providers, folder: Path) -> AsyncIterator[Stage]:
    """A gateway of the test's own."""
    providers.reset()
    async with gateway_of(usual(providers), folder) as gateway:
        yield Stage(gateway, providers)
    providers.reset()


def moved(providers: Providers) -> JsonObject:
    """The Anthropic provider's alias is served by the other provider; a new alias is there."""
    config = usual(providers)
    config["model_list"] = [
        providers.at_openai(ANTHROPIC_ALIAS),
        providers.at_openai("brand-new"),
    ]
    return config


async def test_a_new_configuration_acts_for_new_requests(fresh: Stage) -> None:
    fresh.gateway.reload(moved(fresh.providers))
    await fresh.gateway.said("reloaded")
    for alias in (ANTHROPIC_ALIAS, "brand-new"):
        answer = await fresh.gateway.post(CHAT, minimal(CHAT, alias))
        assert answer.header("x-tiergate-served") == f"{alias}/openai/gpt-4o"
    gone = await fresh.gateway.post(CHAT, minimal(CHAT, OPENAI_ALIAS))
    assert told(gone, CHAT).code == "model_not_found"
    assert "brand-new" in (await fresh.gateway.get("/v1/models")).text


async def test_a_stream_under_way_survives(fresh: Stage) -> None:
    for path in DOORS:
        gate = Gate()
        events = dialects.text_events(ANTHROPIC_ALIAS, "from the provider")
        content = dialects.first_content(events)
        fresh.of(ANTHROPIC_ALIAS).script(stream_reply(*events[:content], gate, *events[content:]))
        body = minimal(path, ANTHROPIC_ALIAS, stream=True)
        async with fresh.gateway.posting(path, body) as exchange:
            await exchange.head()
            said = fresh.gateway.output.count("reloaded")
            fresh.gateway.reload(moved(fresh.providers))
            await said_again(fresh, "reloaded", said)
            gate.open()
            answer = await exchange.rest()
        assert answer.complete
        assert dialects.ends_well(answer, path)
        fresh.gateway.reload(usual(fresh.providers))
        await said_again(fresh, "reloaded", said + 1)


async def said_again(stage: Stage, text: str, before: int) -> None:
    async with asyncio.timeout(5):
        while stage.gateway.output.count(text) <= before:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("model_list: [", "config.yaml:"),
        ("model_list: []\nrouter_settings: {fallbacks: [{a: [b]}]}\n", "config.yaml:"),
        ("model_lisst: []\n", "model_list"),
    ],
    ids=["no YAML", "no such alias", "unknown key"],
)
async def test_a_bad_configuration_changes_nothing_and_says_why(
    fresh: Stage, text: str, why: str
) -> None:
    before = len(fresh.gateway.output)
    fresh.gateway.reload(text)
    output = await fresh.gateway.said("reload refused")
    assert why in output[before:]
    for alias in ALIASES:
        assert (await fresh.gateway.post(CHAT, minimal(CHAT, alias))).status == 200


async def test_a_configuration_that_is_gone_changes_nothing(fresh: Stage) -> None:
    fresh.gateway.config_path.unlink()
    fresh.gateway.reload_signal()
    await fresh.gateway.said("reload refused")
    assert (await fresh.gateway.post(CHAT, minimal(CHAT, ANTHROPIC_ALIAS))).status == 200


async def test_a_new_key_shuts_out_the_old_one(fresh: Stage) -> None:
    config = with_settings(usual(fresh.providers), general_settings={"master_key": OTHER_KEY})
    fresh.gateway.reload(config)
    output = await fresh.gateway.said("reloaded")
    body = minimal(CHAT, ANTHROPIC_ALIAS)
    assert (await fresh.gateway.post(CHAT, body)).status == 401
    assert (await fresh.gateway.post(CHAT, body, key=OTHER_KEY)).status == 200
    assert OTHER_KEY not in output


async def test_reloads_under_load_lose_no_request(fresh: Stage) -> None:
    body = minimal(CHAT, ANTHROPIC_ALIAS)

    async def calls() -> set[int]:
        return {(await fresh.gateway.post(CHAT, body)).status for _ in range(25)}

    async def reloads() -> None:
        for number in range(6):
            config = moved if number % 2 == 0 else usual
            fresh.gateway.reload(config(fresh.providers))
            await said_again(fresh, "reloaded", number)

    statuses, _ = await asyncio.gather(calls(), reloads())
    assert statuses == {200}


async def test_the_file_watch_reloads_too(providers: Providers, folder: Path) -> None:
    async with gateway_of(usual(providers), folder, arguments=("--watch",)) as gateway:
        gateway.write_config(moved(providers))
        await gateway.said("reloaded")
        assert (await gateway.post(CHAT, minimal(CHAT, "brand-new"))).status == 200
