"""Time limits around awaits, with one timer for all of them.

A timer of the event loop per attempt costs more than everything else that limits it. Here all
limits under way stand in one set, and one timer looks a few times a second whether the nearest
one has passed. A limit acts up to one look late, never early.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import cast

LOOK_SECONDS = 0.02
"""How late a limit may act."""


class Deadlines:
    """All limits of one event loop. Made and used inside it."""

    __slots__ = ("_active", "_nearest", "_timer")

    def __init__(self) -> None:
        self._active: set[Deadline] = set()
        self._nearest = float("inf")
        self._timer: asyncio.TimerHandle | None = None

    def until(self, when: float | None, task: object = None) -> Deadline:
        """Return a limit to enter.

        Args:
            when: Instant on the event loop's clock, seconds; None for no limit.
            task: The running task, if it is known.
        """
        known = cast("asyncio.Task[object]", task) if isinstance(task, asyncio.Task) else None
        return Deadline(self, when, known)

    def add(self, deadline: Deadline, when: float) -> None:
        """Watch a limit."""
        self._active.add(deadline)
        if when < self._nearest:
            self._nearest = when
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def remove(self, deadline: Deadline) -> None:
        """Stop to watch a limit."""
        self._active.discard(deadline)

    def _look(self) -> None:
        """Let limits pass whose time has come; look again while there are any."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if now >= self._nearest:
            for deadline in [d for d in self._active if d.when <= now]:
                self._active.discard(deadline)
                deadline.passed()
            self._nearest = min((d.when for d in self._active), default=float("inf"))
        if self._active:
            self._timer = loop.call_later(LOOK_SECONDS, self._look)
        else:
            self._timer = None
            self._nearest = float("inf")


class Deadline:
    """Raises `TimeoutError` from its block when an instant has passed."""

    __slots__ = ("_cancelling", "_deadlines", "_passed", "_task", "_unlimited", "when")

    def __init__(
        self, deadlines: Deadlines, when: float | None, task: asyncio.Task[object] | None
    ) -> None:
        self._deadlines = deadlines
        self._unlimited = when is None
        self.when = float("inf") if when is None else when
        self._passed = False
        self._task = task
        self._cancelling = 0

    def __enter__(self) -> None:
        """Start the clock."""
        if self._unlimited:
            return
        task = self._task or asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline must be entered inside a task")
        self._task = task
        self._cancelling = task.cancelling()
        self._deadlines.add(self, self.when)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Stop the clock; turn our own cancellation into a `TimeoutError`."""
        if self._unlimited or self._task is None:
            return
        if not self._passed:
            self._deadlines.remove(self)
            return
        # Cancelled by somebody else too: theirs goes on.
        if self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def passed(self) -> None:
        """The instant has come."""
        self._passed = True
        if self._task is not None:
            self._task.cancel()
