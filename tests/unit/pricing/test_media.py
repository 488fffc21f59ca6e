"""Images, documents and sound take safe constants, and their base64 is no text."""

from __future__ import annotations

import base64
import json

import pytest

from tiergate.pricing.media import (
    IMAGE_TOKENS,
    PAGE_BYTES,
    PAGE_TOKENS,
    SOUND_CHARACTERS,
    UNSEEN_PAGES,
    base64_tokens,
    image_tokens,
    may_hold_media,
    pdf_pages,
    split_media,
)

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(2000)).decode()
_PAGES = b"1 0 obj <</Type /Pages /Count 3>> " + b"<</Type/Page /A 1>> " * 3
PDF = base64.b64encode(b"%PDF-1.7" + _PAGES + bytes(999)).decode()
CLOSED_PDF = base64.b64encode(b"%PDF-1.7\n" + b"\x01\x02\x03" * 10_000).decode()
SOUND = base64.b64encode(b"ID3" + bytes(27_000)).decode()


def anthropic_image(data=PNG):
    return {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": data},
    }


def openai_image(data=PNG):
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}


def split(*parts, model="gpt-5", indent=None):
    body = {"messages": [{"role": "user", "content": list(parts)}]}
    return split_media(json.dumps(body, indent=indent).encode(), model)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("part", [anthropic_image(), openai_image()])
def test_an_image_takes_one_constant_and_its_bytes_are_no_text(part, indent):
    text, tokens = split({"type": "text", "text": "what is this"}, part, part, indent=indent)

    assert tokens == 2 * IMAGE_TOKENS
    assert b"what is this" in text
    assert PNG.encode()[:40] not in text


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image", "source": {"type": "file", "file_id": "file-1"}},
    ],
)
def test_an_image_that_is_referred_to_takes_the_same(part):
    assert split(part, part, part)[1] == 3 * IMAGE_TOKENS


def test_images_of_gpt_4o_mini_take_more_tokens():
    assert image_tokens("gpt-4o-mini-2024-07-18") > 10 * IMAGE_TOKENS
    assert split(openai_image(), model="gpt-4o-mini")[1] == image_tokens("gpt-4o-mini")


def test_a_pdf_takes_its_pages():
    assert pdf_pages(PDF.encode()) == 3

    part = {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
    }
    assert split(part)[1] == 3 * PAGE_TOKENS


def test_a_pdf_that_does_not_show_its_pages_has_one_for_so_many_bytes():
    assert pdf_pages(CLOSED_PDF.encode()) == 30_009 // PAGE_BYTES + 1


def test_a_pdf_with_broken_base64_is_counted_by_its_length():
    assert pdf_pages(b"JVBERi" + b"A" * 99_999) == 100_005 * 3 // 4 // PAGE_BYTES + 1


@pytest.mark.parametrize(
    "part",
    [
        {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
        {"type": "file", "file": {"file_id": "file-1"}},
    ],
)
def test_a_document_that_is_referred_to_has_as_many_pages_as_are_allowed(part):
    assert split(part)[1] == UNSEEN_PAGES * PAGE_TOKENS


def test_a_document_of_text_is_text():
    text, tokens = split(
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "words"},
        }
    )

    assert tokens == 0
    assert b"words" in text


def test_sound_takes_tokens_by_its_length():
    part = {"type": "input_audio", "input_audio": {"data": SOUND, "format": "mp3"}}

    assert split(part)[1] == base64_tokens(SOUND.encode(), "gpt-5")
    assert base64_tokens(SOUND.encode(), "gpt-5") == len(SOUND) // SOUND_CHARACTERS + 1


def test_text_alone_is_left_alone():
    body = json.dumps({"messages": [{"role": "user", "content": "a word"}]}).encode()

    assert not may_hold_media(body)
    assert split_media(body, "gpt-5") == (body, 0)


def test_short_base64_and_long_words_stay_text():
    text, tokens = split({"type": "text", "text": "x" * 3000 + " y"}, openai_image("iVBORw0KGgo="))

    assert tokens == IMAGE_TOKENS
    assert b"x" * 3000 in text


@pytest.mark.parametrize("part", [anthropic_image(), openai_image()])
def test_media_are_noticed(part):
    assert may_hold_media(json.dumps({"messages": [part]}).encode())
