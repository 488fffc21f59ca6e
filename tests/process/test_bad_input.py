"""Bad input gets a clear 4xx in the caller's shape on both protocols, and nothing is sent on."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest

from support.gateway import KEY, bearer
from support.http_client import fetch, request_bytes, send_raw
from support.shapes import CHAT, DOORS, MESSAGES, minimal, told
from support.stage import (
    ANTHROPIC_ALIAS,
    EMBEDDING_ALIAS,
    OPENAI_ALIAS,
    Configure,
    Providers,
    Stage,
    usual,
    with_settings,
)
from tiergate.base.jsontypes import Json, JsonObject

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

MEGABYTE = 1024 * 1024
BODY_LIMIT = 12 * MEGABYTE
HEADER_LIMIT = 16 * 1024

NATIVE = {CHAT: OPENAI_ALIAS, MESSAGES: ANTHROPIC_ALIAS}
"""The alias whose provider speaks the route's own protocol."""

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


BROKEN: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \n ",
    "truncated in a string": b'{"model":"cheap","messages":[{"role":"user","content":"h',
    "truncated after a member": b'{"model":"cheap",',
    "no JSON": b"model=cheap&messages=hi",
    "a list": b"[]",
    "a string": b'"cheap"',
    "null": b"null",
    "two objects": b'{"model":"cheap"}{"model":"cheap"}',
    "a comment": b'{"model":"cheap" /* which? */}',
    "a trailing comma": b'{"model":"cheap",}',
    "NaN": b'{"model":"cheap","temperature":NaN}',
    "single quotes": b"{'model':'cheap'}",
    "invalid UTF-8": b'{"model":"cheap","messages":[{"role":"user","content":"\xff\xfe"}]}',
    "UTF-16": '{"model":"cheap"}'.encode("utf-16"),
    "a name twice": b'{"model":"cheap","model":"balanced","messages":[{"role":"user"}]}',
    "messages twice": (
        b'{"model":"cheap","messages":[{"role":"user","content":"a"}],'
        b'"messages":[{"role":"user","content":"b"}]}'
    ),
    "a bomb of lists": b'{"model":"cheap","messages":' + b"[" * 200_000,
    "a closed bomb of lists": (
        b'{"model":"cheap","messages":[{"role":"user","content":'
        + b"[" * 100_000
        + b"]" * 100_000
        + b"}]}"
    ),
    "a closed bomb of objects": (
        b'{"model":"cheap","x":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}"
    ),
    "a thousand members": (
        b'{"model":"cheap",' + b",".join(b'"m%d":1' % n for n in range(1_000)) + b"}"
    ),
}


@doors
@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_body(stage: Stage, path: str, body: bytes) -> None:
    answer = await stage.gateway.post(path, body, headers=[("content-length", str(len(body)))])
    error = told(answer, path)
    assert (error.status, error.kind) == (400, "invalid_request_error")
    assert stage.calls == 0


COMMON_TYPES: dict[str, Json] = {
    "model": 1,
    "messages": "hi",
    "stream": "yes",
    "temperature": "warm",
    "top_p": [],
    "max_tokens": "many",
    "tools": {},
    "metadata": [],
    "tool_choice": 3,
}
WRONG_TYPES: list[tuple[str, str, Json]] = [
    *((path, name, value) for path in DOORS for name, value in COMMON_TYPES.items()),
    (CHAT, "max_completion_tokens", "many"),
    (CHAT, "n", "two"),
    (CHAT, "seed", {}),
    (CHAT, "stop", 7),
    (CHAT, "stream_options", True),
    (CHAT, "response_format", "json"),
    (CHAT, "parallel_tool_calls", "no"),
    (CHAT, "presence_penalty", "x"),
    (CHAT, "frequency_penalty", []),
    (CHAT, "logit_bias", []),
    (CHAT, "user", 1),
    (CHAT, "reasoning_effort", 3),
    (MESSAGES, "system", 3),
    (MESSAGES, "top_k", "x"),
    (MESSAGES, "stop_sequences", "END"),
    (MESSAGES, "thinking", "on"),
    (MESSAGES, "output_config", []),
    # What speaks to the gateway itself.
    *((path, "num_retries", "two") for path in DOORS),
    *((path, "timeout", "soon") for path in DOORS),
    *((path, "fallbacks", "balanced") for path in DOORS),
    *((path, "tags", {"a": 1}) for path in DOORS),
]


@pytest.mark.parametrize(("path", "name", "value"), WRONG_TYPES)
async def test_a_known_field_of_a_wrong_type_is_named(
    stage: Stage, path: str, name: str, value: Json
) -> None:
    answer = await stage.gateway.post(path, body_of(path, **{name: value}))
    error = told(answer, path)
    assert (error.status, error.kind) == (400, "invalid_request_error")
    assert name in error.message
    if path == CHAT:
        assert error.param == name
    assert stage.calls == 0


@doors
@pytest.mark.parametrize("name", ["model", "messages"])
async def test_a_missing_field_is_named(stage: Stage, path: str, name: str) -> None:
    body = minimal(path, NATIVE[path])
    del body[name]
    error = told(await stage.gateway.post(path, body), path)
    assert error.status == 400
    assert name in error.message
    assert stage.calls == 0


MESSAGE_LISTS: dict[str, Json] = {"none": [], "text": ["hi"], "null": [None], "a list": [[]]}


@doors
@pytest.mark.parametrize("messages", MESSAGE_LISTS.values(), ids=MESSAGE_LISTS.keys())
async def test_messages_that_are_none(stage: Stage, path: str, messages: Json) -> None:
    error = told(await stage.gateway.post(path, body_of(path, messages=messages)), path)
    assert error.status == 400
    assert "messages" in error.message
    assert stage.calls == 0


@doors
@pytest.mark.parametrize("name", ["api_base", "base_url", "api_key", "extra_headers"])
async def test_where_a_call_goes_is_not_the_callers_choice(
    stage: Stage, path: str, name: str
) -> None:
    error = told(await stage.gateway.post(path, body_of(path, **{name: "http://evil"})), path)
    assert error.status == 400
    assert name in error.message
    assert stage.calls == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-litellm-timeout", "soon"),
        ("x-litellm-timeout", "-1"),
        ("x-litellm-num-retries", "many"),
    ],
)
@doors
async def test_a_header_for_the_gateway_that_makes_no_sense_is_named(
    stage: Stage, path: str, name: str, value: str
) -> None:
    answer = await stage.gateway.post(path, body_of(path), headers=[(name, value)])
    error = told(answer, path)
    assert error.status == 400
    assert name in error.message
    assert stage.calls == 0


@doors
async def test_unknown_fields_pass_through(stage: Stage, path: str) -> None:
    more: JsonObject = {"field_of_tomorrow": {"deep": [1, 2.5e3, None, "é"]}, "ünïcode": True}
    answer = await stage.gateway.post(path, body_of(path, **more))
    assert answer.status == 200
    sent = stage.of(NATIVE[path]).last.json
    assert {name: sent[name] for name in more} == more


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


@pytest.mark.parametrize(
    "body", [{"model": EMBEDDING_ALIAS}, {"model": EMBEDDING_ALIAS, "input": 3}, {"input": "x"}]
)
async def test_embeddings_want_model_and_input(stage: Stage, body: JsonObject) -> None:
    error = told(await stage.gateway.post("/v1/embeddings", body), "/v1/embeddings")
    assert error.status == 400
    assert stage.calls == 0


@doors
async def test_a_name_that_is_no_alias_is_not_repeated_at_length(stage: Stage, path: str) -> None:
    answer = await stage.gateway.post(path, body_of(path, model="x" * 100_000))
    error = told(answer, path)
    assert error.status == 400
    assert ANTHROPIC_ALIAS in error.message
    assert len(answer.body) < 1_000
    assert stage.calls == 0
