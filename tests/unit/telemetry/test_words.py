"""The words of a call are read from what was kept, in the order in which the model got them."""

from __future__ import annotations

import json

from support.told import ANSWER, ASKED, no_fold, telling, told, told_by_anthropic
from tiergate.core.record import CallRecord
from tiergate.telemetry.words import NOTHING_SAID, words_of


def test_messages_answer_settings_and_metadata_are_found():
    words = words_of(told(), no_fold)

    assert json.loads(words.asked or b"") == ASKED["messages"]
    assert json.loads(words.answer or b"") == ANSWER
    assert {name: json.loads(bytes(raw)) for name, raw in words.parameters.items()} == {
        "temperature": 0.5
    }
    assert words.metadata == {"trace_name": "sums", "colour": "blue"}


def test_a_system_prompt_that_stands_apart_comes_first():
    words = words_of(told_by_anthropic(), no_fold)

    first, second = json.loads(words.asked or b"")
    assert first == {"role": "system", "content": [{"type": "text", "text": "Be brief."}]}
    assert second["role"] == "user"

    empty = told(telling({"system": "s", "messages": []}))
    assert json.loads(words_of(empty, no_fold).asked or b"") == [
        {"role": "system", "content": "s"}
    ]


def test_prompts_and_inputs_are_words_too():
    assert words_of(told(telling({"prompt": "Once"})), no_fold).asked == b'"Once"'
    assert words_of(told(telling({"input": ["a"]})), no_fold).asked == b'["a"]'


def test_without_a_request_nothing_was_said():
    assert words_of(told(telling(None)), no_fold) is NOTHING_SAID
    record = told()
    record.telling = None
    assert words_of(record, no_fold) is NOTHING_SAID


def test_a_call_whose_words_are_hidden_shows_its_metadata_alone():
    record = told()
    assert record.telling is not None
    record.telling.wordless = True

    words = words_of(record, no_fold)

    assert (words.asked, words.answer, dict(words.parameters)) == (None, None, {})
    assert words.metadata["colour"] == "blue"


def test_a_stream_is_put_together_once_for_all_sinks():
    record = told(telling(ASKED, None))
    assert record.telling is not None
    record.telling.streamed = True
    record.telling.keep(b"data: 1\n\n")
    record.telling.keep(b"data: 2\n\n")
    seen: list[bytes] = []

    def fold(record: CallRecord, events: bytes) -> bytes | None:
        seen.append(events)
        return b'{"folded":true}'

    assert words_of(record, fold).answer == b'{"folded":true}'
    assert words_of(record, fold).answer == b'{"folded":true}'
    assert seen == [b"data: 1\n\ndata: 2\n\n"]


def test_a_stream_that_cannot_be_put_together_has_no_answer():
    record = told(telling(ASKED, None))
    assert record.telling is not None
    record.telling.streamed = True
    record.telling.keep(b"data: half")

    words = words_of(record, lambda *_: None)

    assert words.answer is None
    assert words.asked is not None


def test_what_cannot_be_decoded_hides_the_words_and_raises_nothing():
    record = told()
    assert record.telling is not None
    record.telling.request = b'{"messages": [], "metadata": "\\ud800"}'
    assert words_of(record, no_fold) is NOTHING_SAID
