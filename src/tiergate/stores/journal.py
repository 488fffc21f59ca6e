"""A worker's journal: lines in a file that outlive the process, and whose lock tells it lives.

The file is mapped into memory, so that a line is copied and no more: the pages are the operating
system's and stay when the process dies, however it dies. Room is taken beforehand and is zero
until it is used; the first zero ends what was written. The file's lock (`flock`) is let go by the
operating system at the same death. Whoever can take the lock of a journal owns it. What the lines
mean is not known here. Nothing is flushed to the disk: a journal outlives its process, not a
power cut.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import re
from pathlib import Path

SUFFIX = ".journal"
_BESIDE = ".new"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PRIVATE_FILE = 0o600
_PRIVATE_FOLDER = 0o700
_CHUNK = 1 << 20
_ROOM = 1 << 20
"""Bytes that a journal grows by."""

_CANNOT_RESERVE = frozenset({errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS})


class Journal:
    """Implements `ports.JournalFile`; made by `open_journal`."""

    def __init__(self, path: Path, file: int) -> None:
        self._path = path
        self._file = file
        self._size = 0
        self._room = 0
        self._pages: mmap.mmap | None = None

    def write(self, line: bytes) -> None:
        """Append one line; it outlives the process from here on.

        Raises:
            OSError: The disk is full or gone, or the journal is closed. Nothing is written then.
        """
        begin = self._size
        end = begin + len(line) + 1
        pages = self._pages
        if pages is None or end > self._room:
            pages = self._grow(end)
        pages[begin:end] = line + b"\n"
        self._size = end

    def lines(self) -> list[bytes]:
        """Return all lines since it was begun, without their newlines."""
        return [] if self._pages is None else self._pages[: self._size].split(b"\n")[:-1]

    def restart(self, first: bytes) -> None:
        """Begin a new file with this line and drop the old one, as one step.

        The new file is locked before it takes the old one's name: at no time is there a journal
        of this name that another process could take for a dead one's.

        Raises:
            OSError: The disk is full or gone. The old file then stays in use.
        """
        beside = _beside(self._path)
        file = _create(beside)
        fresh = Journal(self._path, file)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fresh.write(first)
            beside.rename(self._path)
        except OSError:
            fresh._let_go()
            beside.unlink(missing_ok=True)
            raise
        self._let_go()
        self._file, self._pages = file, fresh._pages
        self._size, self._room = fresh._size, fresh._room

    def close(self, *, drop: bool) -> None:
        """Let go of the file, and remove it with `drop`. Closing twice does nothing."""
        if self._file < 0:
            return
        if drop:
            _remove(self._path)
        else:
            os.ftruncate(self._file, self._size)
        self._let_go()

    def _grow(self, least: int) -> mmap.mmap:
        """Take room on the disk, and map the file anew.

        Without room of its own a line could be copied into a page that the disk has no place for,
        and the operating system would end the process.
        """
        room = -(-least // _ROOM) * _ROOM
        try:
            _reserve(self._file, room)
        except OSError as exc:
            if exc.errno not in _CANNOT_RESERVE:
                raise
            self._fill(room)
        pages = mmap.mmap(self._file, room)
        if self._pages is not None:
            self._pages.close()
        self._pages, self._room = pages, room
        return pages

    def _fill(self, room: int) -> None:
        """Take room by writing zeros, where the file system reserves none."""
        for begin in range(self._room, room, _CHUNK):
            part = min(_CHUNK, room - begin)
            if os.pwrite(self._file, bytes(part), begin) < part:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))

    def _let_go(self) -> None:
        # The mapping has a copy of the file's number, and would keep the lock.
        if self._pages is not None:
            self._pages.close()
            self._pages = None
        os.close(self._file)
        self._file, self._room = -1, 0


class AbandonedJournal:
    """The journal of a process that is dead; whoever has it must call `drop` or `release`."""

    def __init__(self, path: Path, file: int) -> None:
        self._path = path
        self._file = file

    @property
    def name(self) -> str:
        """The name that its owner opened it with."""
        return self._path.name.removesuffix(SUFFIX)

    def lines(self) -> list[bytes]:
        """Return its lines without their newlines; one that was cut short at the end is left out.

        A process that dies while it copies may leave a hole; what stands after it is left out
        too, and was a part of that same line.

        Raises:
            OSError: The file cannot be read.
        """
        os.lseek(self._file, 0, os.SEEK_SET)
        parts: list[bytes] = []
        while part := os.read(self._file, _CHUNK):
            written, zero, _ = part.partition(b"\0")
            parts.append(written)
            if zero:
                break
        return b"".join(parts).split(b"\n")[:-1]

    def drop(self) -> None:
        """Remove it: everything in it has been taken over."""
        _remove(self._path)
        self.release()

    def release(self) -> None:
        """Let go of it; it stays for the next one who looks. Doing so twice does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def open_journal(directory: Path, name: str) -> Journal:
    """Begin a journal, and hold its lock until it is closed or the process dies.

    Args:
        directory: Where journals are; made where it is missing, for its owner alone.
        name: Of this process and no other: letters, digits, dots, hyphens, underscores.

    Raises:
        FileExistsError: There is a journal of that name.
        OSError: The directory cannot be written.
        ValueError: The name cannot be a file's.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of a journal")
    directory.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    path = directory / f"{name}{SUFFIX}"
    if path.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    beside = _beside(path)
    while True:
        # Locked before it is given its name, so that nobody takes it for a dead process's. Only
        # `_sweep` looks at the other name, and may be faster than the lock.
        file = _create(beside)
        if _lock(file) and _is_at(file, beside):
            break
        os.close(file)
    try:
        beside.rename(path)
    except OSError:
        os.close(file)
        raise
    return Journal(path, file)


def abandoned(directory: Path, own: str) -> list[AbandonedJournal]:
    """Take over the journals of dead processes, the oldest name first.

    Args:
        directory: Where journals are; it need not exist.
        own: The name of the asker's own journal, which is left alone.

    Returns:
        Journals whose locks are now held, so that nobody else takes them over meanwhile.
    """
    try:
        paths = sorted(directory.iterdir())
    except FileNotFoundError:
        return []
    found: list[AbandonedJournal] = []
    for path in paths:
        if path.name.startswith("."):
            _sweep(path)
        elif path.name.endswith(SUFFIX) and path.name != f"{own}{SUFFIX}":
            file = _take(path)
            if file is not None:
                found.append(AbandonedJournal(path, file))
    return found


def _sweep(path: Path) -> None:
    """Remove what a process left that died while it was opening its journal."""
    owner = path.name.removeprefix(".").removesuffix(_BESIDE)
    if not path.name.endswith(SUFFIX + _BESIDE) or path.with_name(owner).exists():
        return
    file = _take(path)
    if file is not None:
        if not path.with_name(owner).exists():
            path.unlink(missing_ok=True)
        os.close(file)


def _reserve(file: int, room: int) -> None:
    if not hasattr(os, "posix_fallocate"):  # macOS
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
    os.posix_fallocate(file, 0, room)


def _create(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, _PRIVATE_FILE)


def _take(path: Path) -> int | None:
    try:
        file = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return None  # gone meanwhile, or not ours to read
    # A file that was renamed over or removed since can be locked, and is nobody's journal.
    if _lock(file) and _is_at(file, path):
        return file
    os.close(file)
    return None


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(file: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(file), there)


def _beside(path: Path) -> Path:
    """Return where a restart writes: a name that `abandoned` does not look at."""
    return path.with_name(f".{path.name}{_BESIDE}")


def _remove(path: Path) -> None:
    # The half-written file of a restart goes first: nobody would look for it without the other.
    _beside(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)
