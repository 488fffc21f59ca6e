"""Decides which requests may be asked by meaning, and which stored answer is near enough.

Only the last user text is compared by meaning; that everything else is equal is the partition's
matter (`pipeline.cache_key`), and which words must not differ is decided in `likeness`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from tiergate.core.likeness import contradict

SEMANTIC_LAYER = "semantic"
"""The name of this layer in headers, ledger and metrics."""

DEFAULT_THRESHOLD = 0.95
"""Where nobody says how near: a wrong answer costs more than a call.

`docs/how-to/cache-by-meaning.md` has a table of what thresholds do.
"""

DEFAULT_INPUT_TOKENS = 256
"""Longer questions are not asked by meaning: models cut them, and the end would not count."""

BYTES_PER_TOKEN = 4
"""About, in English; a bound by bytes needs no tokenizer."""

DEFAULT_TIMEOUT = 1.0
"""Seconds that a request waits for the vector of its question."""

CANDIDATES = 8
"""Neighbours that are looked at; the nearest may be one that contradicts."""


class Unasked(Enum):
    """Why a request is not asked by meaning. The value is a label of a metric."""

    OPERATION = "operation"
    """It is no chat."""
    TOOLS = "tools"
    """It may call tools, so its answer depends on more than words."""
    TURNS = "turns"
    """It is a conversation of several turns."""
    NO_TEXT = "no_text"
    """Its last message is no user's text."""
    LONG = "long"
    """Its last user text is longer than embedding models read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeaningPolicy:
    """What the configuration says of asking by meaning.

    Attributes:
        threshold: The least cosine similarity of two questions, from 0 to 1.
        with_tools: Requests with tools are asked too.
        many_turns: Conversations with several user turns are asked too.
        input_tokens: The longest question, in tokens of about 4 bytes.
        timeout: Seconds that a request waits for the vector of its question.
    """

    threshold: float = DEFAULT_THRESHOLD
    with_tools: bool = False
    many_turns: bool = False
    input_tokens: int = DEFAULT_INPUT_TOKENS
    timeout: float = DEFAULT_TIMEOUT


@dataclass(frozen=True, slots=True)
class Shape:
    """What a request is made of.

    Attributes:
        text: Its last user text; empty where its last message is none.
        turns: How many messages are the user's.
        tools: Whether it names or has used tools.
    """

    text: str
    turns: int
    tools: bool


def unasked(policy: MeaningPolicy, shape: Shape) -> Unasked | None:
    """Return why a chat is not asked by meaning; None if it is."""
    if shape.tools and not policy.with_tools:
        return Unasked.TOOLS
    if shape.turns > 1 and not policy.many_turns:
        return Unasked.TURNS
    if not shape.text.strip():
        return Unasked.NO_TEXT
    if len(shape.text.encode("utf-8", "replace")) > policy.input_tokens * BYTES_PER_TOKEN:
        return Unasked.LONG
    return None


@dataclass(frozen=True, slots=True)
class Near:
    """A stored question that is near.

    Attributes:
        key: Of its answer.
        similarity: Cosine, at most 1.
        sides: What it takes sides in (`likeness.sides`).
    """

    key: str
    similarity: float
    sides: tuple[str, ...]


def near_enough(
    policy: MeaningPolicy, sides: Sequence[str], candidates: Sequence[Near]
) -> list[Near]:
    """Return the candidates whose answers may serve, the nearest first.

    Args:
        policy: The configuration.
        sides: Of the question asked.
        candidates: Its neighbours in any order.
    """
    found = [
        each
        for each in candidates
        if each.similarity >= policy.threshold and not contradict(sides, each.sides)
    ]
    return sorted(found, key=lambda each: -each.similarity)


def unit(values: Sequence[float]) -> tuple[float, ...] | None:
    """Return a vector of length 1 in the same direction; None if it has no direction."""
    length = math.sqrt(math.fsum(each * each for each in values))
    if not values or not math.isfinite(length) or length == 0:
        return None
    return tuple(each / length for each in values)


def show_similarity(similarity: float) -> str:
    """Return a similarity as headers show it: cut, so that it never looks nearer than it is."""
    return f"{math.floor(max(0.0, min(similarity, 1.0)) * 1000 + 1e-6) / 1000:.3f}".rstrip(
        "0"
    ).rstrip(".")
