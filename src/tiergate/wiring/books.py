"""Opens the ledger, and the budget pages, that a configuration's gateway writes.

For commands that read the books while the gateway runs or while it does not. Nothing is made
here: books that are not there are said to be missing, and a command that only reads leaves no
empty ones behind.
"""

from __future__ import annotations

import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tiergate.config.findings import Severity
from tiergate.core.rules import StoreKind, StorePlan
from tiergate.core.verify import Counter
from tiergate.pipeline.sheets import PREFIX
from tiergate.ports import Ledger
from tiergate.stores.sql_schema import NewerDatabaseError
from tiergate.wiring.configuration import find_configuration, read_configuration
from tiergate.wiring.counters import counters_of
from tiergate.wiring.places import (
    DOCUMENTS_FILE,
    LEDGER_FILE,
    open_documents,
    open_ledger,
    state_directory,
)

T = TypeVar("T")

_MEMORY = ":memory:"


class BooksError(Exception):
    """There are no books to read; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Books:
    """Where the books of a configuration are.

    Attributes:
        plan: What the configuration says of stores.
        directory: The state directory.
        timezone: The zone of the configuration's budgets.
    """

    plan: StorePlan
    directory: Path
    timezone: str

    async def open_ledger(self) -> Ledger:
        """Open the ledger.

        Raises:
            BooksError: There is none yet, or it cannot be opened by this program.
            StoreDownError: It cannot be reached.
        """
        if self.plan.database_url is None:
            if self.plan.directory == _MEMORY:
                raise BooksError(
                    "This configuration keeps its ledger in memory (state_dir: ':memory:'), so "
                    "only the gateway itself can be asked: GET /ledger."
                )
            path = self.directory / LEDGER_FILE
            if not path.exists():
                raise BooksError(
                    f"There is no ledger at {path}: no gateway has recorded a call there. Name "
                    "the configuration that the gateway runs with (--config), and run as the "
                    "same user or with the same TIERGATE_STATE_DIR."
                )
        return await _opened(open_ledger(self.plan, self.directory))

    async def counters(self, source: str) -> list[Counter]:
        """Return the budgets' counters; what is in other ledgers than `source` is told apart.

        Raises:
            BooksError: The store of budgets cannot be opened by this program.
            StoreDownError: It cannot be reached.
        """
        if self.plan.kind is StoreKind.SQLITE and not (self.directory / DOCUMENTS_FILE).exists():
            return []
        documents = await _opened(open_documents(self.plan, self.directory))
        try:
            return counters_of(await documents.scan(PREFIX), source, time.time())
        finally:
            await documents.aclose()


async def _opened(opening: Coroutine[object, object, T]) -> T:
    """Wait for a store to open; what keeps it from opening for good is said in words."""
    try:
        return await opening
    except NewerDatabaseError as exc:
        raise BooksError(str(exc)) from None
    except ModuleNotFoundError as exc:
        raise BooksError(
            f"The configuration's store needs the package {exc.name}, which is not installed: "
            "pip install 'tiergate[postgres,redis]'."
        ) from None


def find_books(configs: Sequence[Path], environ: Mapping[str, str]) -> Books:
    """Find the books of a configuration.

    A configuration with errors has books all the same, if it says where they are: keys of
    providers need not be at hand to read what was spent.

    Raises:
        BooksError: The configuration cannot be read at all.
    """
    paths = find_configuration(configs, environ)
    loaded = read_configuration(paths, environ, lenient=True)
    settings = loaded.settings or loaded.draft
    if settings is None:
        errors = [str(f) for f in loaded.findings if f.severity is Severity.ERROR]
        raise BooksError(
            "The configuration does not tell where the ledger is:\n" + "\n".join(errors[:5])
        )
    directory = state_directory(settings.stores.directory, paths, environ)
    return Books(settings.stores, directory, settings.budget_timezone)
