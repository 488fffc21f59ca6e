"""Tells systemd how a service fares: the protocol of `sd_notify(3)`, a datagram to a socket.

Without `NOTIFY_SOCKET` in the environment nothing is told. It imports little: the supervisor of
several workers uses it too.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Mapping

LOG = logging.getLogger("tiergate")

_MICROSECONDS = 1_000_000
_PATIENCE_SECONDS = 0.5
"""How long a word waits at most for a service manager that is busy itself."""


class Notifier:
    """The way to the service manager.

    Args:
        environ: The environment of the process.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self.pulse_seconds = _pulse(environ) if self._address else None
        """How often `alive` is to be said; None where nobody listens for it."""

    def ready(self) -> None:
        """The port answers, or a reload is over."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """The configuration is being read again; `ready` ends it."""
        now = int(time.monotonic() * _MICROSECONDS)
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={now}")

    def stopping(self, seconds: float) -> None:
        """Calls under way are brought to their end.

        Args:
            seconds: How long that may take at most: the service manager waits so long, also
                where `TimeoutStopSec` is shorter.
        """
        self._tell(f"STOPPING=1\nEXTEND_TIMEOUT_USEC={int(seconds * _MICROSECONDS)}")

    def alive(self) -> None:
        """The process is not stuck."""
        self._tell("WATCHDOG=1", 0.0)

    def _tell(self, text: str, patience: float = _PATIENCE_SECONDS) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                # Its queue is short. What is said once is worth a moment; a sign of life is not.
                sock.settimeout(patience)
                sock.sendto(text.encode(), self._address)
        except OSError as exc:
            LOG.warning("the service manager cannot be told", extra={"why": str(exc)})


def _address(place: str) -> str | None:
    """Return the address of the socket; an `@` in front stands for the abstract namespace."""
    if place.startswith("@"):
        return "\0" + place[1:]
    return place if place.startswith("/") else None


def _pulse(environ: Mapping[str, str]) -> float | None:
    """Return half of the time after which silence means that the process hangs, in seconds."""
    limit, wanted = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not limit.isdecimal() or int(limit) == 0:
        return None
    if wanted and wanted != str(os.getpid()):
        return None
    return int(limit) / _MICROSECONDS / 2
