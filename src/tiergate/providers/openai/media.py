"""Data URLs and files: how the chat dialect writes data that stands in the request itself."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from tiergate.base.chat import Bytes64, Link
from tiergate.providers.reading import invalid

_DATA_URL: Final = re.compile(
    r"data:([\w.+-]+/[\w.+-]+)?((?:;[^;,]*)*?)(;base64)?,", re.IGNORECASE
)
_HEAD: Final = 512
_MEDIA_TYPES: Final = {
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/plain",
    "csv": "text/plain",
}
DEFAULT_FILE_TYPE: Final = "application/pdf"
"""What a file without a type and a known ending is: the one kind every model with files reads."""


def source_of(url: str, at: str) -> Bytes64 | Link:
    """Return what an image URL stands for.

    Raises:
        Refused: A data URL that has no media type or is not base64.
    """
    if not url[:5].lower().startswith("data:"):
        if not url:
            raise invalid(at, "the URL is empty")
        return Link(url)
    found = _DATA_URL.match(url[:_HEAD])  # the data may be megabytes
    if found is None or not found[1] or not found[3]:
        raise invalid(at, "a data URL must read data:<media type>;base64,<data>")
    return Bytes64(found[1].lower(), url[found.end() :])


def file_source(data: str, filename: str | None, at: str) -> Bytes64 | Link:
    """Return what `file_data` holds: a data URL, an address, or bare base64.

    Bare base64 has no type of its own; the file name tells it.
    """
    if data[:5].lower() == "data:" or data.startswith(("http://", "https://")):
        return source_of(data, at)
    ending = (filename or "").rpartition(".")[2].lower()
    return Bytes64(_MEDIA_TYPES.get(ending, DEFAULT_FILE_TYPE), data)


def data_url(source: Bytes64) -> str:
    """Return a source as a data URL."""
    return f"data:{source.media_type};base64,{source.data}"


def text_of(source: Bytes64) -> str | None:
    """Return the text of a plain-text file, or None if it is not one."""
    if source.media_type != "text/plain":
        return None
    try:
        return base64.b64decode(source.data, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
