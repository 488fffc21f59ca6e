"""Values that classes are given."""

from __future__ import annotations

import asyncio

import pytest

from tiergate.custom.values import (
    DualCache,
    Message,
    ModelResponse,
    ModelResponseStream,
    Record,
    TextCompletionResponse,
    UserAPIKeyAuth,
    answer_record,
    event_record,
    plain,
)

ANSWER = {"id": "x", "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}}]}


def test_an_answer_has_attributes_that_can_be_written():
    answer = answer_record(ANSWER)
    assert isinstance(answer, ModelResponse)
    answer.choices[0].message.content = "ho"
    assert plain(answer)["choices"][0]["message"]["content"] == "ho"
    assert answer.model_dump()["id"] == "x"


def test_a_message_without_a_member_says_none_and_other_objects_raise():
    assert Message().content is None
    assert Message().tool_calls is None
    with pytest.raises(AttributeError):
        _ = Record().content


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (ANSWER, ModelResponse),
        ({"object": "text_completion", "choices": [{"text": "x"}]}, TextCompletionResponse),
        ({"type": "message", "content": []}, Record),
    ],
)
def test_answers_are_of_the_kind_that_classes_ask_for(value, kind):
    assert type(answer_record(value)) is kind


def test_events_have_deltas():
    event = event_record({"choices": [{"delta": {}}]})
    assert isinstance(event, ModelResponseStream)
    assert event.choices[0].delta.content is None
    assert type(event_record({"type": "ping"})) is Record
    assert event_record("x") == "x"


def test_plain_takes_what_classes_return():
    class Theirs:
        def model_dump(self):
            return {"a": (1, 2)}

    assert plain({"x": Theirs(), 1: [Record(a=1)]}) == {"x": {"a": [1, 2]}, "1": [{"a": 1}]}


def test_who_calls_has_every_attribute():
    assert UserAPIKeyAuth(user_id="u").user_id == "u"
    assert UserAPIKeyAuth().anything is None


def test_the_cache_keeps_values_for_a_while():
    async def work() -> None:
        cache = DualCache()
        assert await cache.async_get_cache("a") is None
        await cache.async_set_cache("a", 1, ttl=60)
        await cache.async_set_cache("b", 2, ttl=-1)
        assert await cache.async_get_cache("a") == 1
        assert await cache.async_get_cache("b") is None

    asyncio.run(work())
