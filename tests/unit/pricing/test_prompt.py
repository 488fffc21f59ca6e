"""Prompts are counted closely where no provider told their tokens."""

from __future__ import annotations

import base64
import json

import pytest

from support.attempts import deployment
from tiergate.base.values import AliasName, Dialect, Operation
from tiergate.ports import Inbound
from tiergate.pricing.count import MESSAGE_TOKENS, count_text
from tiergate.pricing.estimate import FRAME_TOKENS, TOOLS_TOKENS, estimate_prompt
from tiergate.pricing.media import IMAGE_TOKENS
from tiergate.pricing.prompt import STRETCH, STRETCHES, count_prompt, count_texts
from tiergate.wire.members import Members

GPT = deployment("cheap", "gpt", model="gpt-5")
CLAUDE = deployment("cheap", "claude", model="claude-opus-4-6")
PROSE = "The gateway counts the words of a prompt, and is a little above the truth. " * 8
FRAME = FRAME_TOKENS + MESSAGE_TOKENS


def counted(body, at=GPT, operation=Operation.CHAT):
    return count_prompt(call(body, operation), at)


def call(body, operation=Operation.CHAT):
    return Inbound(
        call_id="call-1",
        received=0.0,
        wall=0.0,
        dialect=Dialect.OPENAI,
        operation=operation,
        asked="cheap",
        alias=AliasName("cheap"),
        stream=False,
        include_usage=False,
        members=Members.read(body if isinstance(body, bytes) else json.dumps(body).encode()),
    )


def said(content, **more):
    return {"model": "cheap", "messages": [{"role": "user", "content": content}], **more}


def test_no_text_has_no_tokens():
    assert count_texts([], "gpt-5") == count_texts(["", ""], "gpt-5") == 0


def test_a_text_is_counted_with_a_margin_and_rounded_up():
    assert count_texts([PROSE], "gpt-5") == -(-count_text(PROSE) * 9 // 8)


def test_a_model_with_other_tokens_has_more_of_them():
    assert count_texts([PROSE], "claude-opus-4-6") == -(-count_text(PROSE) * 9 * 6 // 40)


def test_a_long_text_is_counted_by_stretches_of_it():
    text = PROSE * 200
    assert len(text) > 4 * STRETCH * STRETCHES

    assert count_texts([text], "gpt-5") == pytest.approx(count_text(text) * 9 / 8, rel=0.02)


@pytest.mark.parametrize(
    "content",
    [
        PROSE,
        [{"type": "text", "text": PROSE}],
        [{"type": "text", "text": PROSE, "cache_control": {"type": "ephemeral"}}],
        [{"type": "tool_result", "tool_use_id": "x" * 200, "content": PROSE}],
        [{"type": "thinking", "thinking": PROSE, "signature": "x" * 200}],
    ],
)
def test_a_text_counts_the_same_in_every_form(content):
    assert counted(said(content)) == count_texts([PROSE], "gpt-5") + FRAME


@pytest.mark.parametrize(
    "body",
    [
        {**said(""), "system": PROSE},
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"arguments": PROSE}}]}]},
    ],
)
def test_every_place_of_a_text_counts(body):
    assert counted(body) == count_texts([PROSE], "gpt-5") + FRAME


def test_a_prompt_of_a_completion_or_an_embedding_has_no_frame():
    tokens = count_texts([PROSE], "gpt-5")

    assert counted({"prompt": PROSE}, operation=Operation.COMPLETION) == tokens
    assert counted({"input": [PROSE]}, operation=Operation.EMBEDDING) == tokens


def test_a_prompt_may_be_given_as_tokens():
    body = {"input": [[1, 2, 3], [4, 5]]}

    assert counted(body, operation=Operation.EMBEDDING) == 5


def test_tools_are_counted_and_claude_reads_more_about_them():
    tools = [
        {"name": "f", "description": "UPPERCASE: 5000; " * 40, "input_schema": {"type": "object"}}
    ]
    text = json.dumps(tools, separators=(",", ":"))
    body = said("", tools=tools)

    assert counted(body) == count_texts([text], "gpt-5") + FRAME
    assert counted(body, CLAUDE) == count_texts([text], "claude-opus-4-6") + FRAME + TOOLS_TOKENS


def test_an_image_is_no_text():
    data = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"7" * 9000).decode()
    url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    body = said([{"type": "text", "text": PROSE}, url])

    assert counted(body) == count_texts([PROSE], "gpt-5") + FRAME + IMAGE_TOKENS


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages":[{"role":"user","content":"hi"}],"seed":1e999}',
        b'{"messages":[],"tools":5}',
        b'{"messages":5}',
        b"{}",
        json.dumps(said("A1" * 50)).encode(),
    ],
)
def test_a_charge_is_never_above_the_hold(body):
    assert 0 < counted(body) <= estimate_prompt(call(body), GPT)
