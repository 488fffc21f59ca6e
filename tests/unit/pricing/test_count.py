"""Local counts of Messages requests; their quality is held in tests/properties."""

from __future__ import annotations

import pytest

from tiergate.pricing.count import MESSAGE_TOKENS, count_messages, count_text
from tiergate.pricing.estimate import FRAME_TOKENS, TOOLS_TOKENS
from tiergate.pricing.media import IMAGE_TOKENS, PAGE_TOKENS, UNSEEN_PAGES

WORDS = "five plain words of text"
TEXT = count_text(WORDS)
FRAME = FRAME_TOKENS + MESSAGE_TOKENS


def count(content, **members):
    body = {"model": "gpt-5", "messages": [{"role": "user", "content": content}], **members}
    return count_messages(body)


def test_an_empty_text_has_no_tokens():
    assert count_text("") == 0


def test_a_text_counts_the_same_alone_and_in_a_block():
    assert count(WORDS) == count([{"type": "text", "text": WORDS}]) == TEXT + FRAME


def test_the_system_text_counts_in_either_form():
    assert count("", system=WORDS) == count("", system=[{"type": "text", "text": WORDS}])
    assert count("", system=WORDS) == TEXT + FRAME


@pytest.mark.parametrize(
    "block",
    [
        {"type": "thinking", "thinking": WORDS, "signature": "x" * 500},
        {"type": "document", "source": {"type": "text", "data": WORDS}},
        {
            "type": "document",
            "source": {"type": "content", "content": [{"type": "text", "text": WORDS}]},
        },
    ],
)
def test_text_inside_blocks_counts(block):
    assert count([block]) == TEXT + FRAME


def test_a_tool_result_counts_its_content():
    block = {"type": "tool_result", "tool_use_id": "t", "content": WORDS}

    assert count([block]) == TEXT + FRAME + MESSAGE_TOKENS


def test_a_tool_call_counts_as_json():
    block = {"type": "tool_use", "id": "t", "name": "find", "input": {"words": WORDS}}

    assert count([block]) > TEXT + FRAME


def test_tools_count_with_what_providers_add_for_them():
    tools = [{"name": "find", "description": WORDS, "input_schema": {"type": "object"}}]

    assert count("", tools=tools) > TEXT + FRAME + TOOLS_TOKENS
    assert count("", tools=[]) == FRAME


def test_an_image_takes_its_constant():
    block = {"type": "image", "source": {"type": "base64", "data": "iVBOR" * 1000}}

    assert count([block]) == IMAGE_TOKENS + FRAME


def test_documents_take_their_pages_and_a_title_is_text():
    shown = {"type": "document", "title": WORDS, "source": {"type": "base64", "data": "JVBERi0x"}}
    unseen = {"type": "document", "source": {"type": "file", "file_id": "f"}}

    assert count([shown]) == PAGE_TOKENS + TEXT + FRAME
    assert count([unseen]) == UNSEEN_PAGES * PAGE_TOKENS + FRAME


@pytest.mark.parametrize(("model", "times"), [("claude-haiku-4-5", 1.2), ("claude-opus-5", 1.6)])
def test_claude_makes_more_tokens_of_the_same_text(model, times):
    body = {"model": "cheap", "messages": [{"role": "user", "content": WORDS * 100}]}
    text = count_messages(body) - FRAME

    assert count_messages(body, model) - FRAME == pytest.approx(text * times, abs=1)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": None, "system": 5},
        {"messages": ["x", {"role": "user"}, {"content": [1, None]}], "model": 3},
        {"messages": [{"content": [{"type": "document"}, {"type": "image", "source": 1}]}]},
    ],
)
def test_odd_requests_are_counted_as_far_as_they_make_sense(body):
    assert count_messages(body) >= FRAME_TOKENS
