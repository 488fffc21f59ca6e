"""The one door to all providers: same dialect by splice, other dialect by translation."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import anthropic_wire, openai_wire
from support.attempts import settings
from support.engine import served_by
from tiergate.base.errors import Failure, FailureClass, Refused, Untranslatable
from tiergate.base.values import Dialect, Operation, Secret
from tiergate.core.catalog import Catalog, RouterPolicy
from tiergate.ports import Answered, Inbound, Prepared
from tiergate.providers.codec import ProviderCodec
from tiergate.web.aliases import RequestRules
from tiergate.web.requests import Arrival, read_request

ANTHROPIC = served_by("cheap", "a")
OPENAI = served_by("cheap", "o", Dialect.OPENAI)
DEPLOYMENTS = (ANTHROPIC, OPENAI)
SETTINGS = settings(DEPLOYMENTS)
RULES = RequestRules.of(Catalog.of(SETTINGS), RouterPolicy(), frozenset())
CHAT = {"model": "cheap", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}


def codec() -> ProviderCodec:
    ids = iter(range(1, 1000))
    return ProviderCodec(lambda: 1_790_000_000.9, lambda start: f"{start}{next(ids)}")


def inbound(body, dialect=Dialect.ANTHROPIC, operation=Operation.CHAT, headers=None) -> Inbound:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    arrival = Arrival(dialect, operation, headers or {}, "", "id", 0.0, 0.0)
    return read_request(raw, arrival, RULES)[0]


def variant(base, **more):
    made = served_by("cheap", base.id, base.dialect)
    for name, value in more.items():
        object.__setattr__(made, name, value)
    return made


def sent(prepared: Prepared) -> dict:
    return json.loads(prepared.body)


# ------------------------------------------------------------------ same dialect


@pytest.mark.parametrize("dialect", Dialect)
def test_the_callers_bytes_go_on_but_for_the_model(dialect):
    deployment = ANTHROPIC if dialect is Dialect.ANTHROPIC else OPENAI
    raw = (
        b'{ "max_tokens" : 10,\n "model":"cheap", '
        b'"messages":[ {"role":"user","content":"h\\u00e9"} ],"x":1e2}'
    )

    prepared = codec().prepare(inbound(raw, dialect), deployment)

    assert prepared.body == raw.replace(b'"cheap"', b'"%s"' % deployment.model.encode())
    assert b"content-length: %d\r\n" % len(prepared.body) in prepared.head
    assert prepared.losses == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(st.from_regex(r"x_[a-z]{1,5}", fullmatch=True), JSON), st.sampled_from(Dialect)
)
def test_every_unknown_field_passes(more, dialect):
    deployment = ANTHROPIC if dialect is Dialect.ANTHROPIC else OPENAI
    body = {**more, **CHAT}
    prepared = codec().prepare(inbound(body, dialect), deployment)
    assert sent(prepared) == {**body, "model": deployment.model}


def test_what_was_meant_for_the_gateway_is_taken_out():
    body = {
        **CHAT,
        "fallbacks": ["cheap"],
        "num_retries": 1,
        "metadata": {"tags": ["x"], "user_id": "u"},
        "cache": {"no-cache": True},
    }
    prepared = codec().prepare(inbound(body), ANTHROPIC)
    assert sent(prepared) == {**CHAT, "model": "m-a", "metadata": {"user_id": "u"}}

    only = codec().prepare(inbound({**CHAT, "metadata": {"tags": ["x"]}}), ANTHROPIC)
    assert sent(only) == {**CHAT, "model": "m-a"}


def test_what_the_file_adds_is_added_where_the_caller_says_nothing_and_drops_are_dropped():
    deployment = variant(
        ANTHROPIC,
        defaults={"temperature": 0.5, "top_k": 5},
        additional_drop_params=("stop_sequences",),
    )
    body = {**CHAT, "temperature": 1, "stop_sequences": ["x"]}
    prepared = codec().prepare(inbound(body), deployment)
    assert sent(prepared) == {**CHAT, "model": "m-a", "temperature": 1, "top_k": 5}


def test_a_count_gets_no_defaults():
    deployment = variant(ANTHROPIC, defaults={"temperature": 0.5})
    asked = inbound(CHAT, operation=Operation.COUNT_TOKENS)
    prepared = codec().prepare(asked, deployment)
    assert sent(prepared) == {**CHAT, "model": "m-a"}
    assert prepared.head.startswith(b"POST /v1/messages/count_tokens HTTP/1.1")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (None, {"include_usage": True}),
        ({"include_usage": False, "x": 1}, {"include_usage": True, "x": 1}),
        ({"include_usage": True}, {"include_usage": True}),
    ],
)
def test_every_openai_stream_is_metered(options, expected):
    body = {**CHAT, "stream": True, **({"stream_options": options} if options else {})}
    prepared = codec().prepare(inbound(body, Dialect.OPENAI), OPENAI)
    assert sent(prepared)["stream_options"] == expected


def test_a_plain_call_is_not_asked_for_stream_usage():
    assert "stream_options" not in sent(codec().prepare(inbound(CHAT, Dialect.OPENAI), OPENAI))


# ------------------------------------------------------------------ other dialect


def test_a_messages_request_becomes_a_chat_request():
    prepared = codec().prepare(inbound({**CHAT, "system": "be kind", "top_k": 5}), OPENAI)

    body = sent(prepared)
    assert body["model"] == "m-o"
    assert body["messages"] == [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": "hi"},
    ]
    assert prepared.losses == ("top_k",)
    assert prepared.head.startswith(b"POST /chat/completions HTTP/1.1")


def test_a_chat_request_becomes_a_messages_request():
    prepared = codec().prepare(inbound(CHAT, Dialect.OPENAI), ANTHROPIC)
    assert sent(prepared)["max_tokens"] == 10
    assert b"anthropic-version: " in prepared.head


def test_translation_is_deterministic_and_decodes_the_request_once():
    asked = inbound(CHAT, Dialect.OPENAI)
    one = codec()
    first = one.prepare(asked, ANTHROPIC)
    kept = asked.note
    assert one.prepare(asked, ANTHROPIC) == first
    assert asked.note is kept
    assert codec().prepare(inbound(CHAT, Dialect.OPENAI), ANTHROPIC) == first


def test_what_the_file_adds_and_drops_holds_for_translated_calls_too():
    deployment = variant(ANTHROPIC, defaults={"top_k": 5}, additional_drop_params=("temperature",))
    prepared = codec().prepare(inbound({**CHAT, "temperature": 1}, Dialect.OPENAI), deployment)
    body = sent(prepared)
    assert body["top_k"] == 5
    assert "temperature" not in body


def test_control_fields_and_tags_do_not_reach_the_other_dialect():
    body = {**CHAT, "tags": ["x"], "metadata": {"tags": ["x"], "user_id": "u"}}
    for dialect, deployment in ((Dialect.OPENAI, ANTHROPIC), (Dialect.ANTHROPIC, OPENAI)):
        assert b"tags" not in codec().prepare(inbound(body, dialect), deployment).body


def test_an_openai_body_with_anthropic_blocks_is_put_in_order_for_an_openai_host():
    body = {
        **CHAT,
        "tools": [{"name": "look", "description": "d", "input_schema": {"type": "object"}}],
    }
    prepared = codec().prepare(inbound(body, Dialect.OPENAI), OPENAI)
    assert sent(prepared)["tools"][0]["type"] == "function"

    quoted = {**CHAT, "messages": [{"role": "user", "content": 'say "tool_use"'}]}
    asked = inbound(quoted, Dialect.OPENAI)
    assert codec().prepare(asked, OPENAI).body == asked.members.body.replace(b"cheap", b"m-o")


@pytest.mark.parametrize(
    ("operation", "dialect", "deployment"),
    [
        (Operation.EMBEDDING, Dialect.OPENAI, ANTHROPIC),
        (Operation.COMPLETION, Dialect.OPENAI, ANTHROPIC),
        (Operation.COUNT_TOKENS, Dialect.ANTHROPIC, OPENAI),
    ],
)
def test_what_a_provider_does_not_have_is_untranslatable(operation, dialect, deployment):
    asked = inbound({**CHAT, "input": "x", "prompt": "x"}, dialect, operation)
    with pytest.raises(Untranslatable, match=operation.value):
        codec().prepare(asked, deployment)


def test_a_request_that_is_wrong_in_its_own_dialect_is_refused_when_it_is_translated():
    asked = inbound({**CHAT, "messages": [{"role": "alien", "content": "x"}]})
    with pytest.raises(Refused) as caught:
        codec().prepare(asked, OPENAI)
    assert caught.value.status == 400


# ------------------------------------------------------------------ answers


def answer(body, caller, deployment, operation=Operation.CHAT):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    asked = {**CHAT, "input": "x", "prompt": "x"}
    one = codec()
    request = inbound(asked, caller, operation)
    if operation is Operation.CHAT:
        one.prepare(request, deployment)
    return one.answer(request, deployment, raw)


@pytest.mark.parametrize("caller", Dialect)
@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=["anthropic", "openai"])
def test_an_answer_comes_in_the_callers_dialect_under_the_name_asked(caller, deployment):
    upstream = (
        anthropic_wire.message("hello")
        if deployment is ANTHROPIC
        else openai_wire.completion("hello")
    )

    found = answer(upstream, caller, deployment)

    assert isinstance(found, Answered)
    body = json.loads(found.body)
    assert body["model"] == "cheap"
    assert (found.usage.input, found.usage.output, found.refused) == (10, 5, False)
    if caller is Dialect.ANTHROPIC:
        assert body["content"][0]["text"] == "hello"
    else:
        assert body["choices"][0]["message"]["content"] == "hello"


def test_a_same_dialect_answer_keeps_every_other_byte():
    raw = (
        b'{"id":"1", "model" : "m-a","content":[],'
        b'"usage":{"input_tokens":1,"output_tokens":2},"new":{"a": 1}}'
    )
    found = answer(raw, Dialect.ANTHROPIC, ANTHROPIC)
    assert found.body == raw.replace(b'"m-a"', b'"cheap"')

    without = b'{"content":[]}'
    assert answer(without, Dialect.ANTHROPIC, ANTHROPIC).body == without
    assert answer(without, Dialect.ANTHROPIC, ANTHROPIC).usage is None


@pytest.mark.parametrize(
    ("upstream", "deployment"),
    [
        (anthropic_wire.message("no", stop_reason="refusal"), ANTHROPIC),
        (openai_wire.completion("no", finish_reason="content_filter"), OPENAI),
    ],
)
@pytest.mark.parametrize("caller", Dialect)
def test_a_refusal_inside_a_200_is_noted(upstream, deployment, caller):
    assert answer(upstream, caller, deployment).refused


def test_embeddings_and_completions_pass():
    found = answer(openai_wire.embeddings([[0.5]]), Dialect.OPENAI, OPENAI, Operation.EMBEDDING)
    assert json.loads(found.body)["model"] == "cheap"
    found = answer(openai_wire.text_completion("x"), Dialect.OPENAI, OPENAI, Operation.COMPLETION)
    assert json.loads(found.body)["choices"][0]["text"] == "x"


@pytest.mark.parametrize("caller", Dialect)
@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=["anthropic", "openai"])
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"{}",
        b'{"model":5}',
        b'{"content":5,"choices":5,"model":"x"}',
        b'{"choices":[5],"content":[5],"model":"x"}',
        b"\xff",
        b'{"a":1,"a":2}',
        b"[" * 100_000,
        b'{"choices":' + b"[" * 100_000,
    ],
)
def test_what_is_no_answer_is_an_upstreams_fault_told_in_a_sentence(raw, caller, deployment):
    found = answer(raw, caller, deployment)

    if isinstance(found, Failure):
        assert (found.kind, found.status) == (FailureClass.UPSTREAM, 502)
        assert found.message.endswith(".")
    else:
        assert caller is deployment.dialect, "what is passed on unread is the caller's to judge"


@pytest.mark.parametrize("caller", Dialect)
@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=["anthropic", "openai"])
def test_an_error_inside_a_200_is_a_failure(caller, deployment):
    for error in ({"type": "rate_limit_error", "message": "slow"}, "overloaded", ["x"]):
        found = answer({"error": error}, caller, deployment)
        assert isinstance(found, Failure)
    whole = {**anthropic_wire.message("x"), **openai_wire.completion("x"), "error": None}
    assert isinstance(answer(whole, caller, deployment), Answered)


@given(JSON, st.sampled_from(Dialect), st.sampled_from(DEPLOYMENTS))
def test_no_answer_makes_it_raise(body, caller, deployment):
    assert isinstance(answer(body, caller, deployment), Answered | Failure)


# ------------------------------------------------------------------ streams


@pytest.mark.parametrize("caller", Dialect)
@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=["anthropic", "openai"])
def test_a_stream_comes_in_the_callers_dialect_under_the_name_asked(caller, deployment):
    wire = anthropic_wire if deployment is ANTHROPIC else openai_wire
    one = codec()
    request = inbound({**CHAT, "stream": True}, caller)
    one.prepare(request, deployment)
    reader = one.stream(request, deployment)

    out = b"".join(reader.feed(piece) for piece in wire.text_events("hello"))

    assert reader.ended
    assert (reader.usage.input, reader.usage.output) == (10, 5)
    assert b"cheap" in out
    assert b"upstream-" not in out
    assert (b"message_stop" in out) is (caller is Dialect.ANTHROPIC)
    assert (b"[DONE]" in out) is (caller is Dialect.OPENAI)
    assert (b"prompt_tokens" in out) is False or caller is Dialect.OPENAI


def test_a_broken_stream_has_an_error_frame_of_its_caller():
    for caller in Dialect:
        for deployment in DEPLOYMENTS:
            reader = codec().stream(inbound({**CHAT, "stream": True}, caller), deployment)
            reader.eof()
            frame = reader.error(reader.failure)
            assert frame.startswith(
                b"event: error\n" if caller is Dialect.ANTHROPIC else b'data: {"error"'
            )


# ------------------------------------------------------------------ tools under other names


def test_tools_get_their_own_names_back():
    long = "look/up now"
    tool = {"type": "function", "function": {"name": long, "parameters": {"type": "object"}}}
    one = codec()
    request = inbound({**CHAT, "tools": [tool]}, Dialect.OPENAI)
    name = sent(one.prepare(request, ANTHROPIC))["tools"][0]["name"]
    assert name != long

    upstream = anthropic_wire.message(
        [anthropic_wire.tool_block(name, {})], stop_reason="tool_use"
    )
    found = one.answer(request, ANTHROPIC, json.dumps(upstream).encode())
    call = json.loads(found.body)["choices"][0]["message"]["tool_calls"][0]
    assert call["function"]["name"] == long

    reader = one.stream(request, ANTHROPIC)
    out = b"".join(reader.feed(piece) for piece in anthropic_wire.tool_events(name, {}))
    assert long.encode() in out


# ------------------------------------------------------------------ errors

SECRET = "strangely-formed-key-0123456789"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": f"bad key {SECRET}"}},
        {"error": {"message": "bad", "hint": f"you sent {SECRET}"}},
        {"error": {"message": "bad", "type": SECRET, "code": SECRET, "param": SECRET}},
        {"message": SECRET},
    ],
)
@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=["anthropic", "openai"])
def test_a_provider_that_quotes_its_key_does_not_show_it_to_the_caller(body, deployment):
    keyed = variant(deployment, api_key=Secret(SECRET))
    found = codec().failure(keyed, 401, json.dumps(body).encode(), None, 0.0)

    assert found.kind is FailureClass.CREDENTIALS
    shown = (found.message, found.type, found.code, found.param, found.body)
    assert SECRET not in str(shown)


def test_an_error_keeps_what_the_provider_said():
    raw = json.dumps(anthropic_wire.error_body("overloaded_error", "busy")).encode()
    found = codec().failure(ANTHROPIC, 529, raw, "7", 0.0)
    assert (found.status, found.message, found.type) == (529, "busy", "overloaded_error")
    assert (found.retry_after, found.dialect) == (7.0, Dialect.ANTHROPIC)
