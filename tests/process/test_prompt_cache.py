"""Providers' prompt caches through the program: nothing is lost, and drifts are named."""

from __future__ import annotations

import asyncio
import copy
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from support.clients import Front, both_dialects
from support.gateway import KEY, Gateway, bearer
from support.http_client import fetch
from support.stage import (
    ANTHROPIC_ALIAS,
    ANTHROPIC_MODEL,
    OPENAI_ALIAS,
    entry,
    gateway_of,
    with_settings,
)
from support.turns import chatting, coding, marked
from tiergate.base.jsontypes import JsonObject
from tiergate.mock.rules import Fail, Rule
from tiergate.mock.server import MockServer

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

TURNS = 30
ON = {"enable_anthropic_prompt_caching": True}


@pytest_asyncio.fixture(loop_scope="module")
async def mock() -> AsyncIterator[MockServer]:
    """A provider that has seen nothing yet."""
    async with MockServer() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def own(mock: MockServer, folder: Path) -> AsyncIterator[Front]:
    """A gateway of the test's own, in front of that provider."""
    config = with_settings(both_dialects(mock), litellm_settings=ON)
    async with gateway_of(config, folder) as gateway:
        yield Front(gateway, mock)


async def post(url: str, path: str, body: JsonObject, key: str = KEY) -> JsonObject:
    answer = await fetch(int(url.rpartition(":")[2]), "POST", path, body=body, headers=bearer(key))
    assert answer.status == 200, answer.text
    found = json.loads(answer.text)
    assert isinstance(found, dict)
    return found


async def tiergate(gateway: Gateway, *words: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "tiergate", *words],
        env={**os.environ, "HOME": str(gateway.folder), "TIERGATE_MASTER_KEY": KEY},
        capture_output=True,
        text=True,
        check=False,
    )


async def play(url: str, model: str, turns: Sequence[JsonObject]) -> list[tuple[int, int, int]]:
    """Send a conversation through a Messages door; tokens read, written and plain of each turn."""
    seen: list[tuple[int, int, int]] = []
    for turn in turns:
        usage = (await post(url, "/v1/messages", {"model": model, "max_tokens": 100, **turn}))[
            "usage"
        ]
        assert isinstance(usage, dict)
        names = ("cache_read_input_tokens", "cache_creation_input_tokens", "input_tokens")
        read, written, plain = (usage[name] for name in names)
        assert isinstance(read, int)
        assert isinstance(written, int)
        assert isinstance(plain, int)
        seen.append((read, written, plain))
    return seen


async def prefixes(gateway: Gateway, query: str = "") -> list[JsonObject]:
    answer = await gateway.get(f"/cache/prefix{query}")
    assert answer.status == 200, answer.text
    return json.loads(answer.text)["prefixes"]


# ------------------------------------------------------------------ a coding agent of 30 turns


async def test_thirty_turns_hit_the_cache_as_they_do_without_a_gateway(own: Front) -> None:
    turns = marked(coding(TURNS))
    async with MockServer() as alone:
        direct = await play(alone.url, ANTHROPIC_MODEL, turns)
    through = await play(own.gateway.url, ANTHROPIC_ALIAS, turns)
    assert through == direct
    # All that earlier turns left in the cache is read: the whole of what was possible.
    (row,) = await prefixes(own.gateway)
    held = [read + written for read, written, _ in direct[:-1]]
    assert row["expected_tokens"] == sum(held)
    assert row["expected_hit_rate"] == 1.0
    assert row["read_tokens"] == sum(read for read, _, _ in direct)
    assert (row["drifts"], row["last_drift"]) == ({}, None)


async def test_a_timestamp_in_the_system_prompt_is_named(own: Front) -> None:
    turns = marked(coding(8))
    for number, turn in enumerate(turns):
        if number < 5:
            continue
        system = turn["system"]
        assert isinstance(system, list)
        (block,) = system
        assert isinstance(block, dict)
        text = str(block["text"])
        block["text"] = f"{text[:5000]} It is 2026-12-01T09:3{number}:00Z now. {text[5000:]}"
    await play(own.gateway.url, ANTHROPIC_ALIAS, turns)
    (row,) = await prefixes(own.gateway)
    drift = row["last_drift"]
    assert isinstance(drift, dict)
    assert row["drifts"] == {"system": 3}
    assert (drift["part"], drift["number"], drift["change"]) == ("system", 1, "changed")
    assert drift["hint"] == "timestamp"
    assert abs(drift["offset"] - 5000) < 400
    assert row["expected_hit_rate"] == 1.0  # what was written anew was never expected
    # The log tells it once, not three times.
    assert own.gateway.output.count("prompt prefix changed") == 1
    assert "Rule 1" not in own.gateway.output
    said = await tiergate(own.gateway, "cache", "prefix", "--url", own.gateway.url)
    assert said.returncode == 0, said.stderr
    assert re.search(r"drifted 3 times.*system block 1 changed.*timestamp", said.stdout)
    page = (await own.gateway.get("/metrics")).text
    assert (
        f'tiergate_prompt_prefix_drifts_total{{requested_model="{ANTHROPIC_ALIAS}",part="system"}}'
        " 3\n" in page
    )


async def test_a_tool_that_changes_its_place_is_named(own: Front) -> None:
    turns = marked(coding(5))
    tools = turns[4]["tools"]
    assert isinstance(tools, list)
    tools[1], tools[3] = tools[3], tools[1]
    await play(own.gateway.url, ANTHROPIC_ALIAS, turns)
    (row,) = await prefixes(own.gateway)
    drift = row["last_drift"]
    assert isinstance(drift, dict)
    assert (drift["part"], drift["number"], drift["change"]) == ("tool", 2, "reordered")


# ------------------------------------------------------------------ breakpoints


async def test_a_client_that_marks_nothing_is_cached_through_either_door(own: Front) -> None:
    plain = coding(4)
    through = await play(own.gateway.url, ANTHROPIC_ALIAS, plain)
    assert through[0][0] == 0
    assert through[0][1] > 2000
    assert [read for read, _, _ in through[1:]] == [through[0][1]] * 3
    for turn in chatting(3):
        await post(own.gateway.url, "/v1/chat/completions", {"model": ANTHROPIC_ALIAS, **turn})
    sent = own.sent
    assert isinstance(sent["system"], list)
    (block,) = sent["system"]
    assert isinstance(block, dict)
    assert block["cache_control"] == {"type": "ephemeral"}


async def test_the_callers_marks_stay_alone_and_openai_gets_none(own: Front) -> None:
    (turn,) = marked(coding(1))
    await post(
        own.gateway.url, "/v1/messages", {"model": ANTHROPIC_ALIAS, "max_tokens": 10, **turn}
    )
    assert {name: own.sent[name] for name in turn} == turn
    (turn,) = chatting(1)
    await post(own.gateway.url, "/v1/chat/completions", {"model": OPENAI_ALIAS, **turn})
    assert {name: own.sent[name] for name in turn} == turn


# ------------------------------------------------------------------ money


async def test_what_the_cache_saves_is_money_in_ledger_metrics_and_route(own: Front) -> None:
    seen = await play(own.gateway.url, ANTHROPIC_ALIAS, marked(coding(4)))
    read, written = sum(r for r, _, _ in seen), sum(w for _, w, _ in seen)
    # Sonnet 4.5: input 3 USD, read 0.30, write 3.75 for a million tokens.
    (row,) = await prefixes(own.gateway)
    assert row["saved_usd"] == pytest.approx(read * 2.7e-6)
    assert row["write_cost_usd"] == pytest.approx(written * 0.75e-6)
    page = (await own.gateway.get("/metrics")).text
    (shown,) = re.findall(
        r"^tiergate_prompt_cache_saved_usd_total\{.*\} (\S+)$", page, re.MULTILINE
    )
    assert float(shown) == pytest.approx(read * 2.7e-6)
    await own.gateway.stop()  # the ledger is complete then
    said = await tiergate(own.gateway, "spend", "--config", str(own.gateway.config_path), "--json")
    assert said.returncode == 0, said.stderr
    saving = float(json.loads(said.stdout)["total"]["saving_usd"])
    assert saving == pytest.approx(read * 2.7e-6)


# ------------------------------------------------------------------ homes


@pytest_asyncio.fixture(loop_scope="module")
async def pair(folder: Path) -> AsyncIterator[tuple[Gateway, list[MockServer]]]:
    """An alias of two deployments with a provider each, and a third one to fall back to."""
    async with MockServer() as one, MockServer() as two, MockServer() as other:
        mocks = [one, two, other]
        names = (ANTHROPIC_ALIAS, ANTHROPIC_ALIAS, "spare")
        models = [
            {
                **entry(name, f"anthropic/{ANTHROPIC_MODEL}", mock.url),
                "model_info": {"id": f"dep-{at}"},
            }
            for at, (name, mock) in enumerate(zip(names, mocks, strict=True))
        ]
        config: JsonObject = {
            "model_list": [*models],
            "general_settings": {"master_key": KEY},
            "router_settings": {
                "num_retries": 0,
                "allowed_fails": 0,
                "cooldown_time": 60,
                "fallbacks": [{ANTHROPIC_ALIAS: ["spare"]}],
            },
        }
        async with gateway_of(config, folder) as gateway:
            yield gateway, mocks


async def test_a_conversation_stays_where_its_prefix_is_warm(
    pair: tuple[Gateway, list[MockServer]],
) -> None:
    gateway, mocks = pair
    homes: set[int] = set()
    for talk in range(6):
        turns = marked(coding(6))
        for turn in turns:
            messages = turn["messages"]
            assert isinstance(messages, list)
            messages[0] = {"role": "user", "content": f"Task {talk}."}
        before = [len(mock.calls) for mock in mocks]
        await play(gateway.url, ANTHROPIC_ALIAS, turns)
        counts = [len(mock.calls) - had for mock, had in zip(mocks, before, strict=True)]
        assert sorted(counts) == [0, 0, 6], "one deployment serves a whole conversation"
        homes.add(counts.index(6))
    assert homes <= {0, 1}


async def test_a_prefix_that_a_failure_leaves_behind_is_priced_in_the_trail(
    pair: tuple[Gateway, list[MockServer]],
) -> None:
    gateway, mocks = pair
    turns = marked(coding(3))
    seen = await play(gateway.url, ANTHROPIC_ALIAS, turns[:2])
    home = next(at for at, mock in enumerate(mocks) if mock.calls)
    for mock in mocks[:2]:
        mock.use([Rule((Fail(503),))])
    body: JsonObject = {"model": ANTHROPIC_ALIAS, "max_tokens": 10, **turns[2]}
    answer = await gateway.post("/v1/messages", body)
    assert answer.status == 200
    held = seen[1][0] + seen[1][1]
    why = answer.header("x-tiergate-why")
    assert f"lost {held} cached tokens at dep-{home}, " in why
    # It is written anew (3.75 USD a million) where it would have been read (0.30).
    cost = float(why.rpartition(f"dep-{home}, ")[2].split()[0])
    assert cost == pytest.approx(held * 3.45e-6)
    (row,) = await prefixes(gateway)
    assert (row["lost_tokens"], row["lost_usd"]) == (held, pytest.approx(held * 3.45e-6))


# ------------------------------------------------------------------ several workers, restarts


async def test_two_workers_and_a_restart_send_the_same_bytes_and_add_their_figures(
    mock: MockServer, folder: Path
) -> None:
    config = with_settings(both_dialects(mock), litellm_settings=ON)
    chat, native = chatting(1)[0], coding(1)[0]
    async with gateway_of(config, folder, arguments=("--num_workers", "2")) as gateway:
        for _ in range(8):  # each is a connection of its own
            await post(gateway.url, "/v1/chat/completions", {"model": ANTHROPIC_ALIAS, **chat})
            await post(
                gateway.url,
                "/v1/messages",
                {"model": ANTHROPIC_ALIAS, "max_tokens": 10, **copy.deepcopy(native)},
            )
        rows = await prefixes(gateway)
        assert sum(int(str(row["calls"])) for row in rows) == 16
        await gateway.restart()
        await post(gateway.url, "/v1/chat/completions", {"model": ANTHROPIC_ALIAS, **chat})
    sent = [call.body_sha256 for call in mock.calls]
    assert len(sent) == 17
    assert len(set(sent)) == 2, "one form for each door"
    assert sent[-1] == sent[0]
