"""Keep the books of all calls: the journal before and after each, the ledger in batches behind.

A call is noted in the journal before it is made, and again when it is over; both are one write to
the operating system and no more. A task appends what is over to the ledger. When the process
dies, `pipeline.recovery` reads the journal. What a call may cost is not decided here.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from tiergate.base.errors import Failure
from tiergate.base.values import Dialect, Operation
from tiergate.core.alerts import BudgetAlert
from tiergate.core.budget import Hold, HoldState
from tiergate.core.catalog import Deployment
from tiergate.core.entries import entry_of
from tiergate.core.ledger import Entry
from tiergate.core.record import CallRecord
from tiergate.core.slice import IDLE_SECONDS, Slice
from tiergate.pipeline import journal_lines as lines
from tiergate.ports import Clock, Inbound, JournalFile, Ledger, StoreDownError

LOG = logging.getLogger("tiergate.ledger")

FLUSH_SECONDS = 0.5
MOST_AT_ONCE = 2000
"""Records appended in one transaction."""

MOST_WAITING = 50_000
"""Records kept in memory while the ledger does not answer; what is more stays in the journal."""

_LINES_AT_ONCE = 200
"""Lines of the journal read without letting calls go on."""

RETRY_SECONDS = 1.0
"""After a fault the journal is tried again this often; calls between wait in memory."""

LARGE_JOURNAL = 8 * 1024 * 1024
"""Bytes after which a journal is begun anew with what still matters."""


class Books:
    """Implements `ports.Observer`; `begin` and `settled` are for whoever holds money.

    Args:
        journal: This worker's own.
        ledger: Where finished calls go.
        worker: This worker's id, the one its leases are named after.
        wall: Unix seconds.
    """

    def __init__(self, journal: JournalFile, ledger: Ledger, worker: str, wall: Clock) -> None:
        self._journal = journal
        self._ledger = ledger
        self._wall = wall
        self._worker = worker
        self._pending: list[bytes] = [self._first()]
        self._written = 0
        self._number = 0
        self._open: dict[int, tuple[bytes, Hold]] = {}
        self._leases: dict[str, Slice] = {}
        self._queue: deque[Entry] = deque()
        self._spilled = 0
        self._task: asyncio.Task[None] | None = None
        self._flushing = asyncio.Lock()
        self._down_since: float | None = None
        self._why_down = ""
        self._journal_fault: str | None = None
        self._journal_retry = 0.0

    # ------------------------------------------------------------------ the calls

    def begin(self, inbound: Inbound, deployment: Deployment, hold: Hold, booked: float) -> int:
        """Note a call before it is made; returns its number in the journal."""
        self._number = number = self._number + 1
        leases: list[str] = []
        for page in hold.pages:
            if isinstance(page, Slice):
                if page.lease not in self._leases:
                    self._leases[page.lease] = page
                    self._pending.append(_of_lease(page))
                leases.append(page.lease)
        caller, purpose = inbound.caller, inbound.purpose
        line = lines.begin_line(
            number,
            hold.amount,
            leases,
            (
                inbound.call_id,
                inbound.wall,
                booked,
                inbound.operation.value,
                inbound.dialect.value,
                inbound.alias,
                deployment.alias,
                deployment.id,
                deployment.provider,
                deployment.model,
                caller.key,
                caller.name,
                caller.user,
                caller.team,
                inbound.user or "",
                purpose.ticket,
                purpose.session,
                purpose.phase,
                purpose.workflow,
                purpose.reason,
                inbound.tags,
            ),
        )
        self._open[number] = (line, hold)
        self._pending.append(line)
        self._write()
        return number

    def settled(self, number: int, cost: int) -> None:
        """Note what a call cost; written with the record of the call."""
        if self._open.pop(number, None) is not None:
            self._pending.append(lines.settle_line(number, cost))

    # ------------------------------------------------------------------ the observer

    def began(self) -> None:
        """Nothing is noted of a request that has only been read."""

    def ended(self, record: CallRecord) -> None:
        """Note the record of a call."""
        self._note(entry_of(record))

    def declined(self, record: CallRecord) -> None:
        """Note an attempt that was paid for and did not serve."""
        self._note(entry_of(record))

    def refused(self, dialect: Dialect, operation: Operation, status: int, wall: float) -> None:
        """What was never understood is no call."""

    def attempt_failed(self, deployment: Deployment, failure: Failure) -> None:
        """Failed attempts cost nothing, or come as `declined`."""

    def cooled(self, deployment: Deployment, failure: Failure, seconds: float) -> None:
        """A cooldown costs nothing."""

    def alerted(self, alert: BudgetAlert) -> None:
        """What is spent is in the ledger already."""

    # ------------------------------------------------------------------ the task

    def start(self) -> None:
        """Begin to append to the ledger; inside a running event loop."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def aclose(self) -> None:
        """Append what is left; the journal stays where that was not possible."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        clean = await self.flush()
        while clean and self._queue:  # what ended meanwhile
            clean = await self.flush()
        if self._pending:
            self._write()
        self._journal.close(drop=clean and not self._open and not self._spilled)

    @property
    def waiting(self) -> int:
        """Records that are not in the ledger yet."""
        return len(self._queue) + self._spilled

    @property
    def oldest(self) -> float:
        """Unix time at which the oldest of them ended; 0 without one."""
        if not self._queue:
            return 0.0
        first = self._queue[0]
        return first.wall + first.seconds

    @property
    def fault(self) -> str | None:
        """Why journal or ledger do not work; None while they do."""
        if self._journal_fault is not None:
            return f"the journal cannot be written: {self._journal_fault}"
        return f"the ledger does not answer: {self._why_down}" if self._down_since else None

    async def flush(self) -> bool:
        """Append everything that is over by now to the ledger; False while it does not answer.

        What comes meanwhile waits for the next time: a busy worker would else append without end,
        a few records at a time, and each transaction costs as much as many records.
        """
        async with self._flushing:
            left = len(self._queue)
            while left > 0:
                some = [self._queue[i] for i in range(min(left, MOST_AT_ONCE))]
                left -= len(some)
                try:
                    await self._ledger.append(some)
                except StoreDownError as exc:
                    self._is_down(str(exc))
                    return False
                for _ in some:
                    self._queue.popleft()
            if self._spilled and not await self._append_spilled():
                return False
            self._is_up()
            if self._written > LARGE_JOURNAL and not self._spilled:
                self._begin_anew()
            return True

    # ------------------------------------------------------------------ inside

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            if self._queue:
                await self.flush()

    def _first(self) -> bytes:
        return lines.first_line(self._worker, self._ledger.source, self._wall())

    def _note(self, entry: Entry) -> None:
        if len(self._queue) < MOST_WAITING:
            self._queue.append(entry)
        else:
            self._spilled += 1
        self._pending.append(lines.entry_line(entry))
        self._write()

    async def _append_spilled(self) -> bool:
        """Append what had no place in memory; it is in the journal, with what was appended before.

        Appending a record twice changes nothing.
        """
        spilled, entries = self._spilled, list[Entry]()
        written = self._journal.lines() + self._pending
        for first in range(0, len(written), _LINES_AT_ONCE):
            found = map(lines.read_entry, written[first : first + _LINES_AT_ONCE])
            entries += [entry for entry in found if entry is not None]
            if len(entries) >= MOST_AT_ONCE or first + _LINES_AT_ONCE >= len(written):
                try:
                    await self._ledger.append(tuple(entries))
                except StoreDownError as exc:
                    self._is_down(str(exc))
                    return False
                entries.clear()
            await asyncio.sleep(0)  # calls go on meanwhile
        self._spilled -= spilled
        return True

    def _write(self) -> None:
        """Hand what is pending to the operating system.

        A disk that is full does not stop the calls: budgets hold without the journal, and what is
        pending is tried again with the next line. Health says so meanwhile.
        """
        if self._journal_fault is not None and self._wall() < self._journal_retry:
            self._trim()
            return
        block = b"\n".join(self._pending)
        try:
            self._journal.write(block)
        except OSError as exc:
            if self._journal_fault is None:
                LOG.error("journal cannot be written", extra={"why": exc.strerror or str(exc)})  # noqa: TRY400 - a sentence, no traceback
            self._journal_fault = exc.strerror or str(exc)
            self._journal_retry = self._wall() + RETRY_SECONDS
            self._trim()
            return
        self._journal_fault = None
        self._written += len(block)
        self._pending.clear()

    def _trim(self) -> None:
        """Keep what is pending in bounds, and lines without which others mean nothing."""
        if len(self._pending) > 6 * MOST_WAITING:  # a call has three lines
            older = self._pending[: -5 * MOST_WAITING]
            self._pending[: -5 * MOST_WAITING] = filter(lines.is_needed_later, older)

    def _begin_anew(self) -> None:
        """Begin the journal again with what still matters, as one step."""
        recent = self._wall() - IDLE_SECONDS
        live = {x.lease: x for x in self._leases.values() if x.changed or x.told >= recent}
        for _, hold in self._open.values():
            live.update({p.lease: p for p in hold.pages if isinstance(p, Slice)})
        kept = [self._first()]
        for part in live.values():
            kept += [_of_lease(part), lines.total_line(part.lease, part.settled)]
        # A hold that has expired is in what its leases have spent already.
        kept += [line for line, hold in self._open.values() if hold.state is HoldState.OPEN]
        kept += [lines.entry_line(entry) for entry in self._queue]
        try:
            self._journal.restart(b"\n".join(kept))
        except OSError as exc:
            self._journal_fault = exc.strerror or str(exc)
            return
        self._leases = live
        self._written = 0

    def _is_down(self, why: str) -> None:
        self._why_down = why
        if self._down_since is None:
            self._down_since = self._wall()
            LOG.error("ledger does not answer; its records wait", extra={"why": why})

    def _is_up(self) -> None:
        if self._down_since is not None:
            seconds = round(self._wall() - self._down_since, 1)
            LOG.warning("ledger answers again", extra={"seconds": seconds})
            self._down_since = None


def _of_lease(part: Slice) -> bytes:
    return lines.lease_line(part.lease, part.budget.id, part.span)
