"""Budget pages as the documents that workers share: their names, and their bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from tiergate.core.budget import BudgetId
from tiergate.core.lease import Ask, Grant, Unseeded, exchange
from tiergate.core.pages import Sheet
from tiergate.ports import Change, Seen, StoreDownError

PREFIX = "budget:"
"""How the names of these documents begin."""

_decoder = msgspec.json.Decoder(Sheet)
_encode = msgspec.json.encode


def document_of(budget: BudgetId) -> str:
    """Return the name of a budget's document."""
    return f"{PREFIX}{budget}"


def read_sheet(document: bytes | None) -> Sheet | None:
    """Decode a document; None where there is none.

    Raises:
        ValueError: It is no sheet.
    """
    return None if document is None else _decoder.decode(document)


def sheet_of(name: str, document: bytes | None) -> Sheet | None:
    """Decode a document of the store; None where there is none.

    Raises:
        StoreDownError: It is no sheet. A budget that cannot be read is one that cannot be asked,
            so it does what it does while its store is away, and health says so.
    """
    try:
        return read_sheet(document)
    except ValueError as exc:
        raise StoreDownError(
            f"the document {name} is no budget page ({exc}); delete it while no gateway runs, and "
            "what was spent is taken from the ledger"
        ) from None


def write_sheet(sheet: Sheet) -> bytes:
    """Encode a sheet."""
    return _encode(sheet)


@dataclass(frozen=True, slots=True)
class Answers:
    """What an exchange brought: a grant for each ask, or the wish for a seed; in their order."""

    replies: tuple[Grant | Unseeded, ...]


def exchanging(asks: Sequence[Ask], now: Callable[[], float]) -> Change[Answers]:
    """Return the change of documents that carries out some asks, one per budget page."""

    def change(seen: Seen) -> tuple[Seen, Answers]:
        instant = now()
        sheets: dict[str, Sheet | None] = {}
        written: dict[str, bytes | None] = {}
        replies: list[Grant | Unseeded] = []
        for ask in asks:
            name = document_of(ask.budget.id)
            if name not in sheets:
                sheets[name] = sheet_of(name, seen.get(name))
            result = exchange(sheets[name], ask, instant)
            if isinstance(result, Unseeded):
                replies.append(result)
                continue
            sheets[name], grant = result
            replies.append(grant)
        for name, sheet in sheets.items():
            if sheet is not None:
                written[name] = write_sheet(sheet)
        return written, Answers(tuple(replies))

    return change
