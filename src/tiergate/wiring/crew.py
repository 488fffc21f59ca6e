"""What a supervisor and its workers are started with; it is handed on as one JSON argument.

Nothing in it is secret: other users of the machine may see the arguments of a process. The
settings, which hold keys, go another way (`wiring.handover`).
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict

PATIENCE_SECONDS = 20.0
"""How much longer than the calls under way a process may take to end before it is killed."""


class _Written(TypedDict):
    """A crew as `to_json` writes it."""

    paths: list[str]
    host: str
    port: int
    workers: int
    lenient: bool
    strict: bool
    watch: bool
    drain_seconds: float | None
    drain_delay: float | None
    leave_seconds: float
    aliases: str
    access: str
    backlog: str
    watched: list[str]


@dataclass(frozen=True, slots=True)
class Crew:
    """How to run several workers.

    Attributes:
        paths: The configuration files.
        host: The address that is listened on.
        port: The port; never 0.
        workers: How many.
        lenient: As `Plan`.
        strict: As `Plan`.
        watch: As `Plan`; it is the supervisor that watches.
        drain_seconds: As `Plan`.
        drain_delay: As `Plan`.
        leave_seconds: How long a worker may take leave, by the configuration at the start.
        aliases: What the log says about the start.
        access: What the log says about keys.
        backlog: As `Plan`; empty where nothing names it.
        watched: As `Plan`.
    """

    paths: tuple[str, ...]
    host: str
    port: int
    workers: int
    lenient: bool
    strict: bool
    watch: bool
    drain_seconds: float | None
    drain_delay: float | None
    leave_seconds: float
    aliases: str
    access: str
    backlog: str = ""
    watched: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Write it."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Crew:
        """Read it.

        Raises:
            LookupError: Something is missing.
            ValueError: It is no JSON.
        """
        values: _Written = json.loads(text)
        return Crew(
            paths=tuple(values["paths"]),
            host=values["host"],
            port=values["port"],
            workers=values["workers"],
            lenient=values["lenient"],
            strict=values["strict"],
            watch=values["watch"],
            drain_seconds=values["drain_seconds"],
            drain_delay=values["drain_delay"],
            leave_seconds=values["leave_seconds"],
            aliases=values["aliases"],
            access=values["access"],
            backlog=values["backlog"],
            watched=tuple(values["watched"]),
        )


def command(module: str, *words: str) -> list[str]:
    """Return the command that runs a module of this package in a fresh interpreter.

    Modules are looked for where this process found them: the folder it was started in counts only
    if it did so here too (`python -m tiergate`).
    """
    here = sys.path[:1] == [str(Path.cwd())]
    return [sys.executable, *([] if here else ["-P"]), "-m", module, *words]


Marks = tuple[tuple[int, int], ...]
"""Modification time in nanoseconds, and size in bytes, of some files; zeros for one not there."""


def marks(paths: Iterable[str | os.PathLike[str]]) -> Marks:
    """Return what tells whether files have changed."""
    found: list[tuple[int, int]] = []
    for path in paths:
        try:
            status = Path(path).stat()
        except OSError:
            found.append((0, 0))
        else:
            found.append((status.st_mtime_ns, status.st_size))
    return tuple(found)


def keep(data: bytes) -> int:
    """Put bytes into a file without a name; return its descriptor, which children inherit."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("tiergate-settings", 0)
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    with os.fdopen(os.dup(descriptor), "wb") as out:
        out.write(data)
    os.set_inheritable(descriptor, True)
    return descriptor


def take(descriptor: int) -> bytes:
    """Read what `keep` kept, and close it."""
    with os.fdopen(descriptor, "rb") as file:
        file.seek(0)
        return file.read()
