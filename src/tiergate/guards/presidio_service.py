"""Finds personal data by asking Presidio's analyzer over HTTP.

Only its `/analyze` is asked: placeholders are written by the gateway itself, so no anonymizer is
needed and the values never go back over the wire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.core.guard_options import PiiOptions
from tiergate.guards.pii import Entity
from tiergate.guards.services import ask_json, pieces
from tiergate.ports.guarding import Fetch, GuardError

TOGETHER: Final = 4
"""Requests of one look that are on their way at the same time."""

_WHAT: Final = "the Presidio analyzer"


class PresidioService:
    """Implements `guards.pii.Finder`.

    Args:
        options: What to look for, and where the analyzer is.
        fetch: Asks it.
    """

    window = None

    def __init__(self, options: PiiOptions, fetch: Fetch) -> None:
        self._options = options
        self._fetch = fetch
        self._url = f"{options.address.rstrip('/')}/analyze"

    async def find(self, texts: Sequence[str]) -> list[Entity]:
        """Return what the analyzer finds in some texts.

        Raises:
            GuardError: It did not answer, or not as it should.
        """
        gate = asyncio.Semaphore(TOGETHER)
        parts = [(i, at, piece) for i, text in enumerate(texts) for at, piece in pieces(text)]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._ask(gate, *part)) for part in parts]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return [entity for task in tasks for entity in task.result()]

    async def _ask(self, gate: asyncio.Semaphore, number: int, at: int, text: str) -> list[Entity]:
        options = self._options
        body: JsonObject = {"text": text, "language": options.language}
        if options.entities:
            body["entities"] = list(options.entities)
        if options.recognizers:
            body["ad_hoc_recognizers"] = [dict(each) for each in options.recognizers]
        async with gate:
            answer = await ask_json(self._fetch, _WHAT, self._url, (), body)
        return _entities(answer, number, at, len(text))


def _entities(answer: Json, number: int, at: int, size: int) -> list[Entity]:
    if not isinstance(answer, list):
        raise GuardError(f"{_WHAT} did not answer with a list of findings")
    found: list[Entity] = []
    for each in answer:
        match each:
            case {
                "entity_type": str(kind),
                "start": int(start),
                "end": int(end),
                "score": int() | float() as score,
            } if 0 <= start < end <= size:
                found.append(Entity(number, at + start, at + end, kind, float(score)))
            case _:
                raise GuardError(f"{_WHAT} answered with a finding that cannot be read")
    return found
