"""Asks OpenAI's moderation endpoint (or one of its form) whether texts break its rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from tiergate.base.jsontypes import Json
from tiergate.core.guard_options import ModerationOptions, Reaction
from tiergate.guards.services import ask_json, pieces
from tiergate.ports.guarding import CLEAN, Fetch, Found, GuardError, Occasion, Passage, Verdict

TOGETHER: Final = 32
"""Texts in one request."""

_WHAT: Final = "the moderation endpoint"


class ModerationGuard:
    """Implements `ports.guarding.Guard` for `openai_moderation`.

    Args:
        options: Where the endpoint is, and what is to be done.
        fetch: Asks it.
    """

    window = None
    restores = False

    def __init__(self, options: ModerationOptions, fetch: Fetch) -> None:
        self._options = options
        self._fetch = fetch
        key = options.key
        self._headers = () if key is None else (("authorization", f"Bearer {key.value}"),)

    async def look(self, passages: Sequence[Passage], occasion: Occasion) -> Verdict:  # noqa: ARG002 - the port's signature
        """Return which of the endpoint's rules some passages break.

        Raises:
            GuardError: The endpoint did not answer, or not as it should.
        """
        parts = [
            (number, piece)
            for number, passage in enumerate(passages)
            for _, piece in pieces(passage.text)
            if piece.strip()
        ]
        broken: dict[int, dict[str, None]] = {}
        for first in range(0, len(parts), TOGETHER):
            some = parts[first : first + TOGETHER]
            results = await self._ask([piece for _, piece in some])
            for (number, _), categories in zip(some, results, strict=True):
                if categories is not None:
                    broken.setdefault(number, {}).update(dict.fromkeys(categories))
        return self._verdict(broken, passages) if broken else CLEAN

    def _verdict(self, broken: dict[int, dict[str, None]], passages: Sequence[Passage]) -> Verdict:
        if self._options.reaction is Reaction.BLOCK:
            every = dict.fromkeys(name for names in broken.values() for name in names)
            return Verdict(blocked=f"Violated OpenAI moderation policy: {', '.join(every)}")
        return Verdict(
            tuple(
                Found(number, 0, len(passages[number].text), name, self._options.reaction)
                for number, names in broken.items()
                for name in names
            )
        )

    async def _ask(self, texts: Sequence[str]) -> list[tuple[str, ...] | None]:
        body: Json = {"model": self._options.model, "input": list(texts)}
        answer = await ask_json(self._fetch, _WHAT, self._options.address, self._headers, body)
        results = answer.get("results") if isinstance(answer, dict) else None
        if not isinstance(results, list) or len(results) != len(texts):
            raise GuardError(f"{_WHAT} did not answer with one result for each text")
        return [_categories(each) for each in results]


def _categories(result: Json) -> tuple[str, ...] | None:
    """Return the rules that a text breaks; None where it breaks none."""
    match result:
        case {"flagged": False}:
            return None
        case {"flagged": True, "categories": dict(categories)}:
            return tuple(_true(categories.items())) or ("flagged",)
        case _:
            raise GuardError(f"{_WHAT} answered with a result that cannot be read")


def _true(categories: Iterable[tuple[str, Json]]) -> Iterable[str]:
    return (name for name, broken in categories if broken is True)
