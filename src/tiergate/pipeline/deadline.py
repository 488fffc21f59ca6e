"""A time limit around awaits that costs one timer and nothing else.

`asyncio.timeout` does the same with more care for nesting; on the way of every request that care
costs more than the timer. It must be entered in the task that it limits.
"""

from __future__ import annotations

import asyncio
from types import TracebackType


class Deadline:
    """Raises `TimeoutError` from its block when an instant has passed.

    Args:
        when: Instant on the event loop's clock, seconds; None for no limit.
    """

    __slots__ = ("_cancelling", "_passed", "_task", "_timer", "_when")

    def __init__(self, when: float | None) -> None:
        self._when = when
        self._passed = False
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0

    def __enter__(self) -> None:
        """Start the clock."""
        if self._when is None:
            return
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline must be entered inside a task")
        self._task = task
        self._cancelling = task.cancelling()
        self._timer = asyncio.get_running_loop().call_at(self._when, self._pass)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the clock; turn our own cancellation into a `TimeoutError`."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._passed or self._task is None:
            return
        # Cancelled by somebody else too: theirs goes on.
        if self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _pass(self) -> None:
        self._passed = True
        self._timer = None
        if self._task is not None:
            self._task.cancel()
