"""Writes records to a file, one JSON object on each line, and begins a new file in time.

All workers of a gateway write to one file: each batch is one write under a lock, and whoever
finds the file full moves it away while the lock is held.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

from tiergate.core.sink_plan import FilePlace
from tiergate.ports import Clock
from tiergate.telemetry.outbox import NotTakenError, in_slices
from tiergate.telemetry.posting import Writer
from tiergate.telemetry.told import Told, is_large

_MODE = 0o600
_MOST_TURNS = 5


class FileSender:
    """Appends to a file.

    Args:
        place: Where, and how large.
        path: The file, if the place names none.
        write: Writes one line.
        clock: Monotonic seconds.
    """

    def __init__(self, place: FilePlace, path: Path, write: Writer, clock: Clock) -> None:
        self._place = place
        self._path = Path(place.path).expanduser() if place.path else path
        self._write = write
        self._clock = clock

    async def __call__(self, batch: Sequence[Told]) -> None:
        """Append a batch; see `outbox.Send`."""
        lines = await in_slices(batch, self._write, self._clock, is_large)
        text = b"".join([line + b"\n" for line in lines])
        try:
            await asyncio.to_thread(self._append, text)
        except OSError as exc:
            why = exc.strerror or type(exc).__name__
            raise NotTakenError(f"{self._path}: {why}") from None

    def _append(self, text: bytes) -> None:
        """Write under the file's lock.

        Raises:
            OSError: It cannot be written; a part of the text may have been.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(_MOST_TURNS):
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _MODE)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                size = os.fstat(file).st_size
                if not self._is_current(file):
                    continue  # another worker has moved it away meanwhile
                if size and size + len(text) > self._place.most_bytes:
                    self._move_away()
                    continue
                _write_all(file, text)
                return
            finally:
                os.close(file)
        raise OSError(f"{self._path} was moved away again and again")

    def _is_current(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), self._path.stat())
        except FileNotFoundError:
            return False

    def _move_away(self) -> None:
        """Number the old files on; the oldest goes."""
        for number in range(self._place.keep, 0, -1):
            older = self._named(number - 1) if number > 1 else self._path
            if older.exists():
                older.replace(self._named(number))
        if self._place.keep == 0:
            self._path.unlink(missing_ok=True)

    def _named(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _write_all(file: int, text: bytes) -> None:
    view = memoryview(text)
    while view:
        view = view[os.write(file, view) :]
