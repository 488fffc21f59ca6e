"""Calls whose provider told no usage: what they are charged, and that it is called an estimate."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from support import anthropic_wire, openai_wire
from support.exchange import Break, Gate, json_reply, stream_reply
from support.gateway import KEY, Gateway
from support.stage import Providers
from tiergate.base.jsontypes import JsonObject

pytestmark = pytest.mark.process

WORDS = "The quick brown fox jumps over the lazy dog and goes home again. " * 20
TOKENS = 281
"""Of `WORDS` in `o200k_base`."""

PROMPT = 1_000_000
ANSWER = 5_000_000
"""nano-USD for a thousand tokens."""


def config_of(providers: Providers, folder: Path) -> JsonObject:
    prices = {"input_cost_per_token": 0.000001, "output_cost_per_token": 0.000005}
    return {
        "model_list": [
            providers.at_anthropic("frontier", "claude-opus-4-5", **prices),
            providers.at_openai("cheap", "gpt-4o", **prices),
        ],
        "litellm_settings": {"max_budget": 50, "budget_duration": "monthly"},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "general_settings": {"master_key": KEY, "state_dir": str(folder / "books")},
    }


def asked(alias: str, *, stream: bool = False) -> JsonObject:
    return {
        "model": alias,
        "stream": stream,
        "max_tokens": 2000,
        "messages": [{"role": "user", "content": WORDS}],
    }


async def only_record(gateway: Gateway, seconds: float = 10.0) -> JsonObject:
    """The record of the one call; records come up to a second after the call."""
    async with asyncio.timeout(seconds):
        while True:
            answer = await gateway.get("/ledger")
            records = answer.json["records"]
            assert isinstance(records, list)
            if records:
                (record,) = records
                assert isinstance(record, dict)
                return record
            await asyncio.sleep(0.05)


def number(record: JsonObject, name: str) -> int:
    found = record[name]
    assert isinstance(found, int)
    return found


def is_near(count: int, true: int) -> bool:
    """Not below it, and above it by a third at most."""
    return true <= count <= true * 4 / 3


@pytest.mark.parametrize("usage", ["missing", "null", "zeros"])
async def test_a_plain_answer_without_usage_is_counted(tmp_path: Path, usage: str) -> None:
    async with Providers() as providers, Gateway(config_of(providers, tmp_path), tmp_path) as gate:
        body = openai_wire.completion(WORDS)
        body["usage"] = openai_wire.usage(0, 0) if usage == "zeros" else None
        if usage == "missing":
            del body["usage"]
        providers.openai.script(json_reply(body))
        answer = await gate.post("/v1/chat/completions", asked("cheap"))
        record = await only_record(gate)

    assert answer.status == 200
    assert answer.json.get("usage") == body.get("usage"), "the answer is the provider's own"
    assert record["estimated"] is True
    assert is_near(number(record, "input_tokens"), TOKENS)
    assert is_near(number(record, "output_tokens"), TOKENS)
    assert number(record, "cost_nano_usd") * 1000 == (
        number(record, "input_tokens") * PROMPT + number(record, "output_tokens") * ANSWER
    )


async def left(folder: Path, alias: str, events: Sequence[bytes]) -> JsonObject:
    """Leave a stream once the last of some events has come; return the record of the call."""
    still = Gate()
    async with Providers() as providers, Gateway(config_of(providers, folder), folder) as gateway:
        upstream = providers.anthropic if alias == "frontier" else providers.openai
        upstream.script(stream_reply(*events, still))
        path = "/v1/messages" if alias == "frontier" else "/v1/chat/completions"
        async with gateway.posting(path, asked(alias, stream=True)) as exchange:
            seen = (await exchange.head()).body
            while b"end-mark" not in seen:
                piece = await exchange.piece()
                assert piece is not None
                seen += piece
        return await only_record(gateway)


async def test_an_openai_stream_that_is_left_costs_what_has_come(tmp_path: Path) -> None:
    chunks = [openai_wire.role_chunk(), *(openai_wire.text_chunk(f"{w} ") for w in WORDS.split())]
    record = await left(tmp_path, "cheap", [*chunks, openai_wire.text_chunk("end-mark")])

    assert (record["status"], record["estimated"]) == ("cancelled", True)
    assert is_near(number(record, "input_tokens"), TOKENS)
    assert is_near(number(record, "output_tokens"), TOKENS)


async def test_an_anthropic_stream_that_is_left_keeps_the_prompt_it_told(tmp_path: Path) -> None:
    events = anthropic_wire.text_events(f"{WORDS} end-mark")
    upto = next(n for n, event in enumerate(events, 1) if b"end-mark" in event)
    record = await left(tmp_path, "frontier", events[:upto])

    assert (record["status"], record["estimated"]) == ("cancelled", True)
    assert number(record, "input_tokens") == 10
    assert is_near(number(record, "output_tokens"), TOKENS * 6 // 5)


async def test_a_stream_that_ends_without_usage_is_counted(tmp_path: Path) -> None:
    words = [openai_wire.text_chunk(f"{word} ") for word in WORDS.split()]
    events = [openai_wire.role_chunk(), *words, openai_wire.finish_chunk(), openai_wire.DONE]
    async with Providers() as providers, Gateway(config_of(providers, tmp_path), tmp_path) as gate:
        providers.openai.script(stream_reply(*events))
        answer = await gate.post("/v1/chat/completions", asked("cheap", stream=True))
        record = await only_record(gate)

    assert b"[DONE]" in answer.body
    assert (record["status"], record["estimated"]) == ("success", True)
    assert is_near(number(record, "output_tokens"), TOKENS)


async def test_a_stream_that_breaks_costs_what_has_come(tmp_path: Path) -> None:
    words = [openai_wire.text_chunk(f"{word} ") for word in WORDS.split()]
    async with Providers() as providers, Gateway(config_of(providers, tmp_path), tmp_path) as gate:
        providers.openai.script(stream_reply(openai_wire.role_chunk(), *words, Break.CLOSE))
        await gate.post("/v1/chat/completions", asked("cheap", stream=True))
        record = await only_record(gate)

    assert (record["status"], record["estimated"]) == ("failure", True)
    assert is_near(number(record, "output_tokens"), TOKENS)


async def test_a_told_usage_is_no_estimate(tmp_path: Path) -> None:
    async with Providers() as providers, Gateway(config_of(providers, tmp_path), tmp_path) as gate:
        await gate.post("/v1/chat/completions", asked("cheap"))
        record = await only_record(gate)

    assert record["estimated"] is False
