"""A caller that does not read slows its own stream down, and nothing piles up in the gateway."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from support import dialects, openai_wire
from support.exchange import stream_reply
from support.http_client import Exchange
from support.shapes import DOORS, minimal
from support.stage import OPENAI_ALIAS, Stage

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

MEGABYTE = 1024 * 1024
PIECE = "x" * 32_768
PIECES = 4_000
"""Of 32 KB each: far more than all socket buffers on the way together hold."""
ALLOWED_MEGABYTES = 48


def resident(pid: int) -> float:
    """Memory of a process in megabytes."""
    fields = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in fields.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


@pytest.mark.parametrize("path", DOORS)
async def test_a_caller_that_does_not_read_holds_the_provider_back(
    stage: Stage, path: str
) -> None:
    events = [openai_wire.role_chunk(), *[openai_wire.text_chunk(PIECE)] * PIECES]
    stage.of(OPENAI_ALIAS).script(
        stream_reply(*events, openai_wire.finish_chunk(), openai_wire.DONE)
    )
    await stage.gateway.post(path, minimal(path, OPENAI_ALIAS, max_tokens=1))
    before = resident(stage.gateway.pid)
    body = minimal(path, OPENAI_ALIAS, stream=True)
    async with stage.gateway.posting(path, body) as exchange:
        await exchange.head()
        recorded = await stage.of(OPENAI_ALIAS).received(2)
        await asyncio.sleep(0.7)
        assert recorded.done is None
        assert resident(stage.gateway.pid) - before < ALLOWED_MEGABYTES
        # Meanwhile others are served.
        other = await stage.gateway.post(path, minimal(path, "cheap"))
        assert other.status == 200
        read = await read_some(exchange, 64 * MEGABYTE)
    assert read >= 64 * MEGABYTE
    await recorded.ended()
    assert recorded.gone is not None


async def read_some(exchange: Exchange, size: int) -> int:
    """Read a part of the stream; give its size."""
    read = 0
    while read < size and (piece := await exchange.piece()) is not None:
        read += len(piece)
    return read


async def test_many_streams_at_once_each_get_all_of_their_own(stage: Stage) -> None:
    texts = [f"stream number {number}" for number in range(60)]

    async def one(text: str, path: str) -> str:
        said = [{"role": "user", "content": text}]
        answer = await stage.gateway.post(
            path, minimal(path, OPENAI_ALIAS, stream=True, messages=said)
        )
        assert dialects.ends_well(answer, path)
        return dialects.said(answer)

    stage.of(OPENAI_ALIAS).script(
        lambda recorded: openai_wire.text_stream(last_text(recorded.json["messages"]))
    )
    answers = await asyncio.gather(
        *(one(text, DOORS[number % 2]) for number, text in enumerate(texts))
    )
    assert answers == texts


def last_text(messages: object) -> str:
    """What the user says last."""
    assert isinstance(messages, list)
    content = messages[-1]["content"]
    text = content if isinstance(content, str) else content[0]["text"]
    assert isinstance(text, str)
    return text
