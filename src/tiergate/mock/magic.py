"""Short words for steps, so that failures can be tried without a script: `mock:429`, `mock:cut`.

A word works in the model name or in the last thing the user says, as `mock:WORD` or
`mock:WORD=NUMBER`; in a script file it stands for a step by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from tiergate.mock.rules import (
    DEFAULT_HANG_SECONDS,
    EVENTS_BEFORE_BREAK,
    Cut,
    Fail,
    Finish,
    Hang,
    Overflow,
    Refuse,
    Reply,
    Slow,
    Step,
    StreamFail,
)

MAX_WORDS = 10_000

_PATTERN = re.compile(r"(\d{3}|[a-z]+(?:-[a-z]+)*)(?:=(\d{1,6}(?:\.\d{1,6})?))?")
_IN_TEXT = re.compile(rf"\bmock:{_PATTERN.pattern}(?![\w=])", re.IGNORECASE)

_STEPS: Mapping[str, Callable[[float | None], Step]] = MappingProxyType(
    {
        "ok": lambda _: Reply(),
        "overflow": lambda _: Overflow(),
        "refusal": lambda _: Refuse(),
        "filter": lambda _: Reply(finish=Finish.CONTENT_FILTER),
        "hang": lambda number: Hang(DEFAULT_HANG_SECONDS if number is None else number),
        "cut": lambda _: Cut(),
        "stream-cut": lambda number: Cut(_events(number)),
        "stream-hang": lambda number: Hang(after_events=_events(number)),
        "stream-error": lambda number: StreamFail(_events(number)),
        "slow": lambda number: Slow(1.0 if number is None else number, 0.1),
        "tool": lambda _: Reply(call_tool=True),
        "thinking": lambda _: Reply(thinking="Let me think. Thinking is what was asked for."),
        "long": lambda number: Reply(text=_long_text(500 if number is None else int(number))),
    }
)

WORDS = (*_STEPS, "400 ... 599")
"""All short words, for help texts."""


def step_named(word: str) -> Step | None:
    """The step a word stands for, `None` if it is not one; `word` may end in `=NUMBER`."""
    found = _PATTERN.fullmatch(word.lower())
    return _step(found) if found else None


def step_asked_for(model: str, question: str) -> Step | None:
    """The step that a model name or else the user's text asks for; `None` if neither does."""
    for text in (model, question):
        for found in _IN_TEXT.finditer(text):
            step = _step(found)
            if step is not None:
                return step
    return None


def _step(found: re.Match[str]) -> Step | None:
    word: str = found[1].lower()
    number = float(found[2]) if found[2] else None
    if word.isdigit():
        first, last = 400, 599
        return Fail(int(word)) if first <= int(word) <= last else None
    make = _STEPS.get(word)
    return make(number) if make else None


def _events(number: float | None) -> int:
    return EVENTS_BEFORE_BREAK if number is None else int(number)


def _long_text(words: int) -> str:
    return " ".join(f"word{index}" for index in range(1, min(words, MAX_WORDS) + 1))
