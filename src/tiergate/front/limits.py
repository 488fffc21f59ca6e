"""What one client may cost the server: bytes kept, seconds waited, connections held."""

from __future__ import annotations

from dataclasses import dataclass

_COARSEST_SWEEP = 1.0
_SWEEPS_PER_LIMIT = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the server; all apply to one connection, but `max_connections`.

    How long a body may take, and how large it may be, is the handler's decision.

    Attributes:
        max_head_bytes: Largest request head; above it the answer is 431.
        max_headers: Most headers of one request; above it the answer is 431.
        header_seconds: Longest time for a request head to arrive, from its first byte, or from
            the beginning of a fresh connection. 408 if a part has come, else no answer.
        keep_alive_seconds: Longest time that a connection may wait for its next request.
        max_unread_bytes: Body bytes that may wait for a handler; above it reading pauses.
        max_ahead_bytes: Bytes behind the request being answered; above it reading pauses, and
            the server cannot see a client leave.
        max_connections: Most connections at a time; above it the answer is 503. None: no limit.
        linger_bytes: Most bytes read and dropped behind an answer that came before its request
            was read, so that the client sees the answer and not a reset.
        linger_seconds: Longest time for the same.
        stalled_seconds: Longest time that a client may take nothing while bytes wait for it.
    """

    max_head_bytes: int = 256 * 1024
    max_headers: int = 1000
    header_seconds: float = 30.0
    keep_alive_seconds: float = 75.0
    max_unread_bytes: int = 256 * 1024
    max_ahead_bytes: int = 64 * 1024
    max_connections: int | None = None
    linger_bytes: int = 64 * 1024
    linger_seconds: float = 1.0
    stalled_seconds: float = 120.0

    @property
    def sweep_seconds(self) -> float:
        """Return the interval at which all connections are checked; how late a limit may be."""
        shortest = min(
            self.header_seconds,
            self.keep_alive_seconds,
            self.linger_seconds * _SWEEPS_PER_LIMIT,
            self.stalled_seconds,
        )
        return min(_COARSEST_SWEEP, shortest / _SWEEPS_PER_LIMIT)
