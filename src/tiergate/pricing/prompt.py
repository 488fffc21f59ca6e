"""Counts the prompt and the texts of a call whose provider told no usage, closely and upward.

A hold must never be too low, so its estimate is generous (`estimate`). What is charged should be
near the truth: words are counted as in `count`, and a ninth part is added for the texts that this
counts too low. Of long texts some stretches are counted and the rest is taken to be like them, so
that no call holds up the others for more than some milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, TypeAlias

import msgspec

from tiergate.base.jsontypes import Json
from tiergate.base.values import Operation
from tiergate.core.catalog import Deployment
from tiergate.ports import Inbound
from tiergate.pricing import media
from tiergate.pricing.count import MESSAGE_TOKENS, count_text
from tiergate.pricing.estimate import FRAME_TOKENS, TOOLS_TOKENS, estimate_prompt
from tiergate.pricing.families import token_ratio

MARGIN: Final = Fraction(9, 8)
"""Puts the counts of German and Hebrew, the lowest known, at the true ones."""

STRETCHES: Final = 16
STRETCH: Final = 1024
"""A text of more than so many stretches of so many characters is counted by these alone."""

_UNREAD: Final = frozenset(
    {
        "cache_control",
        "detail",
        "file_id",
        "format",
        "id",
        "media_type",
        "role",
        "signature",
        "tool_call_id",
        "tool_use_id",
        "type",
        "url",
    }
)
"""Members of messages that the model does not read as text."""

_TEXTS: Final = ("system", "messages", "prompt", "input", "suffix")
_TOOLS: Final = ("tools", "functions")
_Texts: TypeAlias = list[str]


def count_prompt(inbound: Inbound, deployment: Deployment) -> int:
    """Return the tokens of a request's prompt at a deployment; never more than its hold."""
    most = estimate_prompt(inbound, deployment)
    body, model = inbound.members.body, deployment.model
    other = FRAME_TOKENS if inbound.operation is Operation.CHAT else 0
    if media.may_hold_media(body):
        body, tokens = media.split_media(body, model)
        other += tokens
    try:
        asked: Json = msgspec.json.decode(body)
        if not isinstance(asked, dict):
            return most
        found: _Texts = []
        for name in _TEXTS:
            other += _read(asked.get(name), found)
        for name in _TOOLS:
            if tools := asked.get(name):
                other += TOOLS_TOKENS if "claude" in model else 0
                found.append(msgspec.json.encode(tools).decode())
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return most
    messages = asked.get("messages")
    other += MESSAGE_TOKENS * (len(messages) if isinstance(messages, list) else 0)
    return min(most, other + count_texts(found, model))


def count_texts(texts: Sequence[str], model: str) -> int:
    """Return the tokens that texts have in a model, rounded up.

    Args:
        texts: Read one after the other.
        model: The provider's name of the model.
    """
    length = sum(map(len, texts))
    if not length:
        return 0
    if length <= STRETCHES * STRETCH:
        counted = Fraction(sum(map(count_text, texts)))
    else:
        joined = "\n".join(texts)
        step = len(joined) // STRETCHES
        parts = [joined[step * each : step * each + STRETCH] for each in range(STRETCHES)]
        share = Fraction(len(joined), sum(map(len, parts)))
        counted = sum(map(count_text, parts)) * share
    return -(-(counted * MARGIN * token_ratio(model)) // 1)


def _read(value: Json, found: _Texts) -> int:
    """Collect the texts in a value; return how many tokens are given as such."""
    if isinstance(value, str):
        found.append(value)
        return 0
    if isinstance(value, list):
        # A prompt may be given as the numbers of its tokens.
        return sum(1 if isinstance(each, int) else _read(each, found) for each in value)
    if isinstance(value, dict):
        return sum(_read(each, found) for name, each in value.items() if name not in _UNREAD)
    return 0
