"""The one HTTP/1.1 client with which Tiergate calls providers.

Bytes in, bytes out: request heads are made by the caller, bodies are not decoded. This package
owns connections, their reuse, proxies, TLS, and the translation of everything that can break
into a `TransportError`. It has no retries and no policy.
"""

from tiergate.transport.client import Transport
from tiergate.transport.exchange import Exchange
from tiergate.transport.faults import Fault, TransportError
from tiergate.transport.target import Target

__all__ = ["Exchange", "Fault", "Target", "Transport", "TransportError"]
