"""Turns plain bytes into a TLS session's bytes and back; touches no socket.

The event loops' own TLS layers are not used, for three reasons. When a write fails they drop what
the peer had sent before (an early 413, say) undecrypted; they do not tell a connection that was
closed properly from one that was cut; and giving up during their handshake can leave a socket
behind. Here the session is an object of memory buffers, as `ssl.SSLObject` intends.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from tiergate.transport.faults import Fault, TransportError, reason

_RECORD = 16 * 1024  # a TLS record holds no more (RFC 8446, section 5.1), and a read returns one


class Contexts:
    """One `ssl.SSLContext` per way of judging certificates, made at first use.

    System CAs are those of Python's `ssl` (so `SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured).
    """

    def __init__(self) -> None:
        self._contexts: dict[bool | str, ssl.SSLContext] = {}

    def session(self, host: str, verify: bool | str) -> Session:
        """A new session with `host`.

        Raises:
            TransportError: TLS, when the CA file or directory in `verify` cannot be read.
        """
        context = self._contexts.get(verify)
        if context is None:
            context = self._contexts[verify] = _new_context(verify)
        return Session(context, host)


class Session:
    """The client's side of one TLS session.

    Attributes:
        closed: Whether the peer has said that it sends no more (close_notify).
    """

    __slots__ = ("_incoming", "_object", "_outgoing", "closed")

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self.closed = False

    def handshake(self) -> bool:
        """Take the handshake as far as the bytes received allow, and say whether it is done.

        Raises:
            ssl.SSLError: The peer or its certificate is refused, or refuses.
        """
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def receive(self, data: bytes) -> None:
        """Take bytes from the socket; none means that it has ended."""
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def decrypt(self) -> bytes:
        """The content of the next complete record; b"" when there is none.

        Raises:
            ssl.SSLError: The stream is damaged, or the peer sent an alert.
        """
        while self._incoming.pending:
            try:
                plain = self._object.read(_RECORD)
            except ssl.SSLWantReadError:  # a part of a record, or one without content
                continue
            if not plain:
                self.closed = True
            return plain
        return b""

    def encrypt(self, data: bytes | memoryview) -> bytes:
        """The records that carry `data`."""
        sent = self._object.write(data)
        while sent < len(data):
            sent += self._object.write(memoryview(data)[sent:])
        return self._outgoing.read()

    def reply(self) -> bytes:
        """What the protocol itself has to send: handshake, alerts, key updates; b"" if nothing."""
        return self._outgoing.read() if self._outgoing.pending else b""


def _new_context(verify: bool | str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        if verify is True:
            context.load_default_certs()
        elif Path(verify).is_dir():
            context.load_verify_locations(capath=verify)
        else:
            context.load_verify_locations(cafile=verify)
    except OSError as error:
        raise TransportError(
            Fault.TLS, f"the CA certificates in {verify} cannot be read: {reason(error)}"
        ) from None
    return context
