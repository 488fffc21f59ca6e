"""Read a JSON object's top-level members without rebuilding it, and edit them in the bytes.

A body that a caller sends reaches a provider of the same dialect byte for byte, but for the few
members we must change. So the body is never parsed into Python objects and written again: it is
validated once, each top-level value is kept as a slice, and an edit copies everything else.
What the members mean is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import cast

import msgspec

from tiergate.base.jsontypes import Json

_DECODER = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SPACE = re.compile(rb"[ \t\r\n]*")

MAX_MEMBERS = 512
"""More top-level members than this is not a request to a model."""


class BodyError(Exception):
    """A body that is not one well-formed JSON object. `str()` is a sentence for the sender."""


class Members:
    """The top-level members of one JSON object, with the bytes they came in.

    Values are validated as JSON when the object is read; they are decoded only when asked for.
    """

    __slots__ = ("_raw", "_spans", "body")

    def __init__(self, body: bytes, raw: dict[str, msgspec.Raw]) -> None:
        self.body = body
        self._raw = raw
        self._spans: dict[str, tuple[int, int, int]] | None = None

    @staticmethod
    def read(body: bytes) -> Members:
        """Validate a body and find its members.

        Args:
            body: One JSON object as UTF-8 bytes.

        Raises:
            BodyError: The body is empty, not UTF-8, not JSON, not an object, nested too deeply,
                has too many members, or names a member twice.
        """
        if not body:
            raise BodyError("The request body is empty; a JSON object is expected.")
        try:
            if not body.isascii():
                body.decode()
            raw = _DECODER.decode(body)
        except UnicodeDecodeError as exc:
            raise BodyError(f"The request body is not valid UTF-8 at byte {exc.start}.") from None
        except msgspec.ValidationError:
            raise BodyError("The request body must be a JSON object.") from None
        except msgspec.DecodeError as exc:
            raise BodyError(f"The request body is not valid JSON: {_reason(exc, body)}.") from None
        except RecursionError:
            raise BodyError("The request body is nested too deeply.") from None
        if len(raw) > MAX_MEMBERS:
            raise BodyError(f"The request body has more than {MAX_MEMBERS} members.")
        members = Members(body, raw)
        members._spans = (
            members._compact_spans() or members._spaced_spans() or members._walk_spans()
        )
        return members

    def __contains__(self, name: str) -> bool:
        """Tell whether the member is there (even with value null)."""
        return name in self._raw

    def has_none(self, names: frozenset[str]) -> bool:
        """Tell whether none of these members is there."""
        return names.isdisjoint(self._raw)

    def names(self) -> Iterable[str]:
        """Return the members' names in the order they came."""
        return self._raw.keys()

    def raw(self, name: str) -> bytes | None:
        """Return the exact bytes of a value, or None if there is no such member."""
        value = self._raw.get(name)
        return bytes(value) if value is not None else None

    def begins(self, name: str) -> bytes:
        """Return the first bytes of a value, up to 16; empty if there is no such member."""
        span = (self._spans or {}).get(name)
        return b"" if span is None else self.body[span[1] : min(span[1] + 16, span[2])]

    def get(self, name: str) -> Json:
        """Decode a value; None if it is absent or null.

        Raises:
            BodyError: The value has a lone surrogate or another fault that only decoding shows.
        """
        value = self._raw.get(name)
        if value is None:
            return None
        return decode(bytes(value))

    def edit(
        self,
        replace: Mapping[str, bytes],
        remove: Iterable[str] = (),
        append: Iterable[tuple[str, bytes]] = (),
    ) -> bytes:
        """Return the body with some members changed; every other byte stays as it came.

        Args:
            replace: New JSON text by member name. Members that are not there are appended.
            remove: Names of members to leave out.
            append: Members to add at the end, unless one of that name is there.
        """
        spans = self._spans or {}
        gone = {name for name in remove if name in spans}
        if not gone and not append and len(replace) == 1:
            ((name, text),) = replace.items()
            if name in spans:
                _, start, end = spans[name]
                return b"".join((self.body[:start], text, self.body[end:]))
        return self._rebuild(spans, replace, gone, append)

    def _rebuild(
        self,
        spans: dict[str, tuple[int, int, int]],
        replace: Mapping[str, bytes],
        gone: set[str],
        append: Iterable[tuple[str, bytes]],
    ) -> bytes:
        body = self.body
        added = [(n, v) for n, v in replace.items() if n not in spans]
        added += [(n, v) for n, v in append if n not in spans and n not in replace]
        parts: list[bytes] = []
        before = last = body.index(b"{") + 1
        kept = 0
        for name, (key, start, end) in spans.items():
            if name not in gone:
                # The first member that stays keeps the space after the brace, later ones the
                # comma (and space) that stood before them.
                parts.append(body[last if kept else before : key] if kept else b"")
                text = replace.get(name)
                parts.append(body[key:end] if text is None else body[key:start] + text)
                kept += 1
            last = end
        for name, text in added:
            parts.append(b"," if kept else b"")
            parts.append(msgspec.json.encode(name) + b":" + text)
            kept += 1
        first_key = min((key for key, _, _ in spans.values()), default=before)
        tail = body[last:] if spans else body[body.rindex(b"}") :]
        return b"".join((body[:first_key], *parts, tail))

    def _compact_spans(self) -> dict[str, tuple[int, int, int]] | None:
        """Compute the places by arithmetic, if the body has no space between its members.

        Without space, the object's length is exactly the sum of its parts; a repeated name, an
        escape in a name or any space would make it longer. So equality proves the places.
        """
        place = 1
        spans: dict[str, tuple[int, int, int]] = {}
        for name, value in self._raw.items():
            start = place + len(name) + 3
            end = start + len(value)
            spans[name] = (place, start, end)
            place = end + 1
        length = place if spans else 2
        return spans if length == len(self.body) else None

    def _spaced_spans(self) -> dict[str, tuple[int, int, int]] | None:
        """Find the places in what Python's `json` writes: one space after each colon and comma.

        Every byte outside the values is compared, and so are the values. None where anything is
        otherwise: then the members are walked over.
        """
        body, place = self.body, 1
        spans: dict[str, tuple[int, int, int]] = {}
        for name, value in self._raw.items():
            key = f'"{name}": '.encode(errors="surrogatepass")
            start = place + len(key)
            end = start + len(value)
            if not body.startswith(key, place) or not body.startswith(bytes(value), start):
                return None
            spans[name] = (place, start, end)
            if not body.startswith(b", ", end):
                last = body[:1] == b"{" and body[end:] == b"}" and len(spans) == len(self._raw)
                return spans if last else None
            place = end + 2
        return None

    def _walk_spans(self) -> dict[str, tuple[int, int, int]]:
        """Find the places by walking over the members, one slice comparison each.

        Raises:
            BodyError: A name occurs twice.
        """
        body = self.body
        spans: dict[str, tuple[int, int, int]] = {}
        place = _skip(body, body.index(b"{") + 1)
        while body[place : place + 1] != b"}":
            found = _STRING.match(body, place)
            if found is None:
                raise BodyError("The request body is not valid JSON.")
            name = cast("str", decode(found.group()))
            start = _skip(body, _skip(body, found.end()) + 1)
            value = bytes(self._raw[name])
            if name in spans or not body.startswith(value, start):
                raise BodyError(f"The request body has the member {_shown(name)} twice.")
            end = start + len(value)
            spans[name] = (place, start, end)
            place = _skip(body, end)
            if body[place : place + 1] == b",":
                place = _skip(body, place + 1)
            elif body[place : place + 1] != b"}":
                # The slice matched only the beginning of another value of the same name.
                raise BodyError(f"The request body has the member {_shown(name)} twice.")
        return spans


def decode(text: bytes) -> Json:
    """Decode JSON bytes.

    Raises:
        BodyError: The text is not valid JSON.
    """
    try:
        return cast("Json", msgspec.json.decode(text))
    except msgspec.DecodeError as exc:
        raise BodyError(f"The request body is not valid JSON: {_reason(exc, text)}.") from None
    except RecursionError:
        raise BodyError("The request body is nested too deeply.") from None


def encode(value: Json) -> bytes:
    """Encode a JSON value compactly; the same value always gives the same bytes."""
    return msgspec.json.encode(value)


def _skip(body: bytes, place: int) -> int:
    found = _SPACE.match(body, place)
    return found.end() if found else place


def _reason(exc: Exception, body: bytes) -> str:
    """Turn the decoder's words into ours."""
    text = str(exc).removeprefix("JSON is malformed: ")
    if text == "Input data was truncated":
        # The decoder says the same of half a surrogate pair, which a client makes that cuts
        # a text in the middle of an emoji.
        if body.rstrip().endswith(b"}"):
            return "a string has half of a surrogate pair, or it ends too early"
        return "it ends too early"
    return text


def _shown(name: str) -> str:
    """Quote a member's name, shortened, for a message."""
    return f"`{name[:40]}`" if len(name) <= 40 else f"`{name[:40]}...`"
