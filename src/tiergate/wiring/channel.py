"""One worker as the supervisor sees it: its process, and the socket pair to it.

Nothing here waits: what a worker does not take yet is kept, up to a limit.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess

from tiergate.wiring.frames import Frame, Frames

_PIECE = 256 * 1024
MOST_HELD = 64 * 1024 * 1024
"""A worker that lets more bytes lie than this is not living any more."""


class Channel:
    """A worker's process and its socket.

    Args:
        process: The worker.
        sock: The supervisor's end of the pair; it is made non-blocking.
    """

    def __init__(self, process: subprocess.Popen[bytes], sock: socket.socket) -> None:
        sock.setblocking(False)
        self.process = process
        self.sock = sock
        self.open = True
        """Whether the worker still holds the other end."""
        self._frames = Frames()
        self._held = bytearray()

    @property
    def held(self) -> int:
        """Bytes that the worker has not taken yet."""
        return len(self._held)

    def send(self, frame: Frame) -> None:
        """Send a frame, now or when the worker takes it."""
        if self.open:
            self._held += frame.encode()
            self.flush()

    def flush(self) -> None:
        """Send what is held, as far as the worker takes it."""
        try:
            while self._held:
                sent = self.sock.send(self._held[:_PIECE])
                del self._held[:sent]
        except BlockingIOError:
            self.open = len(self._held) <= MOST_HELD
        except OSError:  # it has ended, or is ending: its process tells
            self.open = False
        if not self.open:
            self._held.clear()

    def receive(self) -> list[Frame]:
        """Return the frames that have come. At the end of the stream `open` becomes false."""
        try:
            data = self.sock.recv(_PIECE)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self.open = False
            return []
        try:
            return self._frames.feed(data)
        except ValueError:
            self.open = False
            return []

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if the process is there."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def close(self) -> None:
        """Give back the socket; the worker drains if it still lives."""
        self.open = False
        self.sock.close()


def why_ended(code: int) -> str:
    """Say in words how a process ended, from `Popen.returncode`."""
    if code >= 0:
        return f"status {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
