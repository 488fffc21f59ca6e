"""What a call has used, where the provider tells it and where it does not."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from support.attempts import deployment
from tiergate.base.values import AliasName, Dialect, NanoUsd, Operation, ServiceTier, Usage
from tiergate.ports import Answered, Inbound, Meter
from tiergate.pricing import UsageMeter
from tiergate.pricing.prompt import count_prompt, count_texts
from tiergate.wire.members import Members

CLAUDE = deployment("cheap", "claude", model="claude-opus-4-6")
LLAMA = deployment("cheap", "llama", provider="ollama", dialect=Dialect.OPENAI, model="llama3")
GPT = deployment("cheap", "gpt", provider="openai", dialect=Dialect.OPENAI, model="gpt-4o")
WORDS = "five plain words of text"
METER: Meter = UsageMeter()


def call(operation=Operation.CHAT, dialect=Dialect.OPENAI, **members):
    asked = {"model": "cheap", "messages": [{"role": "user", "content": WORDS * 9}], **members}
    return Inbound(
        call_id="call-1",
        received=0.0,
        wall=0.0,
        dialect=dialect,
        operation=operation,
        asked="cheap",
        alias=AliasName("cheap"),
        stream=False,
        include_usage=False,
        members=Members.read(json.dumps(asked).encode()),
    )


def answered(body, usage=None):
    return Answered(body if isinstance(body, bytes) else json.dumps(body).encode(), usage)


@dataclass
class Reader:
    """A stream as far as it has come."""

    usage: Usage | None = None
    metered: bool = False
    said_bytes: int = 0
    said_pieces: int = 0


def output(body, operation=Operation.CHAT, dialect=Dialect.OPENAI):
    found = METER.of_answer(call(operation, dialect), LLAMA, answered(body))
    assert found.estimated
    return found.output


# ------------------------------------------------------------------ plain answers


def test_what_the_provider_tells_is_what_was_used():
    told = Usage(10, 5, cache_read=3)

    assert METER.of_answer(call(), CLAUDE, answered(b"{}", told)) is told
    assert METER.of_answer(call(), GPT, answered(b"{}", told)) is told


@pytest.mark.parametrize("told", [None, Usage(), Usage(0, 0, cache_read=0)])
def test_without_a_usage_prompt_and_answer_are_counted_here(told):
    body = {"choices": [{"message": {"role": "assistant", "content": WORDS}}]}
    found = METER.of_answer(call(), LLAMA, answered(body, told))

    assert found == Usage(
        count_prompt(call(), LLAMA), count_texts([WORDS], "llama3"), estimated=True
    )


def test_a_usage_that_only_tells_what_is_charged_is_believed():
    told = Usage(billed=NanoUsd(5))

    assert METER.of_answer(call(), LLAMA, answered(b"{}", told)) is told


def chat(**message):
    return {"choices": [{"index": 0, "message": {"role": "assistant", **message}}]}


@pytest.mark.parametrize(
    "body",
    [
        chat(content=WORDS),
        chat(content=None, reasoning_content=WORDS),
        chat(content="", reasoning=WORDS),
        chat(refusal=WORDS),
        chat(content=[{"type": "text", "text": WORDS}]),
        chat(tool_calls=[{"id": "x" * 99, "function": {"arguments": WORDS}}]),
        {"choices": [{"text": WORDS}]},
    ],
)
def test_everything_that_a_chat_model_writes_is_counted(body):
    assert output(body) == count_texts([WORDS], "llama3")


@pytest.mark.parametrize(
    "block",
    [
        {"type": "text", "text": WORDS},
        {"type": "thinking", "thinking": WORDS, "signature": "x" * 999},
        {"type": "tool_use", "id": "x" * 99, "name": WORDS},
    ],
)
def test_everything_that_claude_writes_is_counted(block):
    assert output({"content": [block]}, dialect=Dialect.ANTHROPIC) == count_texts(
        [WORDS], "llama3"
    )


def test_a_tool_s_input_is_counted_as_json():
    block = {"type": "tool_use", "name": "f", "input": {"path": WORDS}}

    assert output({"content": [block]}, dialect=Dialect.ANTHROPIC) == count_texts(
        ["f", f'{{"path":"{WORDS}"}}'], "llama3"
    )


def test_every_choice_is_counted():
    body = {"choices": [{"message": {"content": WORDS}}, {"message": {"content": WORDS}}]}

    assert output(body) == count_texts([WORDS, WORDS], "llama3")


@pytest.mark.parametrize(
    "body", [[], {"choices": "x"}, {"choices": [5]}, {"choices": [{"message": 5}]}, chat()]
)
def test_an_answer_of_another_shape_has_nothing_that_can_be_counted(body):
    assert output(body) == 0


def test_an_answer_that_is_no_json_is_counted_as_it_stands():
    assert output(WORDS.encode()) == count_texts([WORDS], "llama3")


def test_embeddings_have_no_output():
    assert output({"data": [{"embedding": [0.5] * 99}]}, Operation.EMBEDDING) == 0


def test_claude_s_own_tokens_are_counted_for_claude():
    body = {"content": [{"type": "text", "text": WORDS * 20}]}
    asked = call(dialect=Dialect.ANTHROPIC)

    more = METER.of_answer(asked, CLAUDE, answered(body)).output
    assert more > METER.of_answer(asked, LLAMA, answered(body)).output


def test_a_counted_call_is_of_the_tier_that_was_ordered():
    found = METER.of_answer(
        call(service_tier="priority", inference_geo="us"), CLAUDE, answered({"content": []})
    )

    assert (found.tier, found.surcharge) == (ServiceTier.PRIORITY, 10)


def test_openai_s_search_is_added_to_the_usage_that_does_not_count_it():
    asked = call(web_search_options={})
    told = Usage(10, 5)

    assert METER.of_answer(asked, GPT, answered(b"{}", told)) == Usage(10, 5, searches=1)
    assert METER.of_answer(asked, GPT, answered(b"{}")).searches == 1
    assert METER.of_answer(asked, CLAUDE, answered(b"{}", told)) is told


# ------------------------------------------------------------------ streams


def test_a_metered_stream_has_used_what_it_tells_wherever_it_ends():
    told = Usage(10, 5)

    assert METER.of_stream(call(), CLAUDE, Reader(told, True, 999, 99)) is told


def test_a_stream_that_is_left_keeps_the_prompt_it_told_and_the_output_is_counted():
    told = Usage(10, 1, cache_read=70)
    found = METER.of_stream(call(), LLAMA, Reader(told, False, 1100, 20))

    assert found == Usage(10, 300, cache_read=70, estimated=True)


def test_each_piece_of_a_stream_has_a_token_at_least():
    found = METER.of_stream(call(), LLAMA, Reader(Usage(10, 1), False, 11, 7))

    assert found.output == 7


def test_a_told_output_that_is_larger_than_the_count_stands():
    found = METER.of_stream(call(), LLAMA, Reader(Usage(10, 40), False, 11, 7))

    assert found.output == 40


@pytest.mark.parametrize("told", [None, Usage()])
def test_a_stream_without_any_usage_is_counted_altogether(told):
    found = METER.of_stream(call(), LLAMA, Reader(told, told is not None, 1100, 20))

    assert found == Usage(count_prompt(call(), LLAMA), 300, estimated=True)


def test_a_searching_stream_has_its_search():
    asked = call(web_search_options={})

    assert METER.of_stream(asked, GPT, Reader(Usage(10, 5), True)).searches == 1


def test_a_call_that_brought_nothing_back_has_used_its_prompt():
    assert METER.of_prompt(call(), LLAMA) == Usage(count_prompt(call(), LLAMA), 0, estimated=True)


# ------------------------------------------------------------------ never above the hold


@pytest.mark.parametrize(
    ("members", "most"),
    [
        ({"max_tokens": 7}, 7),
        ({"max_tokens": 7, "max_completion_tokens": 9}, 9),
        ({"max_tokens": 7, "n": 3}, 21),
        ({"max_tokens": None}, 300),
        ({"max_tokens": 7000}, 300),
    ],
)
def test_an_output_is_not_counted_above_what_the_request_allowed(members, most):
    asked = call(**members)
    body = answered(chat(content="word " * 300))

    assert METER.of_stream(asked, LLAMA, Reader(None, False, 1100, 20)).output == most
    assert METER.of_answer(asked, LLAMA, body).output == min(
        most if most < 300 else 10**9, METER.of_answer(call(), LLAMA, body).output
    )


def test_a_limit_of_the_file_counts_where_the_request_has_none():
    at = deployment("cheap", "l", model="llama3", defaults={"max_tokens": 8})

    assert METER.of_stream(call(), at, Reader(None, False, 1100, 20)).output == 8


def test_what_a_provider_told_stands_above_any_limit():
    told = Usage(10, 40)

    assert METER.of_stream(call(max_tokens=7), LLAMA, Reader(told, False, 1100)).output == 40
