"""What a worker has that outlives it: shared documents, ledger, journal; opened, kept, closed.

Which of them a configuration asks for is decided by its `StorePlan`. The heirs of dead workers
are at work here too: whoever finds a journal without an owner takes it over.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass
from pathlib import Path

from tiergate.core.catalog import StoreKind, StorePlan
from tiergate.pipeline.recovery import recover
from tiergate.ports import Clock, Documents, JournalFile, Ledger, StoreDownError
from tiergate.stores.documents_memory import MemoryDocuments
from tiergate.stores.journal import abandoned, open_journal
from tiergate.wiring.places import open_documents, open_ledger, open_shared_rates

LOG = logging.getLogger("tiergate.state")

IN_MEMORY = ":memory:"
JOURNALS = "journals"
LOOK_SECONDS = 5.0
"""How often a worker looks for journals of dead ones."""


@dataclass(slots=True)
class State:
    """What a worker has that outlives it.

    Attributes:
        worker: Random id of this worker.
        documents: Budgets, keys, escalations.
        rates: Where rate limits are shared; often the same documents.
        ledger: The records of calls; None where nothing outlives the process.
        journal: This worker's own; None with the ledger.
        directory: Where journals are; None with the ledger.
        place: Where it all is, in words for people.
        kind: Where budgets, keys and escalations are.
    """

    worker: str
    documents: Documents
    rates: Documents
    ledger: Ledger | None = None
    journal: JournalFile | None = None
    directory: Path | None = None
    place: str = "memory"
    kind: StoreKind = StoreKind.MEMORY

    @property
    def shared(self) -> Documents | None:
        """What is shared while calls are made, with other workers and replicas; None: nothing."""
        return None if self.kind is StoreKind.MEMORY else self.rates

    @staticmethod
    def in_memory() -> State:
        """Return a state that ends with the process."""
        documents = MemoryDocuments()
        return State(new_worker(), documents, documents)

    async def recover(self, wall: Clock) -> None:
        """Take over the journals of dead workers."""
        if self.directory is None or self.ledger is None:
            return
        found = await asyncio.to_thread(abandoned, self.directory / JOURNALS, self.worker)
        for journal in found:
            try:
                await recover(journal.lines(), self.documents, self.ledger, wall)
            except StoreDownError as exc:
                LOG.warning("a dead worker's journal waits", extra={"why": str(exc)})
                journal.release()
            except (ValueError, OSError) as exc:
                LOG.error(  # noqa: TRY400 - a sentence, no traceback
                    "a journal cannot be read; it stays where it is",
                    extra={"journal": journal.name, "why": str(exc)},
                )
                journal.release()
            else:
                journal.drop()

    async def aclose(self) -> None:
        """Give back connections."""
        await self.documents.aclose()
        if self.rates is not self.documents:
            await self.rates.aclose()
        if self.ledger is not None:
            await self.ledger.aclose()


def new_worker() -> str:
    """Return a random id for a worker."""
    return secrets.token_hex(6)


async def open_state(plan: StorePlan, directory: Path) -> State:
    """Open everything that a configuration names.

    Args:
        plan: What the configuration says.
        directory: The state directory.

    Raises:
        StoreDownError: Something cannot be opened; the message names it.
        OSError: The directory cannot be written.
    """
    if plan.directory == IN_MEMORY:
        return State.in_memory()
    worker = new_worker()
    documents = await open_documents(plan, directory)
    rates = await open_shared_rates(plan) or documents
    ledger = await open_ledger(plan, directory)
    journal = open_journal(directory / JOURNALS, worker)
    place = place_of(plan, directory)
    return State(worker, documents, rates, ledger, journal, directory, place, plan.kind)


def place_of(plan: StorePlan, directory: Path) -> str:
    """Say where budgets, keys and ledger are, without secrets."""
    files = f"files in {directory}"
    match plan.kind:
        case StoreKind.POSTGRES:
            shared = ", rate limits in Redis" if plan.redis is not None else ""
            return f"budgets, keys and ledger in PostgreSQL{shared}; journals in {directory}"
        case StoreKind.REDIS:
            return f"budgets and keys in Redis; ledger and journals in {files}"
        case StoreKind.MEMORY:
            return "memory of this process"
        case StoreKind.SQLITE:
            return f"budgets, keys and ledger in {files}"


class Heirs:
    """Looks for journals of dead workers, now and then."""

    def __init__(self, state: State, wall: Clock) -> None:
        self._state = state
        self._wall = wall
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look; inside a running event loop."""
        if self._state.directory is not None and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def aclose(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._state.recover(self._wall)
