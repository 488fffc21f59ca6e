"""What a prompt cache would have read and written for one request; the digests are kept elsewhere.

Anthropic's rules (docs, "Prompt caching"): the prompt is tools, system, messages, in this order; a
`cache_control` mark ends a prefix; the longest prefix known from earlier calls is read, and what
follows it up to the last mark is written. Unlike the real one, this cache has no least length and
forgets nothing by age, so that short trials show it at work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterator
from dataclasses import dataclass

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.mock.call import Call, Dialect, objects, text_of, tokens_of


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """A marked prefix of the prompt.

    Attributes:
        digest: identifies model and prefix.
        tokens: length of the prefix in tokens.
        one_hour: is the mark's `ttl` one hour (else five minutes)?
    """

    digest: str
    tokens: int
    one_hour: bool


@dataclass(frozen=True, slots=True)
class CacheUse:
    """Tokens read from and written to the prompt cache by one call."""

    read: int = 0
    write: int = 0
    write_1h: int = 0


def breakpoints(call: Call) -> tuple[Breakpoint, ...]:
    """The marked prefixes of a request, shortest first; none on the OpenAI routes."""
    if call.dialect is not Dialect.ANTHROPIC:
        return ()
    digest = hashlib.blake2b(call.model.encode(), digest_size=16)
    characters = 0
    found: list[Breakpoint] = []
    parts = list(_parts(call.body))
    for index, part in enumerate(parts):
        mark = part.get("cache_control")
        if mark is None and index == len(parts) - 1:
            # A mark on the request itself stands for one at the end of the prompt.
            mark = call.body.get("cache_control")
        content = text_of({key: value for key, value in part.items() if key != "cache_control"})
        digest.update(content.encode())
        characters += len(content)
        if isinstance(mark, dict):
            one_hour = mark.get("ttl") == "1h"
            found.append(Breakpoint(digest.hexdigest(), tokens_of("x" * characters), one_hour))
    return tuple(found)


def use_of(marks: tuple[Breakpoint, ...], known: Container[str]) -> CacheUse:
    """Tokens read and written, given the digests of the prefixes written before."""
    if not marks:
        return CacheUse()
    read = max((mark.tokens for mark in marks if mark.digest in known), default=0)
    written = marks[-1].tokens - read
    if marks[-1].one_hour:
        return CacheUse(read, 0, written)
    return CacheUse(read, written)


def _parts(body: JsonObject) -> Iterator[JsonObject]:
    yield from objects(body.get("tools"))
    yield from _blocks("system", body.get("system"))
    for message in objects(body.get("messages")):
        yield from _blocks(text_of(message.get("role")), message.get("content"))


def _blocks(role: str, content: Json | None) -> Iterator[JsonObject]:
    if isinstance(content, str):
        yield {"role": role, "type": "text", "text": content}
    for block in objects(content):
        yield {"role": role, **block}
