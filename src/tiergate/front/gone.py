"""The error that says that nobody is there to be answered."""

from __future__ import annotations


class ClientGoneError(ConnectionError):
    """The client left, or broke the protocol, before the exchange was complete."""

    def __init__(self) -> None:
        super().__init__("the client is gone")
