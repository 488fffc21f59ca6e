"""The chat completions request as a whole."""

from __future__ import annotations

import pytest

from tiergate.base.chat import CacheMark, Reasoning, ResponseFormat
from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.openai import decode_ask


def _body(**fields: Json) -> JsonObject:
    return {"model": "cheap", "messages": [{"role": "user", "content": "hi"}], **fields}


def test_all_plain_fields_are_read() -> None:
    ask = decode_ask(
        _body(
            temperature=0.5,
            top_p=1,
            top_k=3,
            stop=["a", "b"],
            stream=True,
            stream_options={"include_usage": True},
            seed=7,
            user="u",
            service_tier="flex",
            cache_control={"type": "ephemeral"},
        )
    )
    assert ask.dialect is Dialect.OPENAI
    assert (ask.model, ask.temperature, ask.top_p, ask.top_k) == ("cheap", 0.5, 1, 3)
    assert (ask.stop, ask.stream, ask.include_usage, ask.seed) == (("a", "b"), True, True, 7)
    assert (ask.user, ask.service_tier) == ("u", "flex")
    assert ask.cache == CacheMark({"type": "ephemeral"})
    assert ask.extras == {}


def test_other_fields_go_to_extras_in_the_order_sent() -> None:
    ask = decode_ask(_body(n=2, logit_bias={"1": 2}, metadata={"tags": ["a"]}, store=None))
    assert list(ask.extras.items()) == [
        ("n", 2),
        ("logit_bias", {"1": 2}),
        ("metadata", {"tags": ["a"]}),
    ]


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({}, None),
        ({"max_tokens": 77}, 77),
        ({"max_completion_tokens": 88}, 88),
        ({"max_tokens": 77, "max_completion_tokens": 88}, 88),
        ({"max_tokens": None, "max_completion_tokens": 88.0}, 88),
    ],
)
def test_the_newer_name_of_the_limit_wins(fields: JsonObject, limit: int | None) -> None:
    assert decode_ask(_body(**fields)).max_tokens == limit


@pytest.mark.parametrize(
    ("fields", "reasoning"),
    [
        ({}, None),
        ({"reasoning_effort": "high"}, Reasoning("high")),
        ({"reasoning": {"effort": "low"}}, Reasoning("low")),
        ({"reasoning": {"max_tokens": 9}}, Reasoning(budget=9)),
        ({"reasoning": {"enabled": True}}, Reasoning(enabled=True)),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 1024}},
            Reasoning(budget=1024, enabled=True),
        ),
        ({"thinking": {"type": "disabled"}}, Reasoning(enabled=False)),
        (
            {"thinking": {"type": "adaptive", "display": "omitted"}, "reasoning_effort": "max"},
            Reasoning("max", enabled=True, adaptive=True, display="omitted"),
        ),
    ],
)
def test_every_way_to_ask_for_reasoning_is_read(
    fields: JsonObject, reasoning: Reasoning | None
) -> None:
    assert decode_ask(_body(**fields)).reasoning == reasoning


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, ResponseFormat(json=True)),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": {}, "strict": True}},
            ResponseFormat(json=True, schema={}, name="n", strict=True),
        ),
    ],
)
def test_a_response_format_is_read(raw: JsonObject, wanted: ResponseFormat | None) -> None:
    assert decode_ask(_body(response_format=raw)).response_format == wanted


def test_one_stop_word_may_be_a_string() -> None:
    assert decode_ask(_body(stop="END")).stop == ("END",)
    assert decode_ask(_body(stop="")).stop == ()


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"messages": [{"role": "user", "content": "x"}]}, "model"),
        ({"model": "m"}, "messages"),
        ({"model": "m", "messages": []}, "messages"),
        ({"model": "m", "messages": "hi"}, "messages"),
        (_body(max_tokens=0), "max_tokens"),
        (_body(max_completion_tokens=-1), "max_completion_tokens"),
        (_body(max_tokens=0, max_completion_tokens=5), "max_tokens"),
        (_body(temperature="warm"), "temperature"),
        (_body(stop=3), "stop"),
        (_body(stop=["a", 3]), "stop.1"),
        (_body(stream="yes"), "stream"),
        (_body(stream_options=[]), "stream_options"),
        (_body(thinking={"type": "deep"}), "thinking.type"),
        (_body(thinking={"type": "enabled", "budget_tokens": 0}), "thinking.budget_tokens"),
        (_body(response_format={"type": "xml"}), "response_format.type"),
        (_body(response_format={"type": "json_schema"}), "response_format.json_schema"),
    ],
)
def test_a_wrong_field_is_refused_at_its_place(body: JsonObject, place: str) -> None:
    with pytest.raises(Refused) as caught:
        decode_ask(body)
    assert caught.value.status == 400
    assert caught.value.param == place
