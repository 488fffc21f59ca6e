"""The life of a connection in four phases: what is done with bytes that arrive."""

from __future__ import annotations

from enum import Enum, auto


class Phase(Enum):
    """What is done with bytes that arrive."""

    OPEN = auto()
    """They are requests."""
    LAST = auto()
    """They are dropped: no request is read after those that have been."""
    LINGERING = auto()
    """They are dropped: all is answered, and the client is given time to see it."""
    CLOSED = auto()
    """There are none."""

    @property
    def answers(self) -> bool:
        """Whether requests that have been read are answered still."""
        return self is Phase.OPEN or self is Phase.LAST
