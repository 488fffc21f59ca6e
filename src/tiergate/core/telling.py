"""What sinks need to know of one call beside its record: where it belongs, and maybe its words.

One is made for each call where a sink is configured, and none elsewhere. The request is held as
the bytes that came, never a copy; of the answer at most `MOST_ANSWER` bytes are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tiergate.core.trail import Decision

MOST_REQUEST: Final = 1024 * 1024
"""Bytes of the largest request that is shown to sinks."""

MOST_ANSWER: Final = 1024 * 1024
"""Bytes of the largest answer that is shown to sinks."""

NONE: Final[frozenset[str]] = frozenset()


# Not frozen: it is filled while the call goes on.
@dataclass(slots=True)
class Telling:
    """What sinks are told of one call beside its record.

    Attributes:
        received: Monotonic instant of arrival, seconds; the one that `record.wall` stands for.
        parent: The caller's `traceparent` header, or empty.
        trace: The caller's own name for the trace (`x-litellm-trace-id`), or empty.
        agent: The caller's `user-agent`, or empty.
        without: Callbacks that this call is not told to, in lower case; `*` stands for all.
        request: The body of the request; None where no sink wants it, or it is too large.
        wordless: The words of request and answer are shown to nobody (a header asked for it);
            what else the request says is.
        asked: The name of the model as the caller wrote it, for answers that are put together.
        pieces: What the caller got, piece by piece.
        size: Bytes of `pieces`.
        cut: The answer was too large, and is not shown.
        streamed: `pieces` are events of a stream.
        trail: What was decided on the way.
    """

    received: float
    parent: str = ""
    trace: str = ""
    agent: str = ""
    without: frozenset[str] = NONE
    request: bytes | None = field(default=None, repr=False)
    wordless: bool = False
    asked: str = ""
    pieces: list[bytes] = field(default_factory=list[bytes], repr=False)
    size: int = 0
    cut: bool = False
    streamed: bool = False
    trail: tuple[Decision, ...] = ()

    @property
    def listens(self) -> bool:
        """Whether a sink wants to see the answer."""
        return self.request is not None and not self.wordless

    def without_words(self) -> Telling:
        """Return the same without anything of request and answer."""
        return Telling(
            self.received,
            self.parent,
            self.trace,
            self.agent,
            self.without,
            asked=self.asked,
            trail=self.trail,
        )

    def keep(self, piece: bytes) -> None:
        """Keep a piece of the answer, as long as there is room."""
        self.size += len(piece)
        if self.size <= MOST_ANSWER:
            self.pieces.append(piece)
        elif not self.cut:
            self.cut = True
            self.pieces = []

    @property
    def weight(self) -> int:
        """Bytes that it holds in memory, about."""
        return (len(self.request) if self.request is not None else 0) + self.size * (not self.cut)
