"""Pieces of an answer, and a client that is slow."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc

import pytest

from support.front import until
from tiergate.front import ClientGoneError
from tiergate.front.flow import HIGH_WATER, Flow
from tiergate.front.stream import SLICE, Stream


def stream(*, chunked: bool) -> tuple[Stream, list[bytes], Flow]:
    written: list[bytes] = []
    flow = Flow(asyncio.get_running_loop())
    return Stream(flow, written.append, chunked=chunked), written, flow


def without_suspending(coroutine) -> None:
    with pytest.raises(StopIteration):
        coroutine.send(None)


async def test_pieces_become_chunks() -> None:
    made, written, _ = stream(chunked=True)
    without_suspending(made.send_bytes(b"hello world, hello"))
    made.end()
    assert written == [b"12\r\nhello world, hello\r\n", b"0\r\n\r\n"]


async def test_without_chunks_pieces_are_sent_as_they_are() -> None:
    made, written, _ = stream(chunked=False)
    without_suspending(made.send_bytes(b"hello"))
    made.end()
    assert written == [b"hello"]


@pytest.mark.parametrize("chunked", [True, False])
async def test_an_empty_piece_does_not_end_the_answer(chunked) -> None:
    made, written, _ = stream(chunked=chunked)
    without_suspending(made.send_bytes(b""))
    assert written == []


async def test_a_large_piece_goes_in_slices() -> None:
    made, written, _ = stream(chunked=False)
    data = bytes(range(256)) * 1000
    await made.send_bytes(data)
    assert b"".join(written) == data
    assert max(map(len, written)) == SLICE


async def test_sending_waits_while_the_client_is_slow() -> None:
    made, written, flow = stream(chunked=False)
    flow.pause()
    sending = asyncio.create_task(made.send_bytes(b"x" * 3 * SLICE))
    await asyncio.sleep(0)
    assert len(written) == 1
    flow.resume()
    await sending
    assert len(written) == 3


@pytest.mark.parametrize("how", ["end", "cut"])
async def test_after_the_end_nothing_is_sent(how) -> None:
    made, written, _ = stream(chunked=True)
    getattr(made, how)()
    before = len(written)
    with pytest.raises(ClientGoneError):
        await made.send_bytes(b"x")
    made.end()
    assert len(written) == before


async def test_a_slow_client_bounds_what_the_server_keeps(serve) -> None:
    sent = 0
    total = 50 * 1024 * 1024
    piece = b"x" * 10_000

    async def flood(request, call) -> None:
        nonlocal sent
        answer = call.response_stream(200, [])
        while sent < total:
            await answer.send_bytes(piece)
            sent += len(piece)

    served = await serve(flood)
    client = await served.client()
    client.writer.transport.pause_reading()
    gc.collect()
    tracemalloc.start()
    await client.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: sent)
    seen = -1
    while sent != seen:
        seen = sent
        await asyncio.sleep(0.1)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen < total
    assert kept < 1024 * 1024
    client.writer.transport.resume_reading()
    answer = await client.answer()
    assert len(answer.body) == sent >= total


async def test_one_huge_piece_is_not_kept_either(serve) -> None:
    flows: list[Flow] = []

    async def flood(request, call) -> None:
        answer = call.response_stream(200, [])
        flows.append(answer._flow)
        await answer.send_bytes(b"x" * 50 * 1024 * 1024)

    client = await (await serve(flood)).client()
    client.writer.transport.pause_reading()
    await client.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: flows and flows[0].paused)
    await asyncio.sleep(0.1)
    assert flows[0].unsent < HIGH_WATER + 2 * SLICE
    client.writer.transport.resume_reading()
    assert len((await client.answer()).body) == 50 * 1024 * 1024
