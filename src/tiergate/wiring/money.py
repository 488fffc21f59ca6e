"""Puts together what keeps money: slices, rate limits, books, and the state beneath them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tiergate.core.catalog import Deployment
from tiergate.core.cost import Order
from tiergate.core.slices import Slices
from tiergate.pipeline.books import Books
from tiergate.pipeline.leasing import Alert, Leasing
from tiergate.pipeline.rates import Rates
from tiergate.pipeline.spend import Spend
from tiergate.pipeline.standings import Standings
from tiergate.ports import Inbound
from tiergate.wiring.state import Heirs, State, new_worker
from tiergate.wiring.store_watch import StoreWatch


@dataclass(frozen=True, slots=True)
class Means:
    """What must be known of a call to hold for it.

    Attributes:
        estimate: The most prompt tokens that a request can have at a deployment.
        bound: The most output tokens of a deployment where nobody sets a limit.
        order: What a request asks for beside tokens.
    """

    estimate: Callable[[Inbound, Deployment], int]
    bound: Callable[[Deployment], int | None]
    order: Callable[[Inbound, Deployment], Order]


class Money:
    """Everything of one worker that has to do with money.

    Args:
        state: What outlives the worker.
        means: How calls are priced.
        alert: Is told of marks that budgets have passed.
    """

    def __init__(
        self,
        state: State,
        means: Means,
        alert: Alert,
    ) -> None:
        self.state = state
        ledger = state.ledger
        source = ledger.source if ledger is not None else state.worker
        total = ledger.total if ledger is not None else None
        slices = Slices(state.worker, source, watched=True)
        self.leasing = Leasing(slices, state.documents, total, time.time, alert)
        self.pace = Leasing(Slices(new_worker(), source), state.rates, None, time.time)
        self.books: Books | None = None
        if state.journal is not None and ledger is not None:
            self.books = Books(state.journal, ledger, state.worker, time.time)
        self.spend = Spend(
            self.leasing,
            means.estimate,
            time.time,
            means.bound,
            rates=Rates(self.pace, time.time),
            books=self.books,
            order=means.order,
        )
        self.standings = Standings(self.leasing, time.time)
        self.watch = StoreWatch(state)
        self._heirs = Heirs(state, time.time)

    async def start(self) -> None:
        """Take over what dead workers left, then begin the tasks."""
        await self.state.recover(time.time)
        self.leasing.start()
        self.pace.start()
        if self.books is not None:
            self.books.start()
        self._heirs.start()
        self.watch.start()

    async def aclose(self) -> None:
        """Tell the stores everything, and give them back."""
        await self.watch.aclose()
        await self._heirs.aclose()
        await self.pace.aclose()
        await self.leasing.aclose()
        if self.books is not None:
            await self.books.aclose()
        await self.state.aclose()
