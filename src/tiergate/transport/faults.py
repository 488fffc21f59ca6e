"""Says what can go wrong on the way to a provider; it does not say whether to try again.

Every failure of this package leaves it as a `TransportError`. Errors of the operating system, of
TLS and of the parser are translated here and go no further.
"""

from __future__ import annotations

import enum
import os
import socket
import ssl


class Fault(enum.Enum):
    """Where an exchange broke."""

    CONNECT = "connect"
    """No TCP connection, or none in time."""
    DNS = "dns"
    """The host name has no address, or none was found in time."""
    TLS = "tls"
    """The handshake failed, the certificate was refused, or the encrypted stream is damaged."""
    RESET = "reset"
    """The connection was cut while a request was on it (RST, or the network gave up)."""
    CLOSED_EARLY = "closed-early"
    """The peer closed in an orderly way before its answer was complete."""
    PROTOCOL = "protocol"
    """What came is not HTTP/1.1."""
    TOO_LARGE = "too-large"
    """Head or body exceed the limit they were read with."""
    PROXY = "proxy"
    """The proxy named in the environment cannot be used, reached, or refused to connect."""


class TransportError(Exception):
    """An exchange with a provider that did not come to its proper end.

    The message names host, port and what happened, never header values or bodies.

    Attributes:
        fault: What kind of failure it was.
        reused: Whether the connection had carried an earlier request. A RESET or CLOSED_EARLY on
            such a connection before any answer mostly means that the peer closed it while idle.
    """

    def __init__(self, fault: Fault, message: str, *, reused: bool = False) -> None:
        super().__init__(message)
        self.fault = fault
        self.reused = reused


def reason(error: Exception) -> str:
    """Put a foreign error in words, without addresses, paths or class internals."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate was refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        said: str | None = getattr(error, "reason", None)  # only errors from OpenSSL have one
        return (said or "TLS failure").lower().replace("_", " ")
    if isinstance(error, socket.gaierror):
        return (error.strerror or "the name has no address").lower()
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno).lower()
    if isinstance(error, ConnectionError):
        return "connection lost"
    if isinstance(error, UnicodeError):
        return "the name cannot be written in DNS"
    return type(error).__name__
