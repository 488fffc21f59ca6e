"""What virtual keys are called on pages: the ledger only has their hashes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tiergate.pipeline.keybook import KeyBook
from tiergate.ports import StoreDownError

NO_KEY = "(master key)"
NO_NAMES: Mapping[str, str] = MappingProxyType({})


async def key_names(book: KeyBook) -> Mapping[str, str]:
    """Return the names of all keys by hash; only of the master key while the store is down."""
    try:
        records = await book.keys()
    except StoreDownError:
        records = []
    names = {record.hash: record.alias or record.masked or record.hash[:12] for record in records}
    return {**names, "": NO_KEY}
