"""Keep a worker's slices filled: exchange with the shared documents beside the calls.

What fits into a slice and what is asked for is decided in `core.slices`; here are the task that
asks, the calls that wait for it, and what happens while the store does not answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from tiergate.core.alerts import BudgetAlert
from tiergate.core.budget import Budget, BudgetId, Hold, Standing
from tiergate.core.lease import Ask, Grant, Unseeded
from tiergate.core.ledger import ScopeSum
from tiergate.core.pages import Sheet
from tiergate.core.slice import Short, Slice, Unreachable
from tiergate.core.slices import Slices
from tiergate.pipeline.sheets import PREFIX, Answers, document_of, exchanging, sheet_of
from tiergate.ports import Clock, Documents, StoreDownError

LOG = logging.getLogger("tiergate.budgets")

EXCHANGE_SECONDS = 0.25
"""How often the store is told what has been spent."""

WAIT_SECONDS = 2.0
"""A call waits at most so long: for money that lies idle with other workers, or for its turn."""

RECALL_STEP_SECONDS = 0.1
"""How often such a call asks again."""

SWEEP_SECONDS = 60.0
MANY_SWEEP_SECONDS = 2.0
MOST_ASKS = 200
"""Budgets told of in one exchange; more are told of in several."""

Total = Callable[[ScopeSum], Awaitable[int]]
"""What the ledger says was spent in a budget's window; see `ports.Ledger.total`."""


Alert = Callable[[BudgetAlert], None]
"""Is told once, over all workers, of each mark that a budget passes in a window."""


class Leasing:
    """The slices of one worker, and their task.

    Args:
        slices: What is leased.
        documents: Where the budgets are shared.
        total: Asks the ledger, where the documents know nothing of a budget; None where the
            ledger has no records of what is counted (requests, tokens).
        wall: Unix seconds.
        alert: Is told of marks that budgets have passed.
    """

    def __init__(
        self,
        slices: Slices,
        documents: Documents,
        total: Total | None,
        wall: Clock,
        alert: Alert | None = None,
    ) -> None:
        self.slices = slices
        self._documents = documents
        self._total = total
        self._wall = wall
        self._alert = alert
        self._wake = asyncio.Event()
        self._waiters: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None
        self._exchanging = asyncio.Lock()
        self._swept = 0.0
        self._down_since: float | None = None
        self._why_down = ""

    # ------------------------------------------------------------------ the calls

    def configure(self, budgets: Iterable[Budget]) -> None:
        """Take over the budgets of a configuration; see `core.slices.Slices.configure`."""
        self.slices.configure(budgets)
        self._wake.set()

    def try_hold(
        self, budgets: Sequence[BudgetId], amount: int, now: float, expires: float
    ) -> Hold | Standing | Short | Unreachable:
        """Decide a call at once, if that can be done; `Short` means that `hold` may know more."""
        found = self.slices.try_hold(budgets, amount, now, expires)
        if self.slices.hungry:
            self._wake.set()
        if isinstance(found, Short):
            return self.slices.refusal(found, now) or found
        return found

    async def hold(
        self, budgets: Sequence[BudgetId], short: Short, now: float, lasting: float
    ) -> Hold | Standing | Unreachable:
        """Decide a call that was short, after one exchange or, near the cap, a few.

        Args:
            budgets: Their ids.
            short: What `try_hold` said.
            now: Unix seconds.
            lasting: Seconds after which the hold expires.
        """
        until = now + WAIT_SECONDS
        self.slices.want(short)
        try:
            while True:
                await self._exchanged()
                now = self._wall()
                found = self.slices.try_hold(budgets, short.amount, now, now + lasting)
                if not isinstance(found, Short):
                    return found
                refused = self.slices.refusal(found, now)
                if refused is not None or now >= until:
                    return refused or self.slices.standing(found.slices[0], now)
                self.slices.want(found)
                self.slices.unwant(short)
                short = found
                if any(part.recalled for part in found.slices):
                    await asyncio.sleep(RECALL_STEP_SECONDS)
        finally:
            self.slices.unwant(short)

    def settle(self, hold: Hold, cost: int) -> None:
        """Replace a hold by the true amount."""
        self.slices.settle(hold, cost)

    def release(self, hold: Hold) -> None:
        """Give a hold back."""
        self.slices.settle(hold, 0)

    def left_of(self, hold: Hold) -> tuple[int, float]:
        """Return what may still be held where a hold is, and when its window ends."""
        part = hold.pages[0]
        if not isinstance(part, Slice):
            raise TypeError("the hold is not of these slices")
        return max(0, part.left + part.free), part.until

    # ------------------------------------------------------------------ the task

    def start(self) -> None:
        """Begin to exchange; inside a running event loop."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def aclose(self) -> None:
        """Tell the store what was spent and give everything back."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self.exchange(closing=True)
        self._answer_waiters()

    @property
    def down(self) -> tuple[float, str] | None:
        """Since when (Unix seconds) the store does not answer, and why; None while it does."""
        return None if self._down_since is None else (self._down_since, self._why_down)

    async def exchange(self, *, closing: bool = False) -> bool:
        """Tell the store what has happened and take its answers; False while it is down."""
        async with self._exchanging:
            now = self._wall()
            self.slices.expire(now)
            if now - self._swept >= (MANY_SWEEP_SECONDS if self.slices.many else SWEEP_SECONDS):
                self._swept = now
                self.slices.sweep(now)
            told = self.slices.asks(now, closing=closing)
            done = False
            try:
                for first in range(0, len(told), MOST_ASKS):
                    await self._tell(told[first : first + MOST_ASKS])
                done = True
            except StoreDownError as exc:
                self._is_down(str(exc), now)
            finally:
                if not done:  # also when the task ends in the middle
                    self.slices.failed(part for part, _ in told)
            if done:
                self._is_up()
            return done

    async def sheets(self, budgets: Sequence[Budget]) -> list[tuple[Budget, Sheet | None]]:
        """Return the pages of some budgets as they are in the store now.

        Raises:
            StoreDownError: They cannot be read.
        """
        names = [document_of(budget.id) for budget in budgets]
        seen = await self._documents.read(names)
        return [(b, sheet_of(n, seen.get(n))) for b, n in zip(budgets, names, strict=True)]

    async def sheets_of(self, start: str) -> list[tuple[BudgetId, Sheet]]:
        """Return the pages of all budgets whose ids begin so, also of those nobody has now.

        Raises:
            StoreDownError: They cannot be read.
        """
        found = await self._documents.scan(document_of(BudgetId(start)))
        named = (
            (BudgetId(name.removeprefix(PREFIX)), sheet_of(name, body)) for name, body in found
        )
        return [(budget, sheet) for budget, sheet in named if sheet is not None]

    # ------------------------------------------------------------------ inside

    async def _run(self) -> None:
        """Exchange for ever: at once for whoever waits, else at intervals."""
        self.slices.open_totals(self._wall())
        while True:
            if not self._wake.is_set():
                try:
                    async with asyncio.timeout(EXCHANGE_SECONDS):
                        await self._wake.wait()
                except TimeoutError:
                    pass
            self._wake.clear()
            waiting, self._waiters = self._waiters, []
            if waiting or self.slices.waiting or self._down_since is not None:
                await self.exchange()
            for waiter in waiting:
                if not waiter.done():
                    waiter.set_result(None)

    async def _exchanged(self) -> None:
        """Wait for an exchange that begins after now."""
        if self._task is None:
            await self.exchange()
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._wake.set()
        await waiter

    def _answer_waiters(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    async def _tell(self, told: Sequence[tuple[Slice, Ask]]) -> None:
        """Carry out some asks; those that the store knows nothing of get their seed first."""
        left = list(told)
        while left:
            answers = await self._update([ask for _, ask in left])
            again: list[tuple[Slice, Ask]] = []
            for (part, ask), reply in zip(left, answers.replies, strict=True):
                if isinstance(reply, Grant):
                    self.slices.absorb(part, ask, reply, self._wall())
                    if reply.passed and self._alert is not None:
                        self._tell_marks(ask.budget, reply, self._alert)
                else:
                    again.append((part, replace(ask, seed=await self._seed(ask, reply))))
            left = again

    @staticmethod
    def _tell_marks(budget: Budget, grant: Grant, alert: Alert) -> None:
        rule = budget.rule
        for mark in grant.passed:
            alert(
                BudgetAlert(
                    scope=rule.scope,
                    name=rule.name,
                    mark=mark,
                    spent=grant.spent,
                    limit=rule.limit if rule.capped else None,
                    soft=rule.soft,
                    window=rule.window,
                    resets=grant.span.end,
                )
            )

    async def _update(self, asks: Sequence[Ask]) -> Answers:
        names = dict.fromkeys(document_of(ask.budget.id) for ask in asks)
        return await self._documents.update(tuple(names), exchanging(asks, self._wall))

    async def _seed(self, ask: Ask, unseeded: Unseeded) -> int:
        rule, span = ask.budget.rule, unseeded.span
        if self._total is None:
            return 0
        return await self._total(ScopeSum(rule.scope, rule.name, span.start, span.end))

    def _is_down(self, why: str, now: float) -> None:
        self.slices.down = True
        self._why_down = why
        if self._down_since is None:
            self._down_since = now
            LOG.error("budget store does not answer", extra={"why": why})

    def _is_up(self) -> None:
        self.slices.down = False
        if self._down_since is not None:
            seconds = round(self._wall() - self._down_since, 1)
            LOG.warning("budget store answers again", extra={"seconds": seconds})
            self._down_since = None
