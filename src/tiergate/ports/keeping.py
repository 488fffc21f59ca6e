"""Where facts outlive the process: small shared documents, and the ledger.

Both are awaited, and neither is on a call's way: budgets are decided in slices that are leased
beforehand (`core.slices`), and the ledger is written behind a journal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from tiergate.core.ledger import Bucket, Entry, Filter, Group, Mark, ScopeSum, SpendRow

T = TypeVar("T")

Seen = Mapping[str, bytes | None]
"""Documents by key; None where there is none."""

Change = Callable[[Seen], tuple[Seen, T]]
"""Given the documents, returns those to write (None deletes) and an answer for whoever asked.

It is pure, and may be called again with newer documents when another process was faster. Keys
that are not among those asked for must not be returned.
"""


class StoreDownError(Exception):
    """A store cannot be reached, or did not answer in time.

    The message names what was tried and why it failed, without addresses' credentials.
    """


class Documents(Protocol):
    """Small documents that all workers and replicas share; whatever is read is consistent.

    One arithmetic for all stores: what a document means and how it changes is decided by pure
    functions in `core`, so a store only has to read, and to write if nothing has changed.
    """

    async def update(self, keys: Sequence[str], change: Change[T]) -> T:
        """Change some documents together, as if nobody else were there.

        Args:
            keys: The documents that `change` sees, each once.
            change: See `Change`.

        Returns:
            What the last call of `change` answered; what it returned is written.

        Raises:
            StoreDownError: Nothing is known to be written. Where the connection broke at the very
                end it may have been written, so changes must bear being made twice.
        """
        ...

    async def read(self, keys: Sequence[str]) -> Seen:
        """Return documents as they are.

        Raises:
            StoreDownError: The store cannot be reached.
        """
        ...

    async def scan(self, prefix: str) -> list[tuple[str, bytes]]:
        """Return all documents whose key begins with a prefix, in the order of their keys.

        Raises:
            StoreDownError: The store cannot be reached.
        """
        ...

    async def aclose(self) -> None:
        """Give back connections. Nothing may be asked afterwards."""
        ...


class Ledger(Protocol):
    """Keeps the records of all calls, for ever, and sums them."""

    @property
    def source(self) -> str:
        """A random name made with the ledger, which tells it from every other one.

        All workers that write to one ledger give the same name.
        """
        ...

    async def append(self, entries: Sequence[Entry]) -> None:
        """Add records in one transaction; one that is already there is left as it is.

        Raises:
            StoreDownError: Nothing is known to be written.
        """
        ...

    async def total(self, scope: ScopeSum) -> int:
        """Return nano-USD of the records that count in a budget's window.

        Raises:
            StoreDownError: The store cannot be reached.
        """
        ...

    async def spend(
        self,
        groups: Sequence[Group],
        which: Filter,
        *,
        bucket: Bucket | None = None,
        timezone: str = "UTC",
    ) -> list[SpendRow]:
        """Sum records; rows by start, then by falling cost, then by keys.

        Raises:
            StoreDownError: The store cannot be reached.
        """
        ...

    async def entries(
        self, which: Filter, *, limit: int, after: Mark | None = None, newest: bool = False
    ) -> tuple[list[Entry], Mark | None]:
        """Return records in the order they were appended (or the newest first).

        Returns:
            At most `limit` records, and where the reading stopped: pass it as `after` to go on
            (towards older ones with `newest`). None when `limit` was not reached and `newest` is
            set; otherwise the mark of the last record, so that a tail can wait for more.

        Raises:
            StoreDownError: The store cannot be reached.
        """
        ...

    async def aclose(self) -> None:
        """Give back connections. Nothing may be asked afterwards."""
        ...


class JournalFile(Protocol):
    """Append-only lines that survive the death of the process (not of the machine)."""

    def write(self, line: bytes) -> None:
        """Append one line, which has no newline in it, and hand it to the operating system.

        Raises:
            OSError: The disk is full or gone.
        """
        ...

    def lines(self) -> list[bytes]:
        """Return all lines since it was begun, without their newlines."""
        ...

    def restart(self, first: bytes) -> None:
        """Begin a new file with this line and drop the old one, as one step."""
        ...

    def close(self, *, drop: bool) -> None:
        """Let go of the file; `drop` removes it, because nothing in it is needed any more."""
        ...
