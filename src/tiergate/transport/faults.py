"""Says what can go wrong on the way to a provider; it does not say whether to try again.

Every failure of this package leaves it as a `TransportError`. Errors of the operating system, of
TLS and of the parser are translated here and go no further.
"""

from __future__ import annotations

import os
import socket
import ssl

from tiergate.ports import Fault, TransportError

__all__ = ["Fault", "TransportError", "reason"]


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
