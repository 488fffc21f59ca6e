"""Guardrails as users meet them: the real program, both doors, classes of their own, keys."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_asyncio

from support import anthropic_wire, openai_wire
from support.dialects import ends_in_error, ends_well, said, stream_of, text_events
from support.exchange import Gate
from support.gateway import StartError
from support.stage import (
    ALIASES,
    ANTHROPIC_ALIAS,
    OPENAI_ALIAS,
    Providers,
    Stage,
    gateway_of,
    usual,
)
from tiergate.base.jsontypes import JsonObject

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

DOORS = ("/v1/chat/completions", "/v1/messages")
both_doors = pytest.mark.parametrize("door", DOORS)
both_aliases = pytest.mark.parametrize("alias", ALIASES)
both_forms = pytest.mark.parametrize("streamed", [False, True], ids=["plain", "stream"])

CLASSES = """
import litellm
from fastapi import HTTPException
from litellm._logging import verbose_proxy_logger
from litellm.caching.caching import DualCache
from litellm.integrations.custom_guardrail import CustomGuardrail
from litellm.proxy._types import UserAPIKeyAuth


class Calls(CustomGuardrail):
    def __init__(self, word="walrus", **kwargs):
        self.word = word
        super().__init__(**kwargs)

    async def async_pre_call_hook(
        self, user_api_key_dict: UserAPIKeyAuth, cache: DualCache, data, call_type
    ):
        for message in data["messages"]:
            content = message.get("content")
            if isinstance(content, str):
                message["content"] = content.replace(self.word, "******")
        return data

    async def async_post_call_success_hook(self, data, user_api_key_dict, response):
        if isinstance(response, litellm.ModelResponse):
            for choice in response.choices:
                if choice.message.content and "okapi" in choice.message.content:
                    raise HTTPException(status_code=400, detail={"error": "no okapi here"})


class Beside(CustomGuardrail):
    async def async_moderation_hook(self, data, user_api_key_dict, call_type):
        if "gnu" in str(data["messages"]):
            raise ValueError("no gnu here")


class Events(CustomGuardrail):
    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict, response, request_data
    ):
        async for event in response:
            if event.get("choices") and event.choices[0].delta.content:
                event.choices[0].delta.content = event.choices[0].delta.content.upper()
            yield event


class Texts(CustomGuardrail):
    async def apply_guardrail(self, inputs, request_data, input_type, logging_obj=None):
        texts = inputs["texts"]
        if any("emu" in text for text in texts):
            raise Exception("no emu here")
        inputs["texts"] = [text.replace("kiwi", "bird") for text in texts]
        return inputs


class Broken(CustomGuardrail):
    async def apply_guardrail(self, inputs, request_data, input_type, logging_obj=None):
        return inputs["nothing"]
"""


def pattern(name: str, regex: str, mode: str, action: str = "BLOCK", **more: object) -> JsonObject:
    rule = {"pattern_type": "regex", "name": name, "pattern": regex, "action": action}
    return guard(name, "litellm_content_filter", mode, patterns=[rule], **more)


def guard(name: str, kind: str, mode: object, **more: object) -> JsonObject:
    params = {"guardrail": kind, "mode": mode, **more}
    return {"guardrail_name": name, "litellm_params": params}


def configured(providers: Providers) -> JsonObject:
    guards = [
        pattern("in", "ZEBRA", "pre_call", default_on=True),
        pattern("out", "QUAGGA", "post_call", default_on=True),
        guard("calls", "my_guards.Calls", ["pre_call", "post_call"], word="walrus"),
        guard("beside", "my_guards.Beside", "during_call"),
        guard("events", "my_guards.Events", "post_call"),
        guard("texts", "my_guards.Texts", ["pre_call", "post_call"]),
        guard("broken", "my_guards.Broken", "pre_call"),
        guard("broken-open", "my_guards.Broken", "pre_call", on_error="allow"),
        guard("mail", "pii", "pre_call", output_parse_pii=True),
    ]
    return {**usual(providers), "guardrails": guards}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(providers: Providers, tmp_path_factory: pytest.TempPathFactory):
    """The gateway of the module, with the classes beside its file."""
    folder = tmp_path_factory.mktemp("gateway")
    (folder / "my_guards.py").write_text(CLASSES)
    async with gateway_of(configured(providers), folder) as gateway:
        yield Stage(gateway, providers)


def ask(alias: str, text: str, *, streamed: bool = False, **more: object) -> JsonObject:
    messages = [{"role": "user", "content": text}]
    body = {"model": alias, "max_tokens": 200, "messages": messages, "stream": streamed}
    return {**body, **more}


def answering(stage: Stage, alias: str, text: str, *, streamed: bool) -> None:
    """Script the provider of an alias."""
    upstream = stage.of(alias)
    wire = anthropic_wire if alias == ANTHROPIC_ALIAS else openai_wire
    upstream.script(wire.text_stream(text) if streamed else wire.text_reply(text))


# ------------------------------------------------------------------ built in, every door


@both_doors
@both_aliases
@both_forms
async def test_a_blocked_request_is_a_400_in_the_callers_shape_and_is_not_sent(
    stage: Stage, door: str, alias: str, streamed: bool
) -> None:
    answer = await stage.gateway.post(door, ask(alias, "a ZEBRA", streamed=streamed))
    assert answer.status == 400
    assert stage.calls == 0
    error = answer.json["error"]
    assert error["type"] == "invalid_request_error"
    assert error["provider_specific_fields"]["guardrail_name"] == "in"
    assert error["provider_specific_fields"]["guardrail_mode"] == "pre_call"
    assert answer.header("x-litellm-applied-guardrails") == "in,out"
    assert (answer.json.get("type") == "error") == (door == "/v1/messages")


@both_doors
@both_aliases
@both_forms
async def test_a_blocked_answer_is_not_shown_and_others_pass(
    stage: Stage, door: str, alias: str, streamed: bool
) -> None:
    answering(stage, alias, "all is well", streamed=streamed)
    answer = await stage.gateway.post(door, ask(alias, "hi", streamed=streamed))
    assert (answer.status, said(answer)) == (200, "all is well")
    answering(stage, alias, "here comes a QUAGGA", streamed=streamed)
    answer = await stage.gateway.post(door, ask(alias, "hi", streamed=streamed))
    assert answer.status == 400
    assert b"QUAGGA" not in answer.body


@both_doors
@both_aliases
async def test_a_block_late_in_a_stream_is_an_error_event_and_no_end(
    stage: Stage, door: str, alias: str
) -> None:
    """The first words are out already when the provider says the last ones."""
    gate = Gate()
    events = text_events(alias, "word " * 400 + "QUAGGA")
    late = next(number for number, event in enumerate(events) if b"QUAGGA" in event)
    stage.of(alias).script(stream_of([*events[:late], gate, *events[late:]]))
    async with stage.gateway.posting(door, ask(alias, "hi", streamed=True)) as call:
        head = await call.head()
        assert head.status == 200
        gate.open()
        answer = await call.rest()
    assert b"QUAGGA" not in answer.body
    assert b"word" in answer.body
    assert ends_in_error(answer, door)
    assert not ends_well(answer, door)


@both_doors
@both_aliases
@both_forms
async def test_masked_personal_data_come_back_in_the_answer(
    stage: Stage, door: str, alias: str, streamed: bool
) -> None:
    answering(stage, alias, "sent to <EMAIL_ADDRESS_1>, and only there", streamed=streamed)
    body = ask(alias, "mail ann@example.com", streamed=streamed, guardrails=["mail"])
    answer = await stage.gateway.post(door, body)
    assert b"ann@example.com" not in stage.of(alias).last.body
    assert said(answer) == "sent to ann@example.com, and only there"


# ------------------------------------------------------------------ classes


@both_doors
@both_aliases
@both_forms
async def test_a_class_written_for_litellm_masks_before_and_blocks_after(
    stage: Stage, door: str, alias: str, streamed: bool
) -> None:
    answering(stage, alias, "fine", streamed=streamed)
    body = ask(alias, "the walrus", streamed=streamed, guardrails=["calls"])
    answer = await stage.gateway.post(door, body)
    assert said(answer) == "fine"
    assert b"the ******" in stage.of(alias).last.body
    if door == "/v1/messages":
        return  # LiteLLM's class looks at OpenAI answers only
    answering(stage, alias, "an okapi", streamed=streamed)
    answer = await stage.gateway.post(door, body)
    assert (answer.status, answer.json["error"]["message"]) == (400, "no okapi here")


@both_doors
async def test_a_class_beside_the_call_blocks_with_its_own_words(stage: Stage, door: str) -> None:
    body = ask(OPENAI_ALIAS, "a gnu", guardrails=["beside"])
    answer = await stage.gateway.post(door, body)
    assert (answer.status, answer.json["error"]["message"]) == (400, "no gnu here")
    answer = await stage.gateway.post(door, ask(OPENAI_ALIAS, "hi", guardrails=["beside"]))
    assert answer.status == 200


async def test_a_class_changes_the_events_of_a_stream(stage: Stage) -> None:
    answering(stage, OPENAI_ALIAS, "quiet words", streamed=True)
    body = ask(OPENAI_ALIAS, "hi", streamed=True, guardrails=["events"])
    answer = await stage.gateway.post(DOORS[0], body)
    assert said(answer) == "QUIET WORDS"
    assert ends_well(answer, DOORS[0])


@both_doors
@both_forms
async def test_a_class_of_texts_looks_at_both_sides(
    stage: Stage, door: str, streamed: bool
) -> None:
    answering(stage, ANTHROPIC_ALIAS, "a kiwi too", streamed=streamed)
    body = ask(ANTHROPIC_ALIAS, "a kiwi", streamed=streamed, guardrails=["texts"])
    answer = await stage.gateway.post(door, body)
    assert said(answer) == "a bird too"
    assert b"a bird" in stage.of(ANTHROPIC_ALIAS).last.body
    body = ask(ANTHROPIC_ALIAS, "an emu", streamed=streamed, guardrails=["texts"])
    answer = await stage.gateway.post(door, body)
    assert (answer.status, answer.json["error"]["message"]) == (400, "no emu here")


async def test_a_class_with_a_fault_answers_clearly_or_is_passed_over(stage: Stage) -> None:
    body = ask(OPENAI_ALIAS, "hi", guardrails=["broken"])
    answer = await stage.gateway.post(DOORS[0], body)
    assert answer.status == 503
    assert answer.json["error"]["code"] == "guardrail_unavailable"
    assert "broken" in answer.json["error"]["message"]
    assert stage.calls == 0
    body = ask(OPENAI_ALIAS, "hi", guardrails=["broken-open"])
    assert (await stage.gateway.post(DOORS[0], body)).status == 200


# ------------------------------------------------------------------ asking for guards


@pytest.mark.parametrize("where", ["body", "metadata"])
@both_doors
async def test_a_name_that_is_not_there_is_refused(stage: Stage, door: str, where: str) -> None:
    more = {"guardrails": ["nope"]} if where == "body" else {"metadata": {"guardrails": ["nope"]}}
    answer = await stage.gateway.post(door, ask(OPENAI_ALIAS, "hi", **more))
    assert answer.status == 400
    assert "nope" in answer.json["error"]["message"]
    assert "texts" in answer.json["error"]["message"]
    assert stage.calls == 0


async def test_nobody_can_switch_a_guard_off(stage: Stage) -> None:
    for more in (
        {"guardrails": {"in": False}},
        {"metadata": {"disable_global_guardrails": True}},
        {"guardrails": []},
    ):
        answer = await stage.gateway.post(DOORS[0], ask(OPENAI_ALIAS, "ZEBRA", **more))
        assert answer.status == 400, more
    assert stage.calls == 0


async def test_a_key_passes_the_guards_that_it_was_made_with(stage: Stage) -> None:
    made = await stage.gateway.post("/key/generate", {"guardrails": ["texts"]})
    assert made.status == 200, made.body
    assert made.json["guardrails"] == ["texts"]
    key = made.json["key"]
    answer = await stage.gateway.post(DOORS[0], ask(OPENAI_ALIAS, "an emu"), key=key)
    assert answer.status == 400
    free = await stage.gateway.post("/key/generate", {})
    answer = await stage.gateway.post(DOORS[0], ask(OPENAI_ALIAS, "an emu"), key=free.json["key"])
    assert answer.status == 200
    refused = await stage.gateway.post("/key/generate", {"guardrails": ["nope"]})
    assert refused.status == 400


# ------------------------------------------------------------------ what operators see


async def test_the_guards_are_listed_and_can_be_tried(stage: Stage) -> None:
    listed = (await stage.gateway.get("/guardrails/list")).json["guardrails"]
    assert [row["guardrail_name"] for row in listed][:2] == ["in", "out"]
    assert listed[0]["litellm_params"] == {
        "guardrail": "litellm_content_filter",
        "mode": "pre_call",
        "default_on": True,
        "on_error": "block",
        "fail_on_error": True,
    }
    tried = await stage.gateway.post(
        "/guardrails/apply_guardrail", {"guardrail_name": "mail", "text": "to ann@example.com"}
    )
    assert tried.json["response_text"] == "to <EMAIL_ADDRESS_1>"
    assert tried.json["findings"][0]["action"] == "mask"
    tried = await stage.gateway.post(
        "/guardrails/apply", {"guardrail_name": "in", "text": "a ZEBRA"}
    )
    assert tried.json["blocked"] is True
    assert stage.calls == 0
    unknown = await stage.gateway.post("/guardrails/apply", {"guardrail_name": "x", "text": "a"})
    assert unknown.status == 400


async def test_what_guards_do_is_counted_and_logged_without_the_text(stage: Stage) -> None:
    await stage.gateway.post(DOORS[0], ask(OPENAI_ALIAS, "a ZEBRA of mine"))
    page = (await stage.gateway.get("/metrics")).body.decode()
    assert 'litellm_guardrail_requests_total{guardrail_name="in",hook_type="pre_call"' in page
    assert 'status="guardrail_intervened"' in page
    assert 'tiergate_guardrail_findings_total{guardrail_name="in",hook_type="pre_call"' in page
    lines = [line for line in stage.gateway.output.splitlines() if "guardrail intervened" in line]
    assert any('"in"' in line or "guardrail=in" in line for line in lines), lines
    assert not any("ZEBRA" in line for line in lines)


async def test_counting_tokens_is_guarded(stage: Stage) -> None:
    body = ask(ANTHROPIC_ALIAS, "a ZEBRA")
    del body["stream"]
    answer = await stage.gateway.post("/v1/messages/count_tokens", body)
    assert answer.status == 400
    assert stage.calls == 0


# ------------------------------------------------------------------ the start


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (guard("a", "lakera", "pre_call"), "generic_guardrail_api"),
        (guard("a", "no_such_kind", "pre_call"), "no_such_kind"),
        (guard("a", "regex", "sometimes", patterns=["x"]), "sometimes"),
        (guard("a", "no_module.Guard", "pre_call"), "there is no module no_module"),
        (guard("a", "regex", "pre_call", patterns=["("]), "guardrails"),
        ({"guardrail_name": "a"}, "litellm_params"),
    ],
)
async def test_a_guard_that_cannot_be_built_stops_the_start(
    providers: Providers, folder: Path, entry: JsonObject, words: str
) -> None:
    gateway = gateway_of({**usual(providers), "guardrails": [entry]}, folder)
    with pytest.raises(StartError) as end:
        await gateway.start()
    assert end.value.code == 1
    assert words in end.value.output
    assert "config.yaml:" in end.value.output


async def test_a_reload_with_a_guard_that_cannot_be_built_changes_nothing(
    providers: Providers, folder: Path
) -> None:
    config = {
        **usual(providers),
        "guardrails": [pattern("in", "ZEBRA", "pre_call", default_on=True)],
    }
    async with gateway_of(config, folder) as gateway:
        gateway.reload({**usual(providers), "guardrails": [guard("a", "none.At_all", "pre_call")]})
        await gateway.said("reload refused")
        answer = await gateway.post(DOORS[0], ask(OPENAI_ALIAS, "ZEBRA"))
        assert answer.status == 400
