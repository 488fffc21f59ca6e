"""Serves requests that cost nothing: admits them, marks their answers, closes their books.

An answer from a cache counts in its caller's rate limits, holds nothing in any budget, and is
recorded with what it saved. Where the answer comes from is not decided here.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass

from tiergate.base.errors import Failure, Refused
from tiergate.base.values import NanoUsd, Usage
from tiergate.core.caching import RESPONSE_LAYER
from tiergate.core.catalog import Deployment
from tiergate.core.meaning import SEMANTIC_LAYER, show_similarity
from tiergate.core.plan import Wish
from tiergate.core.record import CallRecord, Outcome, ended_as
from tiergate.core.timing import Limits
from tiergate.pipeline.attempt import Open, Plain
from tiergate.pipeline.flights import Flight
from tiergate.pipeline.served import Served
from tiergate.ports import (
    Accounts,
    BudgetStop,
    Clock,
    HoldToken,
    Inbound,
    LookupWatch,
    Observer,
    Pending,
)

WHY = "response cache"
"""What the trail of an answer from the cache says."""

WHY_NEAR = "semantic cache"
"""What it says where the answer was made for another question of the same meaning."""

_NO_LIMITS = Limits(math.inf, None, callers_own=False)
_CALLER_LEFT = 499


@dataclass(slots=True)
class Free:
    """What is known of an answer that costs nothing.

    Attributes:
        result: `hit` for a stored answer, `near_hit` for one to another question of the same
            meaning, `shared` for the answer of another request.
        flight: The call of that other request, while it answers.
        similarity: Of the question that the answer was made for; None where it is the same.
    """

    result: str
    flight: Flight | None = None
    similarity: float | None = None


class Unpaid:
    """Serves requests that cost nothing.

    Args:
        accounts: Counts requests in the rate limits of their callers.
        observer: Is told what happened.
        watch: Is told what came of look-ups.
        worth: nano-USD that a deployment charges for some tokens; None where it is not known.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        accounts: Accounts,
        observer: Observer,
        watch: LookupWatch,
        worth: Callable[[Deployment, Usage], NanoUsd | None],
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._observer = observer
        self._watch = watch
        self._worth = worth
        self._clock = clock

    async def serve(
        self,
        key: str,
        found: tuple[Deployment, Plain | Open],
        free: Free,
        inbound: Inbound,
        wish: Wish,
    ) -> Served:
        """Admit a request and give it an answer; `close` must be called with it exactly once.

        Args:
            key: Of the answer, for its header.
            found: Who gave it, and the answer itself.
            free: Where it comes from.
            inbound: The request.
            wish: What it asks for.

        Raises:
            Refused: One of its caller's rate limits is reached.
        """
        deployment, outcome = found
        admission = await self._admit(inbound, deployment)
        now = self._clock()
        layer, why, said = RESPONSE_LAYER, WHY, RESPONSE_LAYER
        if free.similarity is not None:
            layer, why = SEMANTIC_LAYER, WHY_NEAR
            said = f"{layer}; similarity={show_similarity(free.similarity)}"
        marks = (("x-litellm-cache-key", key), ("x-tiergate-cache", said))
        if inbound.stream:  # a plain answer has its cost from whoever closes the books
            marks = (*marks, ("x-litellm-response-cost", "0"))
        return Served(
            inbound=inbound,
            deployment=deployment,
            outcome=outcome,
            wish=wish,
            limits=_NO_LIMITS,
            hold=None,
            begun=now,
            first=now,
            upstream_seconds=0.0,
            why=why,
            admission=admission,
            source=free,
            marks=marks,
            cache=layer,
        )

    def close(
        self,
        served: Served,
        free: Free,
        usage: Usage | None,
        failure: Failure | None,
        *,
        left: bool,
    ) -> NanoUsd:
        """Close the books of a request; returns its cost, which is 0."""
        if free.flight is not None:
            usage, failure = free.flight.usage, free.flight.failure
        outcome = ended_as(failure, left=left)
        if usage is not None and failure is None:
            served.saving = self._worth(served.deployment, usage) or 0
        self._observer.ended(
            served.record(self._clock(), outcome, usage, NanoUsd(0), failure),
        )
        if served.admission is not None:
            self._accounts.leave(served.admission, 0)
        self._watch.looked_up(served.inbound, free.result)
        return NanoUsd(0)

    def left(self, inbound: Inbound, deployment: Deployment | None) -> None:
        """Record a request whose caller left while it waited for another one's answer."""
        self._observer.began()
        self._unserved(inbound, deployment, Outcome.CANCELLED, _CALLER_LEFT)

    # ------------------------------------------------------------------ inside

    async def _admit(self, inbound: Inbound, deployment: Deployment) -> HoldToken | None:
        self._observer.began()
        try:
            admission = self._accounts.admit(inbound)
            if isinstance(admission, Pending):
                admission = await admission.wait()
            if isinstance(admission, BudgetStop):
                raise admission.refusal
        except Refused as refused:
            self._unserved(inbound, deployment, Outcome.REFUSED, refused.status)
            raise
        except asyncio.CancelledError:
            self._unserved(inbound, deployment, Outcome.CANCELLED, _CALLER_LEFT)
            raise
        return admission

    def _unserved(
        self, inbound: Inbound, deployment: Deployment | None, outcome: Outcome, status: int
    ) -> None:
        self._observer.ended(
            CallRecord(
                call_id=inbound.call_id,
                wall=inbound.wall,
                dialect=inbound.dialect,
                operation=inbound.operation,
                asked=inbound.alias,
                deployment=deployment,
                outcome=outcome,
                status=status,
                stream=inbound.stream,
                why=WHY,
                seconds=self._clock() - inbound.received,
                tags=inbound.tags,
                user=inbound.user,
                caller=inbound.caller,
                purpose=inbound.purpose,
                telling=inbound.telling,
                labels=inbound.labels,
            )
        )
