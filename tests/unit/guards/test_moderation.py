"""OpenAI's moderation endpoint, played by a server of ours in its documented form."""

from __future__ import annotations

import pytest

from support.exchange import json_reply
from support.guarded import look, service
from tiergate.base.values import Secret
from tiergate.core.guard_options import ModerationOptions, Reaction
from tiergate.guards.moderation import TOGETHER, ModerationGuard
from tiergate.ports.guarding import CLEAN, GuardError

FINE = {"flagged": False, "categories": {"hate": False}}
HATE = {"flagged": True, "categories": {"hate": True, "violence": False, "harassment": True}}


def guard(upstream, fetch, **more: object) -> ModerationGuard:
    address = f"{upstream.url}/v1/moderations"
    return ModerationGuard(ModerationOptions(address=address, **more), fetch)


async def test_texts_go_together_and_a_broken_rule_blocks():
    async with service() as (upstream, fetch):
        upstream.script(json_reply({"results": [FINE, HATE]}))
        verdict = await look(guard(upstream, fetch, key=Secret("k")), "good", " ", "", "bad")
        assert verdict.blocked == "Violated OpenAI moderation policy: hate, harassment"
        assert upstream.last.path == "/v1/moderations"
        assert upstream.last.json == {"model": "omni-moderation-latest", "input": ["good", "bad"]}
        assert upstream.last.header("authorization") == "Bearer k"


async def test_texts_that_break_no_rule_are_clean():
    async with service() as (upstream, fetch):
        upstream.script(json_reply({"results": [FINE]}))
        assert await look(guard(upstream, fetch, model="text-moderation-latest"), "x") is CLEAN
        assert upstream.last.json["model"] == "text-moderation-latest"
        assert upstream.last.header("authorization") is None


async def test_nothing_is_asked_about_nothing():
    async with service() as (upstream, fetch):
        assert await look(guard(upstream, fetch), "", "  ") is CLEAN
        assert upstream.requests == []


async def test_a_broken_rule_can_be_logged_only():
    async with service() as (upstream, fetch):
        upstream.script(json_reply({"results": [FINE, HATE]}))
        verdict = await look(guard(upstream, fetch, reaction=Reaction.LOG), "good", "bad!")
        assert not verdict.blocked
        assert [(f.passage, f.start, f.end, f.kind) for f in verdict.found] == [
            (1, 0, 4, "hate"),
            (1, 0, 4, "harassment"),
        ]


async def test_many_and_long_texts_go_in_several_requests():
    async with service() as (upstream, fetch):

        def answer(request):
            texts = request.json["input"]
            assert isinstance(texts, list)
            return json_reply({"results": [HATE if "bad" in t else FINE for t in texts]})

        upstream.script(answer, answer)
        texts = ["x" * 30_000 + "bad", *["y"] * (TOGETHER + 5)]
        assert (await look(guard(upstream, fetch), *texts)).blocked
        assert [len(r.json["input"]) for r in upstream.requests] == [TOGETHER, 7]


@pytest.mark.parametrize(
    "answer",
    [[], {"results": []}, {"results": [{}]}, {"results": [{"flagged": True}]}, {"results": 1}],
)
async def test_an_answer_of_another_form_is_no_verdict(answer):
    async with service() as (upstream, fetch):
        upstream.script(json_reply(answer))
        with pytest.raises(GuardError, match="the moderation endpoint"):
            await look(guard(upstream, fetch), "x")


async def test_a_flag_without_a_category_blocks_too():
    async with service() as (upstream, fetch):
        upstream.script(json_reply({"results": [{"flagged": True, "categories": {}}]}))
        assert (await look(guard(upstream, fetch), "x")).blocked.endswith(": flagged")
