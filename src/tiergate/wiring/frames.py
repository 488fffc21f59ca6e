"""The words between the supervisor and its workers: frames on a socket pair of each worker.

A frame is a kind and some bytes. What the bytes mean is known to the two ends; the supervisor
passes settings and figures on without looking inside.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

_HEAD = struct.Struct("!IB")
_NUMBER = struct.Struct("!I")
_PART = struct.Struct("!BI")


class Kind(IntEnum):
    """What a frame is."""

    READY = 1
    """From a worker: it accepts connections. The body says in words where its stores are."""
    REPORT = 2
    """From a worker: a number, then its figures. The number is that of the COUNT; 0 unasked."""
    ASK = 3
    """From a worker that is scraped: a number of its own, then its figures."""
    FAMILY = 4
    """To a worker: the number of its ASK, then the figures of all others; see `pack_family`."""
    COUNT = 5
    """To a worker: a number; it is to REPORT with that number."""
    INHERIT = 6
    """To a worker before it serves: the last figures of the one whose place it takes."""
    SETTINGS = 7
    """To a worker: serve this configuration. From one: this is what READ has found."""
    READ = 8
    """To a worker: read the configuration files again and answer SETTINGS or REFUSED."""
    REFUSED = 9
    """From a worker: the files have errors (it has logged them). No body."""
    ALIVE = 10
    """To a worker: how many workers serve."""
    LEAVE = 11
    """From a worker: how many milliseconds it may take leave, by its configuration."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message."""

    kind: Kind
    body: bytes = b""

    def encode(self) -> bytes:
        """Return the bytes on the wire."""
        return _HEAD.pack(len(self.body), self.kind) + self.body


class Frames:
    """Takes bytes as they come, gives frames."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Add bytes; return the frames that are complete now.

        Raises:
            ValueError: The bytes are no frames.
        """
        self._held += data
        frames: list[Frame] = []
        at = 0
        while len(self._held) - at >= _HEAD.size:
            length, kind = _HEAD.unpack_from(self._held, at)
            end = at + _HEAD.size + length
            if len(self._held) < end:
                break
            frames.append(Frame(Kind(kind), bytes(self._held[at + _HEAD.size : end])))
            at = end
        del self._held[:at]
        return frames


def numbered(number: int, rest: bytes = b"") -> bytes:
    """Return a body that begins with a number."""
    return _NUMBER.pack(number) + rest


def split_number(body: bytes) -> tuple[int, bytes]:
    """Take the number off a body.

    Raises:
        struct.error: There is none.
    """
    return _NUMBER.unpack_from(body)[0], body[_NUMBER.size :]


class Standing(IntEnum):
    """How fresh a worker's figures are."""

    ANSWERED = 1
    """It has told them now."""
    SILENT = 2
    """It did not answer in time: these are its last ones."""
    ENDED = 3
    """Its process has ended and no other serves in its place yet: these are its last ones."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one worker told; no figures if it has never told any."""

    standing: Standing
    figures: bytes


def pack_family(family: Sequence[Told]) -> bytes:
    """Write what several workers told."""
    return b"".join(_PART.pack(t.standing, len(t.figures)) + t.figures for t in family)


def split_family(body: bytes) -> list[Told]:
    """Read what `pack_family` wrote.

    Raises:
        struct.error: It is cut off.
        ValueError: It is something else.
    """
    family: list[Told] = []
    at = 0
    while at < len(body):
        standing, length = _PART.unpack_from(body, at)
        at += _PART.size
        family.append(Told(Standing(standing), body[at : at + length]))
        at += length
    return family
