"""Every spelling of every hot route is served; keys, probes and connections work as clients do."""

from __future__ import annotations

import pytest

from support.exchange import Break, json_reply
from support.gateway import KEY, bearer
from support.http_client import events_of, fetch, request_bytes, send_raw
from support.openai_wire import completion
from support.shapes import CHAT, DOORS, MESSAGES, minimal, told
from support.stage import (
    ALIASES,
    ANTHROPIC_ALIAS,
    EMBEDDING_ALIAS,
    OPENAI_ALIAS,
    Stage,
)
from tiergate.base.jsontypes import JsonObject

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

BODIES: dict[str, JsonObject] = {
    "/chat/completions": minimal(CHAT, OPENAI_ALIAS),
    "/completions": {"model": OPENAI_ALIAS, "prompt": "hi"},
    "/embeddings": {"model": EMBEDDING_ALIAS, "input": "hi"},
    "/messages": minimal(MESSAGES, ANTHROPIC_ALIAS),
    "/messages/count_tokens": {
        "model": ANTHROPIC_ALIAS,
        "messages": [{"role": "user", "content": "hi"}],
    },
}
UPSTREAM_PATHS = {route: f"/v1{route}" for route in BODIES}
SPELLINGS = [
    (f"{before}{route}{after}", route)
    for route in BODIES
    for before in ("/v1", "")
    for after in ("", "/", "?beta=true")
]


@pytest.mark.parametrize(("target", "route"), SPELLINGS)
async def test_each_spelling_is_served(stage: Stage, target: str, route: str) -> None:
    answer = await stage.gateway.post(target, BODIES[route])
    assert answer.status == 200, answer.text
    upstream = stage.of(ANTHROPIC_ALIAS if "messages" in route else OPENAI_ALIAS)
    assert upstream.last.path == UPSTREAM_PATHS[route]
    assert stage.calls == 1


@pytest.mark.parametrize("route", [*BODIES, "/models"])
@pytest.mark.parametrize("before", ["/v1", ""])
async def test_each_route_wants_the_key(stage: Stage, route: str, before: str) -> None:
    method = "GET" if route == "/models" else "POST"
    path = f"{before}{route}"
    for headers in ((), (("authorization", "Bearer wrong"),), (("x-api-key", f"{KEY}x"),)):
        answer = await fetch(
            stage.gateway.port, method, path, body=BODIES.get(route), headers=headers
        )
        shape = MESSAGES if "messages" in route else CHAT
        error = told(answer, shape)
        assert (error.status, error.kind) == (401, "authentication_error")
    assert stage.calls == 0


@pytest.mark.parametrize(
    "header",
    [
        ("Authorization", f"Bearer {KEY}"),
        ("authorization", f"bearer {KEY}"),
        ("AUTHORIZATION", f"BEARER   {KEY}"),
        ("X-Api-Key", KEY),
        ("api-key", KEY),
    ],
    ids=lambda header: header[0] + header[1][:7],
)
@pytest.mark.parametrize("path", DOORS)
async def test_the_key_may_stand_where_clients_put_it(
    stage: Stage, path: str, header: tuple[str, str]
) -> None:
    body = minimal(path, OPENAI_ALIAS)
    answer = await fetch(stage.gateway.port, "POST", path, body=body, headers=[header])
    assert answer.status == 200
    assert KEY not in stage.of(OPENAI_ALIAS).last.head.decode("latin-1")


@pytest.mark.parametrize("path", ["/", CHAT, MESSAGES, "/v1/models"])
async def test_a_probe_is_answered_without_a_key_and_without_a_body(
    stage: Stage, path: str
) -> None:
    head = await fetch(stage.gateway.port, "HEAD", path)
    options = await fetch(stage.gateway.port, "OPTIONS", path)
    assert (head.status, head.body) == (200, b"")
    assert options.status in (200, 204)
    assert "POST" in (options.header("allow") or "")


@pytest.mark.parametrize("path", [CHAT, MESSAGES, "/v1/embeddings"])
async def test_a_wrong_method_is_a_405_that_names_the_right_one(stage: Stage, path: str) -> None:
    answer = await stage.gateway.get(path)
    assert told(answer, path).status == 405
    assert "POST" in (answer.header("allow") or "")


@pytest.mark.parametrize("path", ["/v1/nothing", "/v2/messages", "/v1/chat", "/v1/models/none"])
async def test_what_is_not_there_is_a_404(stage: Stage, path: str) -> None:
    answer = await stage.gateway.get(path)
    assert told(answer, CHAT if not path.endswith("/messages") else path).status == 404


@pytest.mark.parametrize(
    "path", ["/health/liveliness", "/health/liveness", "/health/readiness", "/"]
)
async def test_health_is_open_to_all(stage: Stage, path: str) -> None:
    assert (await stage.gateway.get(path, key=None)).status == 200


async def test_models_have_both_clients_form(stage: Stage) -> None:
    listed = (await stage.gateway.get("/v1/models")).json
    assert listed["object"] == "list"
    rows = listed["data"]
    assert isinstance(rows, list)
    names = [row["id"] for row in rows if isinstance(row, dict)]
    assert names == [*ALIASES, EMBEDDING_ALIAS]
    assert (listed["first_id"], listed["last_id"]) == (names[0], names[-1])


async def test_calls_in_a_row_use_one_connection_each_way(stage: Stage) -> None:
    upstream = stage.of(OPENAI_ALIAS)
    port = stage.gateway.port
    await stage.gateway.post(CHAT, minimal(CHAT, OPENAI_ALIAS))
    before = upstream.accepted
    request = request_bytes(
        port, "POST", CHAT, body=minimal(CHAT, OPENAI_ALIAS), headers=bearer(KEY)
    )
    last = request_bytes(
        port,
        "POST",
        CHAT,
        body=minimal(CHAT, OPENAI_ALIAS, stream=True),
        headers=(*bearer(KEY), ("connection", "close")),
    )
    answers = await send_raw(port, request * 9 + last)
    assert answers.count(b"HTTP/1.1 200") == 10
    assert upstream.accepted == before
    assert (await stage.gateway.post(CHAT, minimal(CHAT, OPENAI_ALIAS))).status == 200
    assert upstream.accepted == before


async def test_a_connection_that_the_provider_closed_is_not_a_failure(stage: Stage) -> None:
    closing = json_reply(completion("bye"))
    upstream = stage.of(OPENAI_ALIAS)
    # Closed after the answer, without a word: what providers do with idle connections.
    object.__setattr__(closing, "steps", (*closing.steps, Break.CLOSE))
    upstream.script(closing)
    for _ in range(5):
        answer = await stage.gateway.post(CHAT, minimal(CHAT, OPENAI_ALIAS))
        assert answer.status == 200
    assert len(upstream.requests) == 5


async def test_a_stream_is_sent_as_it_comes_and_marked_uncached(stage: Stage) -> None:
    for path, alias in zip(DOORS, (OPENAI_ALIAS, ANTHROPIC_ALIAS), strict=True):
        answer = await stage.gateway.post(path, minimal(path, alias, stream=True))
        assert (answer.header("content-type") or "").startswith("text/event-stream")
        assert answer.header("cache-control") == "no-cache"
        assert len(events_of(answer.body)) > 4


async def test_answers_are_asked_for_uncompressed(stage: Stage) -> None:
    headers = [("accept-encoding", "gzip, br")]
    for path, alias in zip(DOORS, (OPENAI_ALIAS, ANTHROPIC_ALIAS), strict=True):
        await stage.gateway.post(path, minimal(path, alias), headers=headers)
        assert stage.of(alias).last.header_values("accept-encoding") == ["identity"]


async def test_no_key_is_ever_in_an_answer_or_the_log(stage: Stage) -> None:
    for path in DOORS:
        answer = await stage.gateway.post(path, minimal(path, "no-alias"))
        assert KEY not in answer.text
    assert KEY not in stage.gateway.output
