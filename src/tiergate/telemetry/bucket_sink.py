"""Writes each record as an object of an S3 bucket, under LiteLLM's names, by the library obstore.

The key of an object is `PATH/DAY/time-H-M-S-MICROSECONDS_ID.json`, as LiteLLM's `s3` callback
writes it; a part for the team may stand before the day.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from tiergate.core.alerts import BudgetAlert
from tiergate.core.record import CallRecord
from tiergate.core.sink_plan import BucketPlace
from tiergate.ports import Clock
from tiergate.telemetry.outbox import NotTakenError, in_slices
from tiergate.telemetry.posting import Writer
from tiergate.telemetry.told import Told, is_large

AT_ONCE: Final = 8
"""Objects on their way at the same time."""

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]")


class BucketSender:
    """Puts records into a bucket. Budget marks are no calls, and are not kept.

    Args:
        place: Says how keys begin.
        store: The open bucket.
        write: Writes one object.
        clock: Monotonic seconds.
    """

    def __init__(self, place: BucketPlace, store: S3Store, write: Writer, clock: Clock) -> None:
        self._place = place
        self._store = store
        self._write = write
        self._clock = clock

    async def __call__(self, batch: Sequence[Told]) -> None:
        """Put a batch; see `outbox.Send`. An object that is put twice is the same object."""
        records = [told for told in batch if not isinstance(told, BudgetAlert)]
        made = await in_slices(records, self._write, self._clock, is_large)
        gate = asyncio.Semaphore(AT_ONCE)

        async def put(record: CallRecord, data: bytes) -> None:
            async with gate:
                await obstore.put_async(self._store, key_of(record, self._place), data)

        ended = await asyncio.gather(*map(put, records, made), return_exceptions=True)
        for fault in ended:
            if isinstance(fault, BaseError | OSError):
                # What follows the first line is for developers of the library.
                raise NotTakenError(str(fault).strip().split("\n", 1)[0][:200])
            if fault is not None:
                raise fault


def key_of(record: CallRecord, place: BucketPlace) -> str:
    """Return the key of a call's object."""
    moment = datetime.fromtimestamp(record.wall, UTC)
    name = f"time-{moment:%H-%M-%S-%f}_{_UNSAFE.sub('-', record.call_id)}.json"
    parts = [place.bucket.path]
    if place.by_team:
        parts.append(_UNSAFE.sub("-", record.caller.team))
    return "/".join(part for part in (*parts, f"{moment:%Y-%m-%d}", name) if part)
