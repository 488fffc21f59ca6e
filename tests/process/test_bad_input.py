"""Bad input gets a clear 4xx in the caller's shape on both protocols, and nothing is sent on."""

from __future__ import annotations

import json

import pytest

from support.shapes import CHAT, DOORS, MESSAGES, NATIVE, minimal, told
from support.stage import ANTHROPIC_ALIAS, EMBEDDING_ALIAS, Stage
from tiergate.base.jsontypes import Json, JsonObject

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

doors = pytest.mark.parametrize("path", DOORS)


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
