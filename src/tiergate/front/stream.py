"""An answer under way: writes pieces, and waits for a client that is slow."""

from __future__ import annotations

from collections.abc import Callable

from tiergate.front.flow import ClientGoneError, Flow

SLICE = 64 * 1024
"""Bytes given to the event loop at a time, so that no piece outgrows what may wait."""


class Stream:
    """The body of one answer.

    It has no end of its own: it ends when the handler returns, or breaks when the handler fails.
    """

    __slots__ = ("_chunked", "_flow", "_open", "_write")

    def __init__(self, flow: Flow, write: Callable[[bytes], None], *, chunked: bool) -> None:
        self._flow = flow
        self._write = write
        self._chunked = chunked
        self._open = True

    async def send_bytes(self, data: bytes) -> None:
        """Write a piece. Waits, after it, while the client is slow; else it does not suspend.

        Raises:
            ClientGoneError: The client left, or the answer is over.
        """
        if not self._open:
            raise ClientGoneError
        size = len(data)
        if size > SLICE:
            await self._send_slices(data)
        elif size:
            self._write(b"%x\r\n%b\r\n" % (size, data) if self._chunked else data)
            if self._flow.paused:
                await self._flow.writable()

    def end(self) -> None:
        """Write what marks the end, if the framing has such a mark."""
        if self._open and self._chunked:
            self._write(b"0\r\n\r\n")
        self._open = False

    def cut(self) -> None:
        """Write no more."""
        self._open = False

    async def _send_slices(self, data: bytes) -> None:
        view = memoryview(data)
        for start in range(0, len(view), SLICE):
            await self.send_bytes(bytes(view[start : start + SLICE]))
