"""Makes the vector of a question by an alias of this gateway.

The call goes through the engine like any other, so that its cost is in the ledger and in the
budgets of whoever asked. It counts in no rate limit, and may use the alias whatever the caller's
key may: the caller has not asked for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tiergate.base.errors import Refused
from tiergate.base.values import AliasName, Dialect, Operation
from tiergate.core.plan import Wish
from tiergate.pipeline.attempt import Plain
from tiergate.pipeline.leading import Runs
from tiergate.pipeline.parts import GaveUp
from tiergate.ports import Clock, Inbound, NoVectorError
from tiergate.wire.members import BodyError, Members, decode, encode

TAG: Final = "tiergate:semantic-cache"
"""The tag of these calls, by which `tiergate spend --by tag` shows what they cost."""

_ID_END: Final = "-meaning"


class AliasEmbedder:
    """Implements `ports.Embedder`.

    Args:
        engine: Makes the call.
        alias: What serves it.
        behind: What stands behind the alias: vectors of another model must not be compared.
        size: How many numbers a vector must have; None takes what comes.
        clock: Monotonic seconds.
        wall: Unix seconds.
    """

    def __init__(
        self,
        engine: Runs,
        alias: AliasName,
        behind: str,
        size: int | None,
        clock: Clock,
        wall: Clock,
    ) -> None:
        self.model = behind
        self._engine = engine
        self._alias = alias
        self._size = size
        self._clock = clock
        self._wall = wall

    async def vector(self, text: str, inbound: Inbound) -> Sequence[float]:
        """Return the vector of a text; see `ports.Embedder.vector`."""
        call = self._call(text, inbound)
        wish = Wish(alias=self._alias)
        try:
            served = await self._engine.run(call, wish)
        except Refused as exc:
            raise NoVectorError(f"alias {self._alias}: {exc}") from None
        except GaveUp as exc:
            raise NoVectorError(f"alias {self._alias}: {exc.error.message}") from None
        outcome = served.outcome
        if not isinstance(outcome, Plain):
            outcome.exchange.close()
            self._engine.finished(served, outcome.usage, None, left=True)
            raise NoVectorError(f"alias {self._alias} answered with a stream")
        self._engine.finished(served, outcome.usage, None)
        vector = _read(outcome.answer.body)
        if vector is None:
            raise NoVectorError(f"alias {self._alias} answered with something else than a vector")
        if self._size is not None and len(vector) != self._size:
            raise NoVectorError(
                f"alias {self._alias} gave a vector of {len(vector)} numbers, and the "
                f"configuration says {self._size}"
            )
        return vector

    def _call(self, text: str, inbound: Inbound) -> Inbound:
        body = encode({"model": self._alias, "input": text, "encoding_format": "float"})
        return Inbound(
            call_id=inbound.call_id + _ID_END,
            received=self._clock(),
            wall=self._wall(),
            dialect=Dialect.OPENAI,
            operation=Operation.EMBEDDING,
            asked=self._alias,
            alias=self._alias,
            stream=False,
            include_usage=False,
            members=Members.read(body),
            user=inbound.user,
            caller=replace(inbound.caller, limits=()),
            purpose=inbound.purpose,
            tags=(*inbound.tags, TAG),
        )


def _read(body: bytes) -> list[float] | None:
    """Read an answer of OpenAI's form; None for anything else."""
    try:
        told = decode(body)
    except BodyError:
        return None
    data = told.get("data") if isinstance(told, dict) else None
    first = data[0] if isinstance(data, list) and data else None
    numbers = first.get("embedding") if isinstance(first, dict) else None
    if not isinstance(numbers, list) or not numbers:
        return None
    found = [float(each) for each in numbers if isinstance(each, int | float)]
    return found if len(found) == len(numbers) else None
