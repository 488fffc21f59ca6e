"""Take over what a dead worker left behind: its records, and the truth about its leases.

Whoever finds the journal does it: another worker of the machine at once, or the next start. It
may be done twice, also by two at once; the result is the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tiergate.core.closing import close_lease, close_rest
from tiergate.core.lease import FOLD_SECONDS
from tiergate.core.ledger import ScopeSum
from tiergate.core.pages import SharedPage, Sheet
from tiergate.core.rules import ScopeKind
from tiergate.pipeline.journal_lines import LeaseTale, Tale, read_tale
from tiergate.pipeline.sheets import PREFIX, document_of, sheet_of, write_sheet
from tiergate.ports import Change, Clock, Documents, Ledger, Seen

LOG = logging.getLogger("tiergate.ledger")

MOST_AT_ONCE = 2000
MOST_DOCUMENTS = 100

_TOTAL = "total:"
"""How the ids of budgets begin that only count; see `core.budget.Budget.id`."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was taken over.

    Attributes:
        records: Records that were in no ledger yet, or were and stay as they are.
        lost: Calls that never ended, each charged with what was held for it.
        charged: nano-USD of these.
        leases: Leases that were closed.
    """

    records: int
    lost: int
    charged: int
    leases: int


async def recover(
    lines: Sequence[bytes], documents: Documents, ledger: Ledger, wall: Clock
) -> Recovered | None:
    """Take over a journal; None when nothing was ever noted in it.

    Raises:
        ValueError: It is not a journal of this version, or is damaged.
        StoreDownError: Not all of it could be taken over; it must be tried again.
    """
    tale = read_tale(lines)
    if tale is None:
        return None
    records = [*tale.entries, *tale.lost]
    for first in range(0, len(records), MOST_AT_ONCE):
        await ledger.append(records[first : first + MOST_AT_ONCE])
    await _close(tale, documents, ledger, wall)
    charged = sum(entry.cost for entry in tale.lost)
    found = Recovered(len(tale.entries), len(tale.lost), charged, len(tale.leases))
    LOG.warning(
        "recovered a dead worker's journal",
        extra={
            "worker": tale.worker,
            "records": found.records,
            "lost_calls": found.lost,
            "charged_nano_usd": charged,
        },
    )
    return found


async def _close(tale: Tale, documents: Documents, ledger: Ledger, wall: Clock) -> None:
    leases = list(tale.leases.items())
    for first in range(0, len(leases), MOST_DOCUMENTS):
        some = leases[first : first + MOST_DOCUMENTS]
        names = tuple(dict.fromkeys(document_of(told.budget) for _, told in some))
        lost = await _lost(some, await documents.read(names), tale, ledger)
        await documents.update(names, _closing(some, tale, lost, wall))
    mark = f'"{tale.worker}.'.encode()
    rest = [name for name, document in await documents.scan(PREFIX) if mark in document]
    for first in range(0, len(rest), MOST_DOCUMENTS):
        names_left = rest[first : first + MOST_DOCUMENTS]
        await documents.update(names_left, _closing_rest(tale, wall))


async def _lost(
    leases: Sequence[tuple[str, LeaseTale]], seen: Seen, tale: Tale, ledger: Ledger
) -> dict[str, SharedPage]:
    """Return pages by the ledger for totals that the store knows nothing of, by document.

    A page of this journal's leases alone would hide that everything else is lost, and nobody
    would ask the ledger any more. Budgets with windows are left alone for whoever uses them next.
    """
    found: dict[str, SharedPage] = {}
    for _, told in leases:
        name, span = document_of(told.budget), told.span
        scope, _, subject = told.budget.removeprefix(_TOTAL).partition(":")
        if seen.get(name) is None and name not in found and span.end is None:
            which = ScopeSum(ScopeKind(scope), subject, span.start, None)
            spent = await ledger.total(which)
            found[name] = SharedPage(span.start, None, {tale.source: spent} if spent else {})
    return found


def _closing(
    leases: Sequence[tuple[str, LeaseTale]],
    tale: Tale,
    lost: Mapping[str, SharedPage],
    wall: Callable[[], float],
) -> Change[None]:
    def change(seen: Seen) -> tuple[Seen, None]:
        now = wall()
        old = now - tale.newest >= FOLD_SECONDS
        sheets: dict[str, Sheet] = {}
        for lease, told in leases:
            name = document_of(told.budget)
            known = sheets.get(name) or sheet_of(name, seen.get(name))
            if known is not None:
                sheets[name] = close_lease(
                    known, lease, tale.source, told.span, told.settled, now, old=old
                )
        written = {name: write_sheet(sheet) for name, sheet in sheets.items()}
        for name, page in lost.items():
            if seen.get(name) is None:
                written[name] = write_sheet(Sheet([page]))
        return written, None

    return change


def _closing_rest(tale: Tale, wall: Callable[[], float]) -> Change[None]:
    """Close what the worker had leased and never used; its journal does not speak of it."""

    def change(seen: Seen) -> tuple[Seen, None]:
        written: dict[str, bytes | None] = {}
        for name, document in seen.items():
            sheet = sheet_of(name, document)
            if sheet is not None and close_rest(sheet, tale.worker, tale.leases, wall()):
                written[name] = write_sheet(sheet)
        return written, None

    return change
