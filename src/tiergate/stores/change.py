"""Apply a pure change to documents that were read; decides what has to be written, writes nothing.

Every store of documents uses it, so that all of them refuse the same faults and write as little.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

from tiergate.ports import Change, Seen

T = TypeVar("T")

Writes = Mapping[str, bytes | None]
"""What has to be written by key, in the order of the keys; None deletes."""


def apply_change(change: Change[T], seen: Seen) -> tuple[Writes, T]:
    """Return what a change writes, and its answer. What stays as it was is not written.

    Raises:
        ValueError: The change returned a document that it was not shown.
    """
    wanted, answer = change(MappingProxyType(dict(seen)))
    foreign = sorted(wanted.keys() - seen.keys())
    if foreign:
        raise ValueError(f"a change may only write the documents it was given, not {foreign}")
    return {key: wanted[key] for key in sorted(wanted) if wanted[key] != seen[key]}, answer
