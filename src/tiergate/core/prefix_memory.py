"""Remembers the prompts of each key, alias and phase, by hashes, and says when one has drifted.

Bounded on all sides: so many keys, so many heads for each, so many conversations. What was not
seen for longest is forgotten first; a head that came once goes before one that used to match.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tiergate.core.drift import Difference, Head, Text, chunks_of, compare_heads, compare_messages
from tiergate.core.prefix_figures import PrefixKey

MOST_STREAMS: Final = 256
MOST_HEADS: Final = 6
"""Heads of one key, alias and phase: an agent with helpers of its own has some."""

MOST_TALKS: Final = 512
"""Conversations, of all keys together."""

MOST_MESSAGES: Final = 512
"""Messages of a conversation that are compared; later ones are not."""

USUAL: Final = 2
"""A head that came so often used to match."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The hashes of one prompt.

    Attributes:
        tools: Of each tool.
        system: Of each system block.
        messages: Of each message.
    """

    tools: tuple[int, ...]
    system: tuple[int, ...]
    messages: tuple[int, ...]

    def head(self, alias: str) -> int:
        """Return one hash of everything before the messages, and of who is asked."""
        return hash((alias, self.tools, self.system))


@dataclass(slots=True)
class _Known:
    head: Head
    seen: int = 1


@dataclass(slots=True)
class _Stream:
    """What one key, alias and phase sends; the latest heads last."""

    heads: list[_Known] = field(default_factory=list[_Known])


class PrefixMemory:
    """Compares each prompt with what came before; in one process, and in no order of time."""

    __slots__ = ("_streams", "_talks")

    def __init__(self) -> None:
        self._streams: dict[PrefixKey, _Stream] = {}
        self._talks: dict[int, tuple[int, ...]] = {}

    def see(self, key: PrefixKey, prompt: Prompt, text: Text) -> Difference | None:
        """Remember a prompt; return the first difference to what used to match.

        Args:
            key: Whose prompt it is.
            prompt: Its hashes.
            text: Gives its system blocks; asked for only when a head is new.
        """
        stream = self._streams.pop(key, None) or _Stream()
        while len(self._streams) >= MOST_STREAMS:
            del self._streams[next(iter(self._streams))]
        self._streams[key] = stream
        drift = _see_head(stream, prompt, text)
        talk = self._see_talk(key, prompt.messages[:MOST_MESSAGES])
        return drift or talk

    def _see_talk(self, key: PrefixKey, messages: tuple[int, ...]) -> Difference | None:
        """Compare with the conversation that begins with the same message, or the same answer."""
        if not messages:
            return None
        first = hash((key, 1, messages[0]))
        second = hash((key, 2, messages[1])) if len(messages) > 1 else first
        talks = self._talks
        # Many conversations may begin with the same question; the answer tells them apart.
        known = talks.get(second) or talks.get(first)
        drift = None if known is None else compare_messages(known, messages)
        if known is not None and drift is None and _begins(known, messages):
            return None  # an earlier turn, sent again: what is known is longer
        for name in {first, second}:
            talks.pop(name, None)
            while len(talks) >= 2 * MOST_TALKS:
                del talks[next(iter(talks))]
            talks[name] = messages
        return drift


def _begins(known: tuple[int, ...], messages: tuple[int, ...]) -> bool:
    return len(messages) < len(known) and known[: len(messages)] == messages


def _see_head(stream: _Stream, prompt: Prompt, text: Text) -> Difference | None:
    heads = stream.heads
    for at, known in enumerate(heads):
        if known.head.tools == prompt.tools and known.head.system == prompt.system:
            known.seen += 1
            heads.append(heads.pop(at))
            return None
    chunks = tuple(chunks_of(text(at)) for at in range(len(prompt.system)))
    head = Head(prompt.tools, prompt.system, chunks)
    usual = [known for known in reversed(heads) if known.seen >= USUAL]  # the latest first
    drift = None
    for known in sorted(usual, key=lambda each: -each.head.common(head)):
        drift = compare_heads(known.head, head, text)
        if drift is not None:
            break
    if len(heads) >= MOST_HEADS:
        heads.pop(next((at for at, each in enumerate(heads) if each.seen < USUAL), 0))
    heads.append(_Known(head))
    return drift
