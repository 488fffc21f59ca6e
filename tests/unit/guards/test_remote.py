"""A guardrail service in LiteLLM's form, played by a server of ours."""

from __future__ import annotations

import pytest

from support.exchange import json_reply
from support.guarded import CALLER, look, occasion, service, user
from tiergate.base.values import Secret
from tiergate.core.guard_options import RemoteOptions
from tiergate.core.guard_plan import Stage
from tiergate.guards.remote import RemoteGuard
from tiergate.ports.guarding import CLEAN, GuardError

PATH = "/beta/litellm_basic_guardrail_api"


def guard(upstream, fetch, **more: object) -> RemoteGuard:
    return RemoteGuard(RemoteOptions(address=upstream.url + PATH, **more), fetch)


async def test_the_service_is_told_what_litellm_tells_it():
    async with service() as (upstream, fetch):
        upstream.script(json_reply({"action": "NONE"}))
        remote = guard(
            upstream,
            fetch,
            key=Secret("k"),
            headers=(("x-own", Secret("o")),),
            params={"threshold": 0.8},
        )
        assert await look(remote, "one", "", "two") is CLEAN
        request = upstream.last
        assert request.path == PATH
        assert request.json == {
            "texts": ["one", "two"],
            "request_data": {
                "user_api_key_hash": CALLER.key,
                "user_api_key_alias": "ci",
                "user_api_key_user_id": "u-1",
                "user_api_key_team_id": "t-1",
                "user_api_key_end_user_id": "end-user",
            },
            "input_type": "request",
            "litellm_call_id": "call-1",
            "litellm_trace_id": "call-1",
            "additional_provider_specific_params": {"threshold": 0.8},
        }
        assert request.header("x-api-key") == "k"
        assert request.header("x-own") == "o"


async def test_an_answer_is_shown_as_a_response():
    async with service() as (upstream, fetch):
        upstream.script(json_reply({"action": "NONE"}))
        await look(guard(upstream, fetch), "x", stage=Stage.POST_CALL)
        assert upstream.last.json["input_type"] == "response"


async def test_only_named_headers_of_the_caller_are_sent_on():
    async with service() as (upstream, fetch):
        upstream.script(json_reply({"action": "NONE"}), json_reply({"action": "NONE"}))
        call = occasion(headers=(("x-request-id", "r"), ("cookie", "secret")))
        await guard(upstream, fetch, forwarded=("x-request-id",)).look([user("x")], call)
        assert upstream.last.header("x-request-id") == "r"
        assert upstream.last.header("cookie") is None
        await guard(upstream, fetch).look([user("x")], call)
        assert upstream.last.header("x-request-id") is None


async def test_nothing_is_asked_about_nothing():
    async with service() as (upstream, fetch):
        assert await look(guard(upstream, fetch), "", "") is CLEAN
        assert upstream.requests == []


@pytest.mark.parametrize(
    ("answer", "blocked"),
    [
        ({"action": "BLOCKED", "blocked_reason": "not here"}, "not here"),
        ({"action": "BLOCKED"}, "Content violates policy"),
        ({"action": "BLOCKED", "blocked_reason": " "}, "Content violates policy"),
        ({"action": "BLOCKED", "blocked_reason": "x" * 5000}, "x" * 1000),
    ],
)
async def test_a_service_can_block_with_a_reason(answer, blocked):
    async with service() as (upstream, fetch):
        upstream.script(json_reply(answer))
        assert (await look(guard(upstream, fetch), "x")).blocked == blocked


async def test_a_service_can_rewrite_texts():
    async with service() as (upstream, fetch):
        upstream.script(json_reply({"action": "GUARDRAIL_INTERVENED", "texts": ["a", "***"]}))
        verdict = await look(guard(upstream, fetch), "a", "", "b")
        assert verdict.texts == ("a", "", "***")


@pytest.mark.parametrize("answer", [{}, {"texts": ["x"]}])
async def test_an_intervention_without_a_change_is_clean(answer):
    async with service() as (upstream, fetch):
        upstream.script(json_reply({"action": "GUARDRAIL_INTERVENED", **answer}))
        assert await look(guard(upstream, fetch), "x") is CLEAN


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        {"action": "MAYBE"},
        {"action": "GUARDRAIL_INTERVENED", "texts": ["a", "b"]},
        {"action": "GUARDRAIL_INTERVENED", "texts": [1]},
        {"action": "GUARDRAIL_INTERVENED", "texts": "a"},
    ],
)
async def test_an_answer_of_another_form_is_no_verdict(answer):
    async with service() as (upstream, fetch):
        upstream.script(json_reply(answer))
        with pytest.raises(GuardError, match="the guardrail service answered"):
            await look(guard(upstream, fetch), "x")


async def test_a_service_sees_whole_texts_and_restores_nothing():
    async with service() as (upstream, fetch):
        remote = guard(upstream, fetch)
        assert (remote.window, remote.restores) == (None, False)
