"""Changes of documents that tests make, and a program that makes them in a process of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from tiergate.ports import Change, Seen
from tiergate.stores.sqlite import SqliteDocuments


def writing(documents: Mapping[str, bytes | None]) -> Change[None]:
    """Write these documents, whatever was there."""

    def change(_: Seen) -> tuple[Seen, None]:
        return documents, None

    return change


def counting(*keys: str) -> Change[int]:
    """Count one up in each of some documents; the answer is the first's count."""

    def change(seen: Seen) -> tuple[Seen, int]:
        counts = {key: int(seen[key] or b"0") + 1 for key in keys}
        return {key: b"%d" % count for key, count in counts.items()}, counts[keys[0]]

    return change


def moving(giver: str, taker: str) -> Change[None]:
    """Move one from a document to another."""

    def change(seen: Seen) -> tuple[Seen, None]:
        given, taken = int(seen[giver] or b"0"), int(seen[taker] or b"0")
        return {giver: b"%d" % (given - 1), taker: b"%d" % (taken + 1)}, None

    return change


async def _count(path: Path, times: int) -> None:
    store = SqliteDocuments.open(path, seconds=20.0)
    for _ in range(times):
        await store.update(["one", "two"], counting("one", "two"))
    await store.aclose()


if __name__ == "__main__":
    asyncio.run(_count(Path(sys.argv[1]), int(sys.argv[2])))
