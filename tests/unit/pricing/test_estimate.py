"""The quick upper estimate for holds; its quality is held in tests/properties."""

from __future__ import annotations

import json

import pytest

from support.attempts import deployment
from tiergate.base.values import AliasName, Dialect, Operation
from tiergate.ports import Inbound
from tiergate.pricing.estimate import FRAME_TOKENS, TOOLS_TOKENS, estimate_prompt, weigh
from tiergate.pricing.media import IMAGE_TOKENS
from tiergate.wire.members import Members

GPT = deployment("cheap", "gpt", model="gpt-5")
CLAUDE = deployment("cheap", "claude", model="claude-opus-5")


def call(body):
    return Inbound(
        call_id="call-1",
        received=0.0,
        wall=0.0,
        dialect=Dialect.OPENAI,
        operation=Operation.CHAT,
        asked="cheap",
        alias=AliasName("cheap"),
        stream=False,
        include_usage=False,
        members=Members.read(body if isinstance(body, bytes) else json.dumps(body).encode()),
    )


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("a" * 1000, 260),
        ("A" * 1000, 1040),
        ("1" * 1000, 1040),
        ("é" * 500, 520),
        ("中" * 300, 468),
        ("🎉" * 100, 308),
    ],
)
def test_bytes_are_weighed_by_their_kind(text, tokens):
    assert weigh(text.encode()) == tokens + 1


def test_escaped_letters_weigh_what_they_are():
    plain = json.dumps({"text": "预算用完以后" * 50}, ensure_ascii=False, separators=(",", ":"))
    escaped = json.dumps({"text": "预算用完以后" * 50})

    assert weigh(escaped.encode()) == weigh(plain.encode())


def test_escapes_that_cannot_be_read_are_weighed_as_they_stand():
    body = b'"\\ud800\\ud800\\ud800"'

    assert weigh(body) > 0


def test_every_prompt_has_a_frame_and_tools_have_theirs():
    bare = call({"messages": []})
    tools = call({"messages": [], "tools": []})

    assert estimate_prompt(bare, GPT) == weigh(bare.members.body) + FRAME_TOKENS
    assert estimate_prompt(tools, GPT) > estimate_prompt(bare, GPT) + TOOLS_TOKENS


def test_claude_s_later_tokenizer_makes_a_fifth_more():
    asked = call({"messages": [{"role": "user", "content": "words and more words " * 100}]})
    weight = weigh(asked.members.body)

    assert estimate_prompt(asked, CLAUDE) == weight * 6 // 5 + FRAME_TOKENS


def test_an_image_is_not_weighed_as_text():
    data = "iVBOR" + "A" * 1_000_000
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    asked = call({"messages": [{"role": "user", "content": [part]}]})

    assert IMAGE_TOKENS < estimate_prompt(asked, GPT) < IMAGE_TOKENS + 200
