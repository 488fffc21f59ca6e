"""A connection whose bytes pass through a TLS session on their way in and out."""

from __future__ import annotations

import asyncio
import ssl

from tiergate.transport.connection import Connection, Keeper
from tiergate.transport.faults import Fault, reason
from tiergate.transport.target import Target
from tiergate.transport.tls import Session


class SecureConnection(Connection):
    """A connection over a TLS session whose handshake is done."""

    __slots__ = ("_send", "_session")

    def __init__(
        self,
        keeper: Keeper,
        target: Target,
        loop: asyncio.AbstractEventLoop,
        max_header_bytes: int,
        session: Session,
    ) -> None:
        super().__init__(keeper, target, loop, max_header_bytes)
        self._session = session

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The TCP connection is the event loop's now."""
        super().connection_made(transport)
        self._send, self._write = self._write, self._encrypt

    def data_received(self, data: bytes) -> None:
        """Encrypted bytes have come."""
        session = self._session
        session.receive(data)
        try:
            while plain := session.decrypt():
                super().data_received(plain)
        except ssl.SSLError as error:
            self._broken(Fault.TLS, f"its TLS session broke: {reason(error)}")
            return
        if (reply := session.reply()) and self.up:
            self._send(reply)
        if session.closed:
            super().eof_received()

    def eof_received(self) -> None:
        """The peer closed without close_notify: it may have been cut (RFC 9112, section 9.8)."""
        self._broken(Fault.CLOSED_EARLY, "closed without ending its TLS session")

    def _encrypt(self, data: bytes | memoryview) -> None:
        self._send(self._session.encrypt(data))
