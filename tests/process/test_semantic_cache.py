"""The semantic cache as callers meet it: a real model, a real file, an alias that costs money."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.chroma import running_chroma
from support.gateway import KEY
from support.http_client import fetch
from support.servers import RedisServer
from support.stage import (
    EMBEDDING_ALIAS,
    OPENAI_ALIAS,
    Providers,
    gateway_of,
    usual,
    with_settings,
)
from tiergate.base.jsontypes import JsonObject

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

ASKED = "How do I reset my password?"
NEAR = "How can I reset my password?"
OTHER = "How do I reset my phone?"


@dataclass(frozen=True)
class Got:
    """What a caller got, and whose answer it was."""

    status: int
    cache: str
    body: JsonObject
    cost: float


async def ask(port: int, text: str, alias: str = OPENAI_ALIAS) -> Got:
    body = {"model": alias, "messages": [{"role": "user", "content": text}], "max_tokens": 50}
    login = [("authorization", f"Bearer {KEY}")]
    answer = await fetch(
        port, "POST", "/v1/chat/completions", body=body, headers=login, timeout=30.0
    )
    headers = dict(answer.headers)
    return Got(
        answer.status,
        headers.get("x-tiergate-cache", ""),
        json.loads(answer.body),
        float(headers.get("x-litellm-response-cost", 0)),
    )


async def get(port: int, path: str) -> bytes:
    login = [("authorization", f"Bearer {KEY}")]
    answer = await fetch(port, "GET", path, headers=login, timeout=30.0)
    assert answer.status == 200, answer.body
    return answer.body


async def near_to(port: int, text: str) -> Got:
    """Ask, each time in other words, until the vector of an earlier question is there.

    It is kept after that one's answer was given, so the next request may come before it.
    """
    async with asyncio.timeout(20):
        while True:
            got = await ask(port, text)
            if got.cache:
                return got
            text += " please"


def params(**more: object) -> JsonObject:
    found: JsonObject = {"similarity_threshold": 0.9, "ttl": 300}
    found.update(more)  # pyright: ignore[reportArgumentType, reportCallIssue]
    return {"cache": True, "cache_params": found}


def compared(page: str, result: str) -> float:
    start = f'tiergate_cache_compared_total{{requested_model="{OPENAI_ALIAS}",result="{result}"}}'
    return next((float(li.split()[-1]) for li in page.splitlines() if li.startswith(start)), 0.0)


async def test_a_local_model_finds_a_paraphrase_also_after_a_restart(tmp_path: Path) -> None:
    local = params(
        type="embedded-semantic",
        semantic_cache_embedding_model="local",
        semantic_cache_embedding_timeout=10,
    )
    async with Providers() as providers:
        config = with_settings(usual(providers), litellm_settings=local)
        config = with_settings(config, general_settings={"state_dir": str(tmp_path / "state")})
        async with gateway_of(config, tmp_path / "one") as gateway:
            first = await ask(gateway.port, ASKED)
            assert (first.status, first.cache) == (200, "")
            near = await near_to(gateway.port, "How may I reset my password?")
            assert near.cache.startswith("semantic; similarity=0.9")
            page = (await get(gateway.port, "/metrics")).decode()
            assert compared(page, "near") == 1
        async with gateway_of(config, tmp_path / "two") as gateway:
            calls = len(providers.openai.requests)
            again = await ask(gateway.port, NEAR)
            assert again.cache.startswith("semantic; similarity=0.9")
            assert (await ask(gateway.port, ASKED)).cache == "response"
            assert (await ask(gateway.port, OTHER)).cache == ""
            assert len(providers.openai.requests) == calls + 1
            assert near.cost == again.cost == 0.0


async def test_vectors_by_an_alias_are_paid_and_hits_are_in_the_books(tmp_path: Path) -> None:
    ours = params(
        type="local",
        semantic_backend="embedded",
        semantic_cache_embedding_model=EMBEDDING_ALIAS,
        similarity_threshold=0.5,
    )
    async with Providers() as providers:
        config = with_settings(usual(providers), litellm_settings=ours)
        async with gateway_of(config, tmp_path / "gateway") as gateway:
            first = await ask(gateway.port, ASKED)
            hit = await near_to(gateway.port, NEAR)
            assert hit.cache.startswith("semantic; similarity=")
            async with asyncio.timeout(10):
                while True:
                    records = json.loads(await get(gateway.port, "/ledger"))["records"]
                    semantic = [each for each in records if each["cache"] == "semantic"]
                    if semantic:
                        break
                    await asyncio.sleep(0.05)
            assert semantic[0]["saving_usd"] == pytest.approx(first.cost)
            vectors = [each for each in records if each["asked"] == EMBEDDING_ALIAS]
            assert {tuple(each["tags"]) for each in vectors} == {("tiergate:semantic-cache",)}
            assert all(each["cost_usd"] > 0 for each in vectors)
            saved = [
                line
                for line in (await get(gateway.port, "/metrics")).decode().splitlines()
                if line.startswith("tiergate_cache_saved_usd_total") and 'layer="semantic"' in line
            ]
            assert float(saved[0].split()[-1]) == pytest.approx(first.cost)


async def test_answers_and_vectors_are_shared_in_a_redis_without_a_search_module(
    tmp_path: Path,
) -> None:
    server = RedisServer(tmp_path / "redis")
    server.start()
    ours = params(
        type="redis-semantic",
        host="127.0.0.1",
        port=server.port,
        redis_semantic_cache_embedding_model="local",
        semantic_cache_embedding_timeout=10,
    )
    try:
        await shared_by_two(tmp_path, ours)
    finally:
        server.kill()


async def test_answers_and_vectors_are_shared_in_chroma(tmp_path: Path) -> None:
    (tmp_path / "chroma").mkdir()
    with running_chroma(tmp_path / "chroma") as server:
        ours = params(
            type="chromadb-semantic",
            chroma_api_base=server.url,
            semantic_cache_embedding_model="local",
            semantic_cache_embedding_timeout=10,
            socket_timeout=5,
        )
        await shared_by_two(tmp_path, ours)


async def shared_by_two(folder: Path, settings: JsonObject) -> None:
    async with Providers() as providers:
        config = with_settings(usual(providers), litellm_settings=settings)
        one = gateway_of(config, folder / "one")
        other = gateway_of(config, folder / "two")
        async with one as first, other as second:
            asked = await ask(first.port, ASKED)
            got = await near_to(second.port, NEAR)
            assert got.cache.startswith("semantic; similarity=0.9")
            assert got.status == asked.status == 200


async def test_a_server_of_vectors_that_is_not_there_fails_no_request(tmp_path: Path) -> None:
    ours = params(
        type="local",
        semantic_backend="qdrant",
        qdrant_api_base="http://127.0.0.1:9",
        semantic_cache_embedding_model=EMBEDDING_ALIAS,
    )
    async with Providers() as providers:
        config = with_settings(usual(providers), litellm_settings=ours)
        async with gateway_of(config, tmp_path / "gateway") as gateway:
            assert (await ask(gateway.port, ASKED)).status == 200
            ready = json.loads(await get(gateway.port, "/health/readiness"))
            assert ready["status"] == "degraded"
            assert any("Qdrant" in fault for fault in ready["faults"])
            assert (await ask(gateway.port, ASKED)).cache == "response"
