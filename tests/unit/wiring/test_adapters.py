"""Shells made to fit their ports."""

from __future__ import annotations

import asyncio

import pytest

from support.attempts import deployment
from support.exchange import Break, broken_reply, json_reply
from support.upstream import Upstream
from tiergate.base.values import Dialect
from tiergate.core.cost import PER_TOKENS
from tiergate.transport import Transport
from tiergate.wiring.adapters import HostTable, Poster, Way, output_bound


@pytest.fixture
async def transport():
    made = Transport(environ={}, clock=asyncio.get_running_loop().time)
    yield made
    await made.aclose()


async def test_a_way_leads_to_the_deployments_own_address(transport):
    async with Upstream("anthropic") as upstream:
        upstream.script(json_reply({"ok": True}))
        one = deployment("cheap", "a", api_base=f"{upstream.url}/v1")
        way = Way(transport, [one])

        head = b"POST /x HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n"
        exchange = await way.send(one, head, b"{}")

        assert await exchange.read(1000) == b'{"ok": true}'
        assert upstream.requests[0].target == "/x"


async def test_records_are_posted_with_their_headers_and_query(transport):
    async with Upstream("openai") as upstream:
        upstream.script(json_reply({}, 202))
        status = await Poster(transport)(f"{upstream.url}/in?x=1", [("x-key", "v")], b"[]")

        assert status == 202
        (request,) = upstream.requests
        assert (request.method, request.target, request.body) == ("POST", "/in?x=1", b"[]")
        assert request.header("x-key") == "v"


async def test_an_address_without_a_path_is_posted_to_its_root(transport):
    async with Upstream("openai") as upstream:
        upstream.script(json_reply({}))
        await Poster(transport)(upstream.url, [], b"[]")
        assert upstream.requests[0].target == "/"


async def test_a_sink_that_breaks_is_an_os_error_of_python(transport):
    async with Upstream("openai") as upstream:
        upstream.script(broken_reply(Break.RESET), broken_reply(Break.RESET))
        with pytest.raises(ConnectionError):
            await Poster(transport)(upstream.url, [], b"[]")


def test_the_host_table_answers_the_configurations_questions():
    table = HostTable()

    found = table.split_model("groq/llama-3.3-70b-versatile")
    assert (found.provider, found.dialect) == ("groq", Dialect.OPENAI)
    assert found.model == "llama-3.3-70b-versatile"
    assert "GROQ_API_KEY" in found.key_variables

    assert table.split_model("nonsense/x") is None
    assert "anthropic" in table.nearest("antropic")
    assert table.planned("bedrock")
    assert not table.planned("nonsense")
    assert table.canonical("anthropic") == "anthropic"
    assert table.canonical("nonsense") is None


def test_the_output_that_is_held_for_is_what_the_codec_asks_for():
    claude = deployment("cheap", "a", model="claude-haiku-4-5")
    own = deployment("cheap", "b", model="claude-haiku-4-5", default_max_tokens=7)
    gpt = deployment("cheap", "c", model="gpt-4o", provider="openai", dialect=Dialect.OPENAI)
    unknown = deployment("cheap", "d", model="x", provider="ollama", dialect=Dialect.OPENAI)

    assert 1000 <= output_bound(claude) < PER_TOKENS
    assert output_bound(own) == 7
    assert output_bound(gpt) == 16384
    assert output_bound(unknown) is None
