"""Tokens of what is not text: images, PDFs, sound. Safe constants where no formula applies.

Sources: Anthropic "Vision" (width x height / 750, about 1,600 at most, and up to 4,784 for models
that read high resolutions) and "PDF support" (1,500 to 3,000 tokens of text a page, and the page
as an image; up to 100 pages for most models); OpenAI "Images and vision" (at most 1,536 patches,
times up to 2.46; for gpt-4o-mini 2,833 and 5,667 for each of at most 8 tiles) and its audio guide
(ten tokens a second).
"""

from __future__ import annotations

import binascii
import re
from typing import Final

IMAGE_TOKENS: Final = 4800
"""The most that an image takes in a model that is not named below."""

_DEARER_IMAGES: Final = (("gpt-4o-mini", 48_169),)
"""Beginnings of model names, and what their images take: these are made up by low prices."""

PAGE_TOKENS: Final = 4600
"""A page of a PDF: 3,000 of text, 1,600 of its picture."""

UNSEEN_PAGES: Final = 100
"""Pages of a document that is only referred to."""

PAGE_BYTES: Final = 8000
"""Where a PDF does not show its pages (they may be compressed), one for so many bytes."""

SOUND_CHARACTERS: Final = 270
"""Characters of base64 for one token of sound that is compressed to 16 kbit/s."""

_PAGE: Final = re.compile(rb"/Type\s*/Page(?![a-zA-Z])")
_IMAGE_STARTS: Final = (b"iVBOR", b"/9j/", b"R0lGOD", b"UklGR")
_PDF_START: Final = b"JVBERi"
_BASE64: Final = re.compile(rb'(?<=[",])[A-Za-z0-9+/_-]{400,}={0,2}(?=")')
"""A JSON string, or the rest of one after the comma of a data URL, that is base64."""

_IMAGE_PART: Final = re.compile(rb'"type"\s*:\s*"(?:image|image_url|input_image)"')
_FILE_PART: Final = re.compile(rb'"type"\s*:\s*"(?:document|file|input_file)"')
_FILE_SOURCE: Final = re.compile(rb'"source"\s*:\s*\{\s*"type"\s*:\s*"file"')
_REFERENCE: Final = re.compile(rb'"(?:file_id|file_url|url)"\s*:\s*"(?!data:)')


def may_hold_media(body: bytes) -> bool:
    """Tell quickly whether a JSON body can have anything but text in it."""
    if b'"type"' not in body:
        return False
    return b'"image' in body or b"base64" in body or b'"document"' in body or b'"file"' in body


def split_media(body: bytes, model: str) -> tuple[bytes, int]:
    """Take the media out of a JSON body.

    Args:
        body: The request.
        model: The provider's name of the model.

    Returns:
        The body without base64 data, and the most tokens that images, documents and sound take,
        those included that are only referred to.
    """
    tokens = images = documents = 0
    texts: list[bytes] = []
    last = 0
    for found in _BASE64.finditer(body):
        data = found.group()
        texts.append(body[last : found.start()])
        last = found.end()
        tokens += base64_tokens(data, model)
        images += data.startswith(_IMAGE_STARTS)
        documents += data.startswith(_PDF_START)
    texts.append(body[last:])
    text = b"".join(texts)
    referred = len(_REFERENCE.findall(text))
    images_apart = max(0, len(_IMAGE_PART.findall(text)) - images)
    # In Anthropic's dialect an image or a document may come from a file: one part, two types.
    files = len(_FILE_PART.findall(text)) - len(_FILE_SOURCE.findall(text))
    files_apart = max(0, files - documents)
    tokens += images_apart * image_tokens(model)
    tokens += min(files_apart, referred) * UNSEEN_PAGES * PAGE_TOKENS
    return text, tokens


def image_tokens(model: str) -> int:
    """Return the most tokens that one image takes in a model."""
    for start, tokens in _DEARER_IMAGES:
        if model.startswith(start):
            return tokens
    return IMAGE_TOKENS


def base64_tokens(data: bytes, model: str) -> int:
    """Return the most tokens that a file takes, from its base64 text."""
    if data.startswith(_PDF_START):
        return pdf_pages(data) * PAGE_TOKENS
    if data.startswith(_IMAGE_STARTS):
        return image_tokens(model)
    return len(data) // SOUND_CHARACTERS + 1


def pdf_pages(data: bytes) -> int:
    """Return the pages of a PDF, from its base64 text; a bound where it does not show them."""
    try:
        content = binascii.a2b_base64(data)
    except binascii.Error:
        content = b""
    return len(_PAGE.findall(content)) or len(data) * 3 // 4 // PAGE_BYTES + 1
