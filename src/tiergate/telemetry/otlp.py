"""Writes spans as an OTLP `ExportTraceServiceRequest` in Protocol Buffers.

Field numbers are those of opentelemetry-proto 1.x (`trace.proto`, `common.proto`,
`resource.proto`, `trace_service.proto`), which promise not to change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Final, TypeAlias

from tiergate.telemetry import protobuf as pb

SCOPE: Final = "tiergate"
_NANO: Final = 1_000_000_000

Value: TypeAlias = str | bool | int | float | tuple[str, ...]
"""What an attribute can hold here."""


class Kind(IntEnum):
    """What a span is."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3


@dataclass(slots=True)
class Span:
    """One span.

    Attributes:
        trace: 16 bytes.
        id: 8 bytes.
        parent: 8 bytes, or none.
        begin: Unix seconds.
        end: Unix seconds.
        error: What went wrong, in words; None for a good one.
    """

    trace: bytes
    id: bytes
    parent: bytes
    name: str
    kind: Kind
    begin: float
    end: float
    attributes: Mapping[str, Value | None] = field(default_factory=dict[str, Value | None])
    error: str | None = None


@lru_cache(maxsize=512)
def _key(name: str) -> bytes:
    return pb.text(1, name)


def attribute(name: str, value: Value) -> bytes:
    """Return a `KeyValue`."""
    if isinstance(value, str):
        text = value.encode("utf-8", "replace")
        # Most attributes are texts: this is `pb.message(2, pb.text(1, value))`, quicker.
        length = pb.varint(len(text))
        size = pb.varint(1 + len(length) + len(text))
        return b"".join((_key(name), b"\x12", size, b"\x0a", length, text))
    if isinstance(value, bool):
        inner = pb.number(2, int(value))
    elif isinstance(value, int):
        inner = pb.number(3, value)
    elif isinstance(value, float):
        inner = pb.double(4, value)
    else:
        items = b"".join([pb.message(1, pb.text(1, item)) for item in value])
        inner = pb.message(5, items)
    return _key(name) + pb.message(2, inner)


def write_span(span: Span) -> bytes:
    """Return a `Span`. Attributes that are None are left out."""
    parts = [pb.message(1, span.trace), pb.message(2, span.id)]
    if span.parent:
        parts.append(pb.message(4, span.parent))
    parts += [
        pb.text(5, span.name),
        pb.number(6, span.kind),
        pb.fixed64(7, int(span.begin * _NANO)),
        pb.fixed64(8, int(span.end * _NANO)),
    ]
    parts += [
        pb.message(9, attribute(name, value))
        for name, value in span.attributes.items()
        if value is not None
    ]
    if span.error is not None:
        parts.append(pb.message(15, pb.text(2, span.error) + pb.number(3, _ERROR)))
    return b"".join(parts)


_ERROR: Final = 2


def write_resource(attributes: Mapping[str, str]) -> bytes:
    """Return a `Resource`."""
    return b"".join([pb.message(1, attribute(name, value)) for name, value in attributes.items()])


def write_request(resource: bytes, spans: Sequence[bytes], version: str) -> bytes:
    """Return an `ExportTraceServiceRequest`.

    Args:
        resource: From `write_resource`.
        spans: From `write_span`.
        version: Of the gateway.
    """
    scope = pb.text(1, SCOPE) + pb.text(2, version)
    inner = pb.message(1, scope) + b"".join([pb.message(2, span) for span in spans])
    return pb.message(1, pb.message(1, resource) + pb.message(2, inner))


# ------------------------------------------------------------------ identity


@dataclass(frozen=True, slots=True)
class Parent:
    """The span of the caller, from its `traceparent` header (W3C Trace Context)."""

    trace: bytes
    span: bytes
    sampled: bool


_PARTS: Final = 4
_LENGTHS: Final = (2, 32, 16, 2)


def read_parent(header: str) -> Parent | None:
    """Return the caller's span; None where the header is not one."""
    parts = header.strip().split("-")
    if len(parts) < _PARTS or parts[0] == "ff":
        return None
    if tuple(map(len, parts[:_PARTS])) != _LENGTHS or (parts[0] == "00" and len(parts) > _PARTS):
        return None
    try:
        version, trace, span, flags = (bytes.fromhex(part) for part in parts[:_PARTS])
    except ValueError:
        return None
    if not any(trace) or not any(span) or not version.isascii():
        return None
    return Parent(trace, span, bool(flags[0] & 1))


def trace_id(seed: str) -> bytes:
    """Return the trace that a name stands for: itself if it is one, else its hash."""
    if len(seed) == _LENGTHS[1]:
        try:
            own = bytes.fromhex(seed)
        except ValueError:
            own = b""
        if any(own):
            return own
    return hashlib.sha256(seed.encode("utf-8", "replace")).digest()[:16]


def span_id(seed: str) -> bytes:
    """Return the span that a name stands for."""
    return hashlib.sha256(seed.encode("utf-8", "replace")).digest()[16:24]
