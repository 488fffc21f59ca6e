"""The front door: which path means what, and how much may come in."""

from __future__ import annotations

import asyncio

import pytest

from support.jumping import play
from support.rsgi import Proto, Scope
from tiergate.base.errors import Refused
from tiergate.base.values import Dialect, Operation, Secret
from tiergate.core.caller import LOCAL, MASTER
from tiergate.core.catalog import Access
from tiergate.web.access import Gate
from tiergate.web.data_plane import (
    ROUTES,
    DataPlane,
    admit,
    check_headers,
    dialect_of,
    header_map,
    send_refused,
)

OPEN = Gate(None)
SMALL = Access(max_body_bytes=10, max_header_bytes=100, body_read_seconds=5.0)


def let_in(proto: Proto, headers: dict[str, str], gate: Gate = OPEN, access: Access = SMALL):
    body, caller = play(admit(proto, headers, gate, access))
    assert caller is (LOCAL if gate is OPEN else MASTER)
    return body


def refusal(*args, **more) -> Refused:
    with pytest.raises(Refused) as caught:
        let_in(*args, **more)
    return caught.value


@pytest.mark.parametrize(
    ("path", "meaning"),
    [
        ("/v1/chat/completions", (Dialect.OPENAI, Operation.CHAT)),
        ("/chat/completions", (Dialect.OPENAI, Operation.CHAT)),
        ("/v1/completions", (Dialect.OPENAI, Operation.COMPLETION)),
        ("/embeddings/", (Dialect.OPENAI, Operation.EMBEDDING)),
        ("/v1/messages", (Dialect.ANTHROPIC, Operation.CHAT)),
        ("/messages/count_tokens", (Dialect.ANTHROPIC, Operation.COUNT_TOKENS)),
    ],
)
def test_each_spelling_of_a_path_means_the_same(path, meaning):
    assert ROUTES[path] == meaning


def test_the_error_shape_follows_from_the_path():
    assert dialect_of("/v1/messages/batches") is Dialect.ANTHROPIC
    assert dialect_of("/v1/chat/completions") is Dialect.OPENAI
    assert dialect_of("/nowhere") is Dialect.OPENAI


def test_a_repeated_headers_values_are_joined():
    assert header_map([("a", "1"), ("b", "2"), ("a", "3")]) == {"a": "1,3", "b": "2"}
    assert header_map([("a", "1"), ("b", "2")]) == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("method", "path", "hot"),
    [
        ("POST", "/v1/chat/completions", True),
        ("GET", "/v1/chat/completions", False),
        ("POST", "/v1/models", False),
        ("HEAD", "/", False),
    ],
)
def test_posts_to_hot_routes_are_told_apart(method, path, hot):
    went: list[str] = []

    async def inference(scope, proto, headers, route):
        went.append("hot")
        assert route == ROUTES[path]

    async def control(scope, proto, headers):
        went.append("control")
        assert headers == {"a": "b"}

    play(DataPlane(inference, control).__rsgi__(Scope(method, path, {"a": "b"}), Proto()))

    assert went == ["hot" if hot else "control"]


def test_a_body_that_has_come_is_taken_at_once():
    assert let_in(Proto([b"123", b"45"]), {"content-length": "5"}) == b"12345"
    assert let_in(Proto([b"123", b"45"]), {}) == b"12345"


def test_a_body_that_is_still_coming_is_waited_for():
    assert let_in(Proto([b"123", b"45"], waits=True), {"content-length": "5"}) == b"12345"
    assert let_in(Proto([b"123", b"45"], waits=True), {}) == b"12345"


@pytest.mark.parametrize("coding", ["gzip", "br", "gzip, identity"])
def test_a_compressed_body_is_refused_by_name(coding):
    refused = refusal(Proto([b"12345"]), {"content-length": "5", "content-encoding": coding})

    assert (refused.status, refused.code) == (415, "unsupported_content_encoding")
    assert "content-encoding" in refused.message


def test_a_body_that_says_it_is_not_compressed_is_taken():
    headers = {"content-length": "5", "content-encoding": "Identity"}
    assert let_in(Proto([b"12345"]), headers) == b"12345"


@pytest.mark.parametrize("length", ["11", "9" * 60, "-1", "1e3", "5,5", "", "0x5"])
def test_a_length_that_is_too_large_or_none_is_refused_before_the_body_is_read(length):
    refused = refusal(Proto([None], waits=True), {"content-length": length})

    assert refused.status == 413
    assert "10 bytes" in refused.message
    assert "max_request_body_bytes" in refused.message
    assert ("connection", "close") in refused.headers


@pytest.mark.parametrize("waits", [True, False])
def test_a_body_without_a_length_is_refused_as_soon_as_it_is_too_large(waits):
    assert refusal(Proto([b"123456"] * 3, waits=waits), {}).status == 413


@pytest.mark.parametrize("headers", [{}, {"content-length": "9"}])
def test_a_body_that_does_not_come_is_a_408(headers):
    async def timed() -> Refused:
        began = asyncio.get_running_loop().time()
        with pytest.raises(Refused) as caught:
            await admit(Proto([b"12", None], waits=True), headers, OPEN, SMALL)
        assert asyncio.get_running_loop().time() - began == pytest.approx(5.0)
        return caught.value

    refused = play(timed())

    assert refused.status == 408
    assert "5 seconds" in refused.message


def test_headers_over_the_limit_are_a_431_that_names_the_setting():
    with pytest.raises(Refused) as caught:
        check_headers({"a": "x" * 100}, SMALL)

    assert caught.value.status == 431
    assert "max_request_header_bytes" in caught.value.message
    check_headers({"a": "x" * 99}, SMALL)


def test_who_has_no_key_is_refused_before_anything_is_read():
    refused = refusal(Proto([None], waits=True), {"content-length": "9" * 99}, Gate(Secret("k")))
    assert refused.status == 401


def test_an_error_is_sent_in_the_callers_shape_with_the_call_id():
    proto = Proto()

    send_refused(proto, Refused(413, "too large"), Dialect.ANTHROPIC, "call-1", (("x-more", "1"),))

    assert proto.status == 413
    assert proto.json["error"]["type"] == "request_too_large"
    assert proto.header("x-litellm-call-id") == "call-1"
    assert proto.header("x-more") == "1"
    assert proto.header("content-type") == "application/json"
