"""Sizes and HTTP framing: limits answer 413 and 431, a broken frame reaches no provider."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest

from support.gateway import KEY, bearer
from support.http_client import fetch, request_bytes, send_raw
from support.shapes import DOORS, MESSAGES, NATIVE, minimal, told
from support.stage import Configure, Providers, Stage, usual, with_settings
from tiergate.base.jsontypes import JsonObject

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

MEGABYTE = 1024 * 1024
BODY_LIMIT = 12 * MEGABYTE
HEADER_LIMIT = 16 * 1024

doors = pytest.mark.parametrize("path", DOORS)


@pytest.fixture(scope="module")
def configure() -> Configure:
    def configured(providers: Providers) -> JsonObject:
        limits: JsonObject = {
            "max_request_body_bytes": BODY_LIMIT,
            "max_request_header_bytes": HEADER_LIMIT,
        }
        return with_settings(usual(providers), general_settings=limits)

    return configured


def body_of(path: str, **more: object) -> bytes:
    return json.dumps(minimal(path, NATIVE[path], **more)).encode()


@doors
async def test_a_body_of_ten_megabytes_is_served(stage: Stage, path: str) -> None:
    text = "0123456789abcdef" * (10 * MEGABYTE // 16)
    body = body_of(path, messages=[{"role": "user", "content": text}])
    assert (await stage.gateway.post(path, body)).status == 200
    assert len(stage.of(NATIVE[path]).last.body) >= 10 * MEGABYTE


@doors
async def test_a_body_over_the_limit_is_a_413(stage: Stage, path: str) -> None:
    body = body_of(path, padding="x" * BODY_LIMIT)
    answer = await stage.gateway.post(path, body)
    error = told(answer, path)
    assert error.status == 413
    assert str(BODY_LIMIT) in error.message
    if path == MESSAGES:
        assert error.kind == "request_too_large"
    assert stage.calls == 0


@doors
async def test_an_announced_length_over_the_limit_is_refused_before_it_is_sent(
    stage: Stage, path: str
) -> None:
    headers = (*bearer(KEY), ("content-length", str(BODY_LIMIT + 1)))
    answer = await fetch(stage.gateway.port, "POST", path, body=b"{", headers=headers)
    assert told(answer, path).status == 413


@doors
async def test_a_chunked_body_over_the_limit_is_a_413(stage: Stage, path: str) -> None:
    piece = b"x" * MEGABYTE
    chunks = (b"%x\r\n%b\r\n" % (len(piece), piece)) * (BODY_LIMIT // MEGABYTE + 1)
    headers = (*bearer(KEY), ("transfer-encoding", "chunked"))
    body = chunks + b"0\r\n\r\n"
    answer = await fetch(stage.gateway.port, "POST", path, body=body, headers=headers)
    assert told(answer, path).status == 413
    assert stage.calls == 0


@doors
async def test_a_client_that_waits_for_leave_to_send_gets_it(stage: Stage, path: str) -> None:
    body = body_of(path)
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.gateway.port)
    writer.write(head_with(path, f"content-length: {len(body)}", "expect: 100-continue"))
    async with asyncio.timeout(5):
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()
    await writer.wait_closed()


@doors
async def test_a_chunked_upload_is_served(stage: Stage, path: str) -> None:
    body = body_of(path)
    pieces = [body[at : at + 7] for at in range(0, len(body), 7)]
    chunks = b"".join(b"%x;ext=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    headers = (*bearer(KEY), ("transfer-encoding", "chunked"))
    answer = await fetch(
        stage.gateway.port, "POST", path, body=chunks + b"0\r\n\r\n", headers=headers
    )
    assert answer.status == 200
    assert stage.of(NATIVE[path]).last.json["messages"] == json.loads(body)["messages"]


@doors
@pytest.mark.parametrize("coding", ["gzip", "br", "gzip, identity"])
async def test_a_compressed_body_is_a_415(stage: Stage, path: str, coding: str) -> None:
    body = gzip.compress(body_of(path))
    answer = await stage.gateway.post(path, body, headers=[("content-encoding", coding)])
    error = told(answer, path)
    assert (error.status, error.kind) == (415, "invalid_request_error")
    assert "content-encoding" in error.message
    assert stage.calls == 0


@doors
async def test_headers_over_the_limit_are_a_431(stage: Stage, path: str) -> None:
    headers = [("x-padding", "x" * HEADER_LIMIT)]
    error = told(await stage.gateway.post(path, body_of(path), headers=headers), path)
    assert error.status == 431
    assert stage.calls == 0


async def test_a_header_without_end_is_refused(stage: Stage) -> None:
    head = b"POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-endless: " + b"x" * MEGABYTE
    answer = await send_raw(stage.gateway.port, head, timeout=2.0)
    assert answer.startswith((b"HTTP/1.1 431", b"HTTP/1.1 400")), answer[:100]
    assert stage.calls == 0


def head_with(path: str, *lines: str) -> bytes:
    """A request head with the key."""
    usual_lines = (f"POST {path} HTTP/1.1", "host: localhost", f"authorization: Bearer {KEY}")
    return "\r\n".join((*usual_lines, *lines, "", "")).encode()


NO_LENGTHS = {
    "words": ("content-length: ten",),
    "negative": ("content-length: -5",),
    "two that differ": ("content-length: 5", "content-length: 6"),
    "an unknown coding": ("transfer-encoding: gzip",),
}


@doors
@pytest.mark.parametrize("lines", NO_LENGTHS.values(), ids=NO_LENGTHS.keys())
async def test_a_length_that_is_none_is_a_4xx(
    stage: Stage, path: str, lines: tuple[str, ...]
) -> None:
    answer = await send_raw(
        stage.gateway.port, head_with(path, *lines) + body_of(path), timeout=2.0
    )
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 501")), answer[:100]
    assert stage.calls == 0


@doors
async def test_a_body_shorter_than_announced_sends_nothing_on(stage: Stage, path: str) -> None:
    body = body_of(path)
    _, writer = await asyncio.open_connection("127.0.0.1", stage.gateway.port)
    writer.write(head_with(path, f"content-length: {len(body) + 1}") + body)
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await stage.gateway.post(path, body)).status == 200
    assert stage.calls == 1


@doors
async def test_a_body_longer_than_announced_is_a_broken_body(stage: Stage, path: str) -> None:
    body = body_of(path)
    data = head_with(path, f"content-length: {len(body) - 1}") + body
    answer = await send_raw(stage.gateway.port, data, timeout=1.0)
    assert answer.startswith(b"HTTP/1.1 400"), answer[:100]
    assert stage.calls == 0


@doors
async def test_a_chunk_without_size_sends_nothing_on(stage: Stage, path: str) -> None:
    head = head_with(path, "transfer-encoding: chunked")
    answer = await send_raw(stage.gateway.port, head + b"zz\r\n{}\r\n0\r\n\r\n", timeout=1.0)
    assert not answer.startswith(b"HTTP/1.1 2")
    assert stage.calls == 0


@pytest.mark.parametrize(
    "data",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"\x00" * 64],
    ids=["TLS", "no HTTP", "zeros"],
)
async def test_what_is_no_http_does_no_harm(stage: Stage, data: bytes) -> None:
    answer = await send_raw(stage.gateway.port, data, timeout=0.5)
    assert not answer.startswith(b"HTTP/1.1 2")
    assert (await stage.gateway.get("/v1/models")).status == 200


@doors
async def test_after_bad_input_the_next_call_on_the_connection_is_served(
    stage: Stage, path: str
) -> None:
    port = stage.gateway.port
    bad = request_bytes(port, "POST", path, body=b"{", headers=bearer(KEY))
    good = request_bytes(
        port, "POST", path, body=body_of(path), headers=(*bearer(KEY), ("connection", "close"))
    )
    answers = await send_raw(port, bad + good, timeout=5.0)
    assert answers.count(b"HTTP/1.1 400") == 1
    assert answers.count(b"HTTP/1.1 200") == 1
