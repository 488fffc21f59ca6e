"""The lines of a worker's journal: what is written before and after a call, and how it is read.

Each line is one JSON array whose first item names its kind:

* `["w", worker, source, version, wall]` begins a journal.
* `["l", lease, budget, start, end]` says which budget and window a lease is of.
* `["t", lease, settled]` is what the lease had spent when the journal was begun anew.
* `["b", number, amount, leases, begun]` comes before a call: what is held for it and where, and
  what the ledger's record needs to know should nobody live to write another one (`BEGUN`).
* `["s", number, cost]` ends a hold: what the call cost.
* `["e", record]` is the ledger's record of a finished call: the fields of an `Entry` in their
  order, without their names, since one of these lines is written for every call.

Nothing here touches a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tiergate.core.budget import BudgetId
from tiergate.core.ledger import Entry, EntryStatus
from tiergate.core.window import Span

VERSION = 3

BEGUN = (
    "call_id", "wall", "booked", "operation", "dialect", "asked", "served", "deployment",
    "provider", "model", "key", "key_name", "user", "team", "end_user", "ticket", "session",
    "phase", "workflow", "reason", "tags",
)  # fmt: skip
"""The fields of an `Entry` that are known before the call, in the order of a `b` line."""

FIELDS = Entry._fields
"""All fields of an `Entry`, in the order of an `e` line."""

encode = msgspec.json.encode
_line = msgspec.json.Decoder(list[msgspec.Raw])
_values: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[Any])
_text = msgspec.json.Decoder(str)
_number = msgspec.json.Decoder(int)
_instant = msgspec.json.Decoder(float)
_names = msgspec.json.Decoder(list[str])
_perhaps: msgspec.json.Decoder[int | None] = msgspec.json.Decoder(int | None)


@dataclass(slots=True)
class LeaseTale:
    """What a journal tells of one lease.

    Attributes:
        budget: Its budget.
        span: The window.
        settled: What was spent under it, lost calls included.
    """

    budget: BudgetId
    span: Span
    settled: int = 0


@dataclass(slots=True)
class Tale:
    """What the journal of a dead worker tells.

    Attributes:
        worker: Its id.
        source: The ledger that it wrote to.
        newest: Unix time of the last thing it tells of.
        leases: By lease id.
        entries: Records of calls that ended.
        lost: Records of calls that did not, each charged with what was held for it.
    """

    worker: str
    source: str
    newest: float
    leases: dict[str, LeaseTale] = field(default_factory=dict[str, LeaseTale])
    entries: list[Entry] = field(default_factory=list[Entry])
    lost: list[Entry] = field(default_factory=list[Entry])


@dataclass(slots=True)
class _Open:
    amount: int
    leases: list[str]
    entry: Entry


def first_line(worker: str, source: str, wall: float) -> bytes:
    """Begin a journal at a Unix time."""
    return encode(("w", worker, source, VERSION, wall))


def lease_line(lease: str, budget: BudgetId, span: Span) -> bytes:
    """Say which budget and window a lease is of."""
    return encode(("l", lease, budget, span.start, span.end))


def total_line(lease: str, settled: int) -> bytes:
    """Say what a lease had spent when the journal was begun anew."""
    return encode(("t", lease, settled))


def begin_line(number: int, amount: int, leases: Sequence[str], begun: Sequence[object]) -> bytes:
    """Note a call before it is made; `begun` has the values of `BEGUN`."""
    return encode(("b", number, amount, leases, begun))


def is_needed_later(line: bytes) -> bool:
    """Tell whether other lines mean nothing without this one."""
    return line.startswith((b'["w"', b'["l"', b'["t"'))


def settle_line(number: int, cost: int) -> bytes:
    """Note what a call cost."""
    return b'["s",%d,%d]' % (number, cost)


def entry_line(entry: Entry) -> bytes:
    """Note the ledger's record of a call."""
    return encode(("e", entry))


def read_entry(line: bytes) -> Entry | None:
    """Return the record of an `e` line; None of any other line.

    Raises:
        ValueError: It is damaged.
    """
    return _entry_of(FIELDS, _line.decode(line)[1]) if line.startswith(b'["e"') else None


def read_tale(lines: Iterable[bytes]) -> Tale | None:
    """Read a journal; None when it has no beginning, so that nothing was ever noted in it.

    Raises:
        ValueError: A line is not one of ours: another version wrote it, or the file is damaged.
    """
    tale: Tale | None = None
    open_: dict[int, _Open] = {}
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            tale = _read(_line.decode(line), tale, open_)
        except (LookupError, ValueError) as exc:
            what = f"it names {exc} before it says what that is" if _is_name(exc) else str(exc)
            raise ValueError(f"line {number}: {what}") from None
    if tale is not None:
        _lose(tale, open_)
    return tale


def _read(parts: Sequence[msgspec.Raw], tale: Tale | None, open_: dict[int, _Open]) -> Tale:
    kind = _text.decode(parts[0])
    if kind == "w":
        version = _number.decode(parts[3])
        if version != VERSION:
            raise ValueError(f"it is of version {version}; this program reads {VERSION}")
        begun = _instant.decode(parts[4])
        return Tale(_text.decode(parts[1]), _text.decode(parts[2]), begun)
    if tale is None:
        raise ValueError("its first line is missing")
    _read_line(kind, parts, tale, open_)
    return tale


def _is_name(exc: Exception) -> bool:
    return isinstance(exc, KeyError)


def _read_line(
    kind: str, parts: Sequence[msgspec.Raw], tale: Tale, open_: dict[int, _Open]
) -> None:
    match kind:
        case "l":
            start, end = _number.decode(parts[3]), _perhaps.decode(parts[4])
            told = LeaseTale(BudgetId(_text.decode(parts[2])), Span(start, end))
            tale.leases.setdefault(_text.decode(parts[1]), told)
        case "t":
            tale.leases[_text.decode(parts[1])].settled = _number.decode(parts[2])
        case "b":
            number, amount = _number.decode(parts[1]), _number.decode(parts[2])
            entry = _entry_of(BEGUN, parts[4])
            leases = _names.decode(parts[3])
            for lease in leases:
                _ = tale.leases[lease]  # what is not known must not count nowhere
            open_[number] = _Open(amount, leases, entry)
        case "s":
            ended = open_.pop(_number.decode(parts[1]), None)
            cost = _number.decode(parts[2])
            for lease in ended.leases if ended is not None else ():
                tale.leases[lease].settled += cost
        case "e":
            tale.entries.append(_entry_of(FIELDS, parts[1]))
        case _:
            raise ValueError(f"a line of kind {kind!r} is not known")


def _entry_of(names: Sequence[str], values: msgspec.Raw) -> Entry:
    """Make a record of its values.

    Raises:
        ValueError: They are not what these names say.
    """
    decoded = dict(zip(names, _values.decode(values), strict=True))
    known: dict[str, Any] = {"status": EntryStatus.LOST.value, "http_status": 0, **decoded}
    return msgspec.convert(tuple(Entry(**known)), Entry)


def _lose(tale: Tale, open_: dict[int, _Open]) -> None:
    """Charge the calls that never ended with what was held for them."""
    for call in open_.values():
        for lease in call.leases:
            tale.leases[lease].settled += call.amount
        lost = EntryStatus.LOST.value
        tale.lost.append(call.entry._replace(status=lost, cost=call.amount, estimated=True))
    booked = (entry.booked for entry in (*tale.entries, *tale.lost))
    tale.newest = max(tale.newest, *booked, 0.0)
