"""A ticket escalates as often as it may, whoever counts it and however many ask at once."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support import anthropic_wire
from support.fleet import PRICES, STORES, Fleet, answer_in, fleet_of, statuses, store_of
from support.gateway import KEY
from support.http_client import Answer
from support.stage import Providers, with_settings
from tiergate.base.jsontypes import JsonObject

pytestmark = pytest.mark.process

MANY = 50
OPS: JsonObject = {
    "routing": {
        "entryModelTriage": "cheap",
        "entryModelDesign": "frontier",
        "escalationModel": "frontier",
        "maxEscalationsPerTicket": 1,
    },
    "gateway": {"requireEscalationReason": True},
}


def config_of(providers: Providers) -> JsonObject:
    """Two aliases at one scripted provider; the first falls back to the second."""
    return {
        "model_list": [
            providers.at_anthropic("cheap", **PRICES),
            providers.at_anthropic("frontier", **PRICES),
            providers.at_openai("balanced", **PRICES),
        ],
        "general_settings": {"master_key": KEY},
        "router_settings": {
            "num_retries": 0,
            "disable_cooldowns": True,
            "fallbacks": [{"cheap": ["frontier"]}],
        },
    }


@contextlib.asynccontextmanager
async def fleet(
    name: str, folder: Path, ops: JsonObject = OPS, **sections: JsonObject
) -> AsyncIterator[Fleet]:
    """The gateways of a store, each with the toolkit's file beside its configuration."""
    with store_of(name, folder) as store:
        for number in range(store.gateways):
            beside = folder / f"g{number}"
            beside.mkdir()
            (beside / "backlog.config.json").write_text(json.dumps({"llmOps": ops}))
        async with Providers() as providers:
            providers.anthropic.script(answer_in(0.05))
            config = with_settings(config_of(providers), **sections)
            async with fleet_of(config, store, providers, folder) as running:
                yield running


def asking(ticket: str, reason: str = "the plan failed", **more: str) -> JsonObject:
    """Metadata of an escalation."""
    return {"ticket_id": ticket, "escalation_reason": reason, **more}


async def admin(found: Fleet, verb: str, body: JsonObject, at: int = -1) -> JsonObject:
    answer = await found.gateways[at].post(f"/escalations/{verb}", body)
    assert answer.status == 200, answer
    return answer.json


async def shown(found: Fleet, ticket: str, at: int = 0) -> JsonObject:
    answer = await found.gateways[at].get(f"/escalations?ticket={ticket}")
    assert answer.status == 200, answer
    return answer.json


async def records_of(found: Fleet, ticket: str, count: int) -> list[JsonObject]:
    """The records of a ticket, which are written behind the calls."""
    for _ in range(100):
        answer = await found.gateways[0].get(f"/ledger?ticket={ticket}")
        assert answer.status == 200, answer
        if len(answer.json["records"]) == count:
            return answer.json["records"]
        await asyncio.sleep(0.05)
    raise AssertionError(answer)


# ------------------------------------------------------------------ the limit


@pytest.mark.parametrize("name", STORES)
async def test_one_of_fifty_is_admitted_and_the_others_hear_why(name: str, tmp_path: Path):
    async with fleet(name, tmp_path) as found:
        tickets = ("T-1", "T-2")
        answers = await asyncio.gather(
            *(
                found.call("frontier", metadata=asking(ticket, f"reason of {ticket}"))
                for _ in range(MANY)
                for ticket in tickets
            )
        )
        by_ticket = {ticket: answers[at::2] for at, ticket in enumerate(tickets)}
        for ticket, theirs in by_ticket.items():
            assert statuses(theirs) == {200: 1, 403: MANY - 1}
            for refused in (a for a in theirs if a.status == 403):
                error = refused.json["error"]
                assert error["type"] == error["code"] == "escalation_limit_reached"
                assert (error["ticket"], error["count"], error["limit"]) == (ticket, 1, 1)
                assert error["reasons"] == f"reason of {ticket}"
                assert ticket in error["message"]
                assert "1 of 1" in error["message"]
        assert found.providers.calls == 2
        for at in range(len(found.gateways)):
            seen = await shown(found, "T-1", at)
            assert (seen["count"], seen["left"]) == (1, 0)


@pytest.mark.parametrize("name", ["sqlite", "redis"])
async def test_a_session_goes_on_wherever_it_comes_and_another_does_not(name: str, tmp_path: Path):
    async with fleet(name, tmp_path) as found:
        first = asking("T-1", session_id="s-1")
        answers = await asyncio.gather(
            *(found.call("frontier", metadata=first) for _ in range(20))
        )
        assert statuses(answers) == {200: 20}
        quiet = await found.call("frontier", metadata={"ticket_id": "T-1", "session_id": "s-1"})
        assert quiet.status == 200, "what continues an escalation need not say why again"
        other = await found.call("frontier", metadata=asking("T-1", session_id="s-2"))
        assert other.status == 403
        assert (await shown(found, "T-1"))["count"] == 1


async def test_counts_and_sessions_survive_a_restart_and_a_crash(tmp_path: Path):
    async with fleet("sqlite", tmp_path) as found:
        (gateway,) = found.gateways
        assert (await found.call("frontier", metadata=asking("T-1", session_id="s"))).status == 200
        for crash in (False, True):
            await gateway.restart(crash=crash)
            assert (await found.call("frontier", metadata=asking("T-1"))).status == 403
            again = await found.call("frontier", metadata=asking("T-1", session_id="s"))
            assert again.status == 200


async def test_an_administrator_grants_one_more_and_resets_and_both_are_logged(tmp_path: Path):
    async with fleet("redis", tmp_path) as found:
        assert (await found.call("frontier", metadata=asking("T-1"))).status == 200
        assert (await found.call("frontier", metadata=asking("T-1"))).status == 403
        granted = await admin(
            found, "grant", {"ticket": "T-1", "reason": "an outage, and the plan is due"}
        )
        assert (granted["allowed"], granted["left"]) == (2, 1)
        answers = await found.calls(10, "frontier", metadata=asking("T-1"))
        assert statuses(answers) == {200: 1, 403: 9}
        error = next(a for a in answers if isinstance(a, Answer) and a.status == 403).json["error"]
        assert (error["count"], error["limit"]) == (2, 2)
        again = await admin(found, "reset", {"ticket": "T-1", "reason": "reopened"})
        assert (again["count"], again["allowed"]) == (0, 1)
        answers = await found.calls(10, "frontier", metadata=asking("T-1"))
        assert statuses(answers) == {200: 1, 403: 9}
        output = await found.gateways[-1].said("escalations reset")
        assert "escalations granted" in output
        assert "an outage, and the plan is due" in output
        listed = (await found.gateways[0].get("/escalations")).json
        assert [row["ticket"] for row in listed["tickets"]] == ["T-1"]


async def test_a_change_needs_the_master_key_and_a_reason(tmp_path: Path):
    async with fleet("memory", tmp_path) as found:
        (gateway,) = found.gateways
        for verb in ("grant", "reset"):
            bare = await gateway.post(f"/escalations/{verb}", {"ticket": "T-1"})
            assert (bare.status, bare.json["error"]["param"]) == (400, "reason")
            strange = await gateway.post(f"/escalations/{verb}", {"ticket": "T-1"}, key="sk-no")
            assert strange.status == 401
        assert (await gateway.get("/escalations", key=None)).status == 401


async def test_a_file_without_a_limit_leaves_nothing_to_grant(tmp_path: Path):
    ops: JsonObject = {"routing": {"escalationModel": "frontier"}}
    async with fleet("memory", tmp_path, ops) as found:
        answers = await found.calls(5, "frontier", metadata={"ticket_id": "T-1"})
        assert statuses(answers) == {200: 5}
        answer = await found.gateways[0].post(
            "/escalations/grant", {"ticket": "T-1", "reason": "why not"}
        )
        assert (answer.status, answer.json["error"]["code"]) == (400, "escalations_not_limited")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("door", ["/v1/messages", "/v1/chat/completions"])
async def test_both_doors_count_together_plain_and_streamed(
    door: str, stream: bool, tmp_path: Path
):
    async with fleet("memory", tmp_path) as found:
        (gateway,) = found.gateways
        found.providers.reset()
        headers = (
            ("x-tiergate-ticket", "T-1"),
            ("x-tiergate-escalation-reason", "the plan failed"),
        )
        first = await gateway.post(door, chat("frontier", stream=stream), headers=headers)
        assert first.status == 200, first
        for other in DOORS:
            answer = await gateway.post(other, chat("frontier", stream=stream), headers=headers)
            error = answer.json["error"]
            assert (answer.status, error["code"]) == (403, "escalation_limit_reached")
            assert (error["ticket"], error["reasons"]) == ("T-1", "the plan failed")
            assert answer.header("x-should-retry") == "false"
        tagged = await gateway.post(
            door,
            chat("frontier", metadata={"tags": ["ticket:T-1"], "escalation_reason": "again"}),
        )
        assert tagged.status == 403, "a tag names the ticket too"
        phased = await gateway.post(
            door,
            chat("auto", metadata={"phase": "design", "escalation_reason": "again"}),
            headers=headers[:1],
        )
        assert phased.status == 403, "a phase that leads to the alias is no way round"
        assert found.providers.calls == 1


# ------------------------------------------------------------------ what counts


async def test_a_call_that_says_no_reason_is_refused_and_uses_nothing_up(tmp_path: Path):
    async with fleet("sqlite", tmp_path) as found:
        for metadata in ({"ticket_id": "T-1"}, None):
            answer = await found.call("frontier", metadata=metadata)
            assert (answer.status, answer.json["error"]["code"]) == (
                400,
                "escalation_reason_required",
            )
        assert found.providers.calls == 0
        answer = await found.call("frontier", metadata=asking("T-1", "three attempts failed"))
        assert answer.status == 200
        reasons = [row["escalation_reason"] for row in await records_of(found, "T-1", 2)]
        assert reasons.count("three attempts failed") == 1


async def test_a_fallback_to_the_alias_is_recorded_and_not_counted(tmp_path: Path):
    async with fleet("sqlite", tmp_path) as found:
        for number in range(3):
            found.providers.anthropic.script(
                anthropic_wire.error_reply(500, "api_error", "down"),
                answer_in(0.0),
            )
            answer = await found.call("cheap", metadata={"ticket_id": f"T-{number}"})
            assert answer.status == 200
            assert answer.header("x-litellm-model-group") == "frontier"
            (record,) = await records_of(found, f"T-{number}", 1)
            assert (record["asked"], record["model_alias"]) == ("cheap", "frontier")
            assert record["escalated"] is True
        assert (await shown(found, "T-0"))["count"] == 0
        assert (await found.call("frontier", metadata=asking("T-0"))).status == 200


async def test_a_call_that_is_tried_again_is_one_escalation_and_its_session_outlives_a_failure(
    tmp_path: Path,
):
    async with fleet("memory", tmp_path) as found:
        down = anthropic_wire.error_reply(500, "api_error", "down")
        found.providers.anthropic.script(down, answer_in(0.0))
        again = await found.call("frontier", metadata=asking("T-1"), num_retries=1)
        assert again.status == 200
        assert again.header("x-litellm-attempted-retries") == "1"
        assert (await shown(found, "T-1"))["count"] == 1
        found.providers.anthropic.script(down, answer_in(0.0))
        failed = await found.call("frontier", metadata=asking("T-2", session_id="s"))
        assert failed.status == 500
        resumed = await found.call("frontier", metadata=asking("T-2", session_id="s"))
        assert resumed.status == 200
        assert (await found.call("frontier", metadata=asking("T-2"))).status == 403


async def test_a_drill_is_no_way_round_the_limit(tmp_path: Path):
    async with fleet("memory", tmp_path) as found:
        drill = {"mock_testing_fallbacks": True}
        answers = [await found.call("cheap", metadata=asking("T-1"), **drill) for _ in range(3)]
        assert statuses(answers) == {200: 1, 403: 2}


async def test_a_call_that_a_budget_stops_uses_nothing_up(tmp_path: Path):
    budget: JsonObject = {"frontier": {"budget_limit": 0, "time_period": "1d"}}
    async with fleet("memory", tmp_path, model_max_budget=budget) as found:
        assert (await found.call("frontier", metadata=asking("T-1"))).status == 429
        assert (await shown(found, "T-1"))["count"] == 0


async def test_what_an_escalation_refuses_stays_not_held(tmp_path: Path):
    budget: JsonObject = {"frontier": {"budget_limit": 1, "time_period": "1d"}}
    async with fleet("memory", tmp_path, model_max_budget=budget) as found:
        await found.calls(10, "frontier", metadata=asking("T-1"))
        row = (await found.budgets())["alias", "frontier"]
        assert (row["spent_usd"], row["held_usd"]) == (0.001, 0)


async def test_escalations_in_memory_are_refused_to_several_workers(tmp_path: Path):
    async with fleet("memory", tmp_path) as found:
        (gateway,) = found.gateways
        await gateway.stop()
        gateway.command = (*gateway.command, "--num_workers", "2")
        with pytest.raises(AssertionError, match="counted in each process apart"):
            await gateway.start()


# ------------------------------------------------------------------ phases and `auto`

PROMPT = "word " * 300
PHASED: JsonObject = {
    "routing": {"entryModelTriage": "cheap", "entryModelDesign": "balanced"},
    "tokenPolicy": {
        "maxOutputByPhase": {"triage": 7, "design": 9},
        "maxInputByPhase": {"triage": 200, "design": 200},
    },
}
DOORS = ("/v1/messages", "/v1/chat/completions")


def chat(model: str, phase: str = "", text: str = "hi", **more: object) -> JsonObject:
    body: JsonObject = {
        "model": model,
        "max_tokens": 500,
        "messages": [{"role": "user", "content": text}],
    }
    if phase:
        body["metadata"] = {"phase": phase}
    body.update(more)  # pyright: ignore[reportArgumentType, reportCallIssue]
    return body


@contextlib.asynccontextmanager
async def phased(folder: Path, **policy: object) -> AsyncIterator[Fleet]:
    ops = {**PHASED, "tokenPolicy": {**PHASED["tokenPolicy"], **policy}}
    async with fleet("memory", folder, ops) as found:
        found.providers.reset()
        yield found


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("door", DOORS)
async def test_the_phase_chooses_the_alias_and_limits_the_answer(
    door: str, stream: bool, tmp_path: Path
):
    async with phased(tmp_path) as found:
        (gateway,) = found.gateways
        for phase, alias, most in (("triage", "cheap", 7), ("Design", "balanced", 9)):
            found.providers.reset()
            answer = await gateway.post(door, chat("auto", phase, stream=stream))
            assert answer.status == 200, answer
            assert answer.header("x-litellm-model-group") == alias
            assert f"auto: phase {phase.lower()} -> {alias}" in answer.header("x-tiergate-why")
            assert b'"model":"auto"' in answer.body.replace(b": ", b":")
            (sent,) = found.providers.of(alias).requests
            limits = [sent.json.get(n) for n in ("max_tokens", "max_completion_tokens")]
            assert most in limits
            assert 500 not in limits


@pytest.mark.parametrize("door", DOORS)
async def test_a_header_says_the_phase_too_and_an_unknown_one_is_refused(
    door: str, tmp_path: Path
):
    async with phased(tmp_path) as found:
        (gateway,) = found.gateways
        known = await gateway.post(door, chat("auto"), headers=(("x-tiergate-phase", "triage"),))
        assert known.header("x-litellm-model-group") == "cheap"
        calls = found.providers.calls
        for body, code in ((chat("auto", "cooking"), "unknown_phase"), (chat("auto"), "no_phase")):
            answer = await gateway.post(door, body)
            assert (answer.status, answer.json["error"]["code"]) == (400, code)
            assert "triage (cheap), design (balanced)" in answer.json["error"]["message"]
        assert found.providers.calls == calls


@pytest.mark.parametrize("door", DOORS)
async def test_tags_choose_where_no_phase_does(door: str, tmp_path: Path):
    async with fleet("memory", tmp_path, PHASED) as found:
        (gateway,) = found.gateways
        config = config_of(found.providers)
        entries = config["model_list"]
        assert isinstance(entries, list)
        entries[1]["model_info"] = {"supported_environments": ["critical"]}
        gateway.reload(with_settings(config, general_settings={"state_dir": ":memory:"}))
        await gateway.said("reloaded")
        answer = await gateway.post(door, chat("auto"), headers=(("x-litellm-tags", "critical"),))
        assert answer.status == 200, answer
        assert answer.header("x-litellm-model-group") == "frontier"


@pytest.mark.parametrize("door", DOORS)
async def test_a_prompt_over_its_phase_is_refused_with_the_counts(door: str, tmp_path: Path):
    async with phased(tmp_path) as found:
        (gateway,) = found.gateways
        answer = await gateway.post(door, chat("auto", "triage", PROMPT))
        error = answer.json["error"]
        assert (answer.status, error["code"]) == (400, "context_length_exceeded")
        assert error["max_prompt_tokens"] == 200
        assert error["prompt_tokens"] >= 300
        assert f"{error['prompt_tokens']} tokens > 200 maximum" in error["message"]
        assert found.providers.calls == 0


@pytest.mark.parametrize("alias", ["cheap", "balanced"])
@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
async def test_the_oldest_turns_are_cut_where_the_file_says_so(
    alias: str, dialect: str, tmp_path: Path
):
    roomy = {"triage": 1200, "design": 1200}
    async with phased(
        tmp_path, contextWindowStrategy="truncate-oldest", maxInputByPhase=roomy
    ) as found:
        (gateway,) = found.gateways
        phase = "triage" if alias == "cheap" else "design"
        door = "/v1/chat/completions" if dialect == "openai" else "/v1/messages"
        answer = await gateway.post(door, long_conversation(dialect, phase))
        assert answer.status == 200, answer
        assert "oldest messages cut" in answer.header("x-tiergate-why")
        (sent,) = found.providers.of(alias).requests
        text = json.dumps(sent.json)
        assert "keep these rules" in text
        assert "the newest question" in text
        assert PROMPT[:50] not in text
        assert text.count("call_1") in (0, 2), "a call and its result go or stay together"
        assert text.count("call_2") == 2


def long_conversation(dialect: str, phase: str) -> JsonObject:
    """An old turn with a tool call, and a new one with another."""
    if dialect == "openai":

        def call(name: str) -> JsonObject:
            function: JsonObject = {"name": "look", "arguments": "{}"}
            calls: list[JsonObject] = [{"id": name, "type": "function", "function": function}]
            return {"role": "assistant", "content": None, "tool_calls": calls}  # pyright: ignore[reportReturnType]

        def result(name: str) -> JsonObject:
            return {"role": "tool", "tool_call_id": name, "content": "found"}

        tools: JsonObject = {
            "type": "function",
            "function": {"name": "look", "parameters": {"type": "object", "properties": {}}},
        }
        head: list[JsonObject] = [{"role": "system", "content": "keep these rules"}]
    else:

        def call(name: str) -> JsonObject:
            return {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": name, "name": "look", "input": {}}],
            }

        def result(name: str) -> JsonObject:
            return {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": name, "content": "found"}],
            }

        tools = {"name": "look", "input_schema": {"type": "object", "properties": {}}}
        head = []
    body = chat("auto", phase, max_tokens=5, tools=[tools])
    body["messages"] = [  # pyright: ignore[reportArgumentType]
        *head,
        {"role": "user", "content": 5 * PROMPT},
        call("call_1"),
        result("call_1"),
        {"role": "assistant", "content": "done"},
        {"role": "user", "content": "the newest question"},
        call("call_2"),
        result("call_2"),
    ]
    if dialect == "anthropic":
        body["system"] = "keep these rules"
    return body


# ------------------------------------------------------------------ reading the file


async def test_the_named_file_is_read_and_its_change_is_a_reload(tmp_path: Path):
    async with fleet("sqlite", tmp_path) as found:
        (gateway,) = found.gateways
        file = gateway.folder / "elsewhere.json"
        file.write_text(json.dumps({"llmOps": {"routing": {"entryModelDraft": "cheap"}}}))
        await gateway.stop()
        gateway.command = (*gateway.command, "--backlog", str(file), "--watch")
        await gateway.start()
        draft = await gateway.post("/v1/messages", chat("auto", "draft"))
        assert draft.header("x-litellm-model-group") == "cheap"
        assert (await gateway.post("/v1/messages", chat("auto", "triage"))).status == 400
        file.write_text(json.dumps({"llmOps": {"routing": {"entryModelDraft": "frontier"}}}))
        await gateway.said("reloaded", 10.0)
        for _ in range(100):
            draft = await gateway.post("/v1/messages", chat("auto", "draft"))
            if draft.header("x-litellm-model-group") == "frontier":
                break
            await asyncio.sleep(0.05)
        assert draft.header("x-litellm-model-group") == "frontier"


async def test_a_start_says_what_the_file_asks_for_and_the_gateway_does_not_do(tmp_path: Path):
    ops: JsonObject = {
        **OPS,
        "batchPolicy": {"enabled": True, "eligiblePhases": ["triage"]},
        "gateway": {"baseURL": "http://localhost:1", "requireEscalationReason": True},
    }
    async with fleet("memory", tmp_path, ops) as found:
        output = found.gateways[0].output
        assert "llmOps.batchPolicy: is not acting yet" in output
        assert "llmOps.gateway.baseURL: calls port 1, and the gateway listens on port" in output


async def test_the_file_switches_the_response_cache_where_the_configuration_does_not(
    tmp_path: Path,
):
    cache: JsonObject = {"responseCache": {"enabled": True, "backend": "local", "ttlSeconds": 60}}
    async with fleet("memory", tmp_path, {"cachePolicy": cache}) as found:
        answers = [await found.call("cheap") for _ in range(3)]
        assert statuses(answers) == {200: 3}
        assert found.providers.calls == 1
        assert [a.header("x-tiergate-cache") for a in answers[1:]] == ["response", "response"]


async def test_an_answer_from_the_response_cache_is_no_escalation(tmp_path: Path):
    ops = {**OPS, "cachePolicy": {"responseCache": {"enabled": True, "backend": "local"}}}
    async with fleet("memory", tmp_path, ops) as found:
        metadata = asking("T-1")
        answers = [await found.call("frontier", metadata=metadata) for _ in range(3)]
        assert statuses(answers) == {200: 3}
        other = await found.call("frontier", metadata=metadata, max_tokens=3)
        assert other.status == 403
        assert (await shown(found, "T-1"))["count"] == 1
