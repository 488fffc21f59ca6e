"""Tells an operator's own Python logger of calls, in threads of its own.

One thread runs an event loop for what is asynchronous, another one what is not. So a logger that
blocks, hangs or raises stops nothing but itself: calls go on, and what it does not take is lost
and counted.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Coroutine, Sequence
from typing import Final, TypeVar

from tiergate.core.alerts import BudgetAlert
from tiergate.core.record import CallRecord
from tiergate.telemetry.custom_hooks import Hook, Hooks, run_step
from tiergate.telemetry.custom_values import occurrence
from tiergate.telemetry.outbox import NotTakenError, Pace, Partly
from tiergate.telemetry.told import Told
from tiergate.telemetry.words import NOTHING_SAID, Fold, words_of

HOOK_SECONDS: Final = 10.0
"""How long one method may take; an asynchronous one is cancelled then."""

BATCH_SECONDS: Final = 30.0
"""How long the calls of one batch may take before they are given up."""

AT_ONCE: Final = 16
"""Asynchronous methods that run at the same time."""

PACE: Final = Pace(interval=0.1, seconds=BATCH_SECONDS + 5, together=32)

Result = TypeVar("Result")


class CustomSender:
    """Tells one logger.

    Args:
        name: Of the logger, for its threads.
        hooks: Its methods.
        fold: Puts streams together; None where it gets no words.
        nameless: Leave out whose key, user and team it was.
    """

    def __init__(self, name: str, hooks: Hooks, fold: Fold | None, *, nameless: bool) -> None:
        self._name = name
        self._hooks = hooks
        self._fold = fold if hooks.wants_words else None
        self._nameless = nameless
        self._loop_thread: _LoopThread | None = None
        self._blocking: _Worker | None = None
        self._under_way: concurrent.futures.Future[Partly | None] | None = None

    async def __call__(self, batch: Sequence[Told]) -> Partly | None:
        """Tell of a batch; see `outbox.Send`. Budget marks are no calls, and are not told."""
        if self._under_way is not None and not self._under_way.done():
            raise NotTakenError("a method that was called before has not returned")
        records = [told for told in batch if not isinstance(told, BudgetAlert)]
        if self._loop_thread is None:
            self._loop_thread = _LoopThread(f"callback {self._name}")
            self._blocking = _Worker(f"callback {self._name}, blocking")
        self._under_way = self._loop_thread.submit(self._tell(records))
        waiting = asyncio.wrap_future(self._under_way)
        try:
            async with asyncio.timeout(BATCH_SECONDS):
                return await asyncio.shield(waiting)
        except TimeoutError:
            # Which of the calls were made is not known: telling them again could tell twice.
            raise NotTakenError("a method does not return", again=False) from None
        finally:
            waiting.add_done_callback(_forget)

    def close(self) -> None:
        """End the threads, once what they do returns; the process does not wait for them."""
        if self._loop_thread is not None:
            self._loop_thread.close()
        if self._blocking is not None:
            self._blocking.close()

    # ------------------------------------------------------------------ in its own loop

    async def _tell(self, records: Sequence[CallRecord]) -> Partly | None:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(record: CallRecord) -> str | None:
            async with gate:
                return await self._tell_one(record)

        faults = [why for why in await asyncio.gather(*map(one, records)) if why is not None]
        return Partly(len(faults), faults[0]) if faults else None

    async def _tell_one(self, record: CallRecord) -> str | None:
        """Tell of one call; returns what went wrong."""
        words = NOTHING_SAID if self._fold is None else words_of(record, self._fold)
        seen = occurrence(record, words, nameless=self._nameless)
        why: str | None = None
        for step in self._hooks.steps(seen):
            try:
                async with asyncio.timeout(HOOK_SECONDS):
                    await run_step(step, self._run_blocking)
            except TimeoutError:
                why = f"a method took longer than {HOOK_SECONDS:g} s"
            except Exception as exc:  # noqa: BLE001 - whatever an operator's class raises
                why = f"{type(exc).__name__}: {exc}"
        return why

    async def _run_blocking(self, hook: Hook, arguments: tuple[object, ...]) -> object:
        if self._blocking is None:
            raise RuntimeError("the logger's threads have ended")
        return await self._blocking.run(hook, arguments)


def _forget(waiting: asyncio.Future[Partly | None]) -> None:
    """Take note of an outcome that nobody waits for any more."""
    if not waiting.cancelled():
        waiting.exception()


class _LoopThread:
    """An event loop in a thread of its own."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        # A daemon: a method that never returns must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[object, object, Result]) -> concurrent.futures.Future[Result]:
        """Run a coroutine in it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """End it once it is free."""
        with contextlib.suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._loop.stop)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        finally:
            self._loop.close()


class _Worker:
    """A thread that calls one thing after the other."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: list[_Job] = []
        self._news = threading.Condition()
        self._closed = False
        threading.Thread(target=self._work, name=name, daemon=True).start()

    async def run(self, hook: Hook, arguments: tuple[object, ...]) -> object:
        """Call something and wait for it; what waits too long before it is not called."""
        job = _Job(hook, arguments, concurrent.futures.Future())
        with self._news:
            # What nobody waits for any more goes, or a method that hangs would fill the memory.
            self._jobs = [each for each in self._jobs if not each.future.cancelled()]
            self._jobs.append(job)
            self._news.notify()
        return await asyncio.wrap_future(job.future)

    def close(self) -> None:
        """End it once it is free."""
        with self._news:
            self._closed = True
            self._news.notify()

    def _work(self) -> None:
        while True:
            with self._news:
                while not self._jobs and not self._closed:
                    self._news.wait()
                if self._closed:
                    return
                job = self._jobs.pop(0)
            job.run()


class _Job:
    """One call, and where its result goes."""

    __slots__ = ("_arguments", "_hook", "future")

    def __init__(
        self,
        hook: Hook,
        arguments: tuple[object, ...],
        future: concurrent.futures.Future[object],
    ) -> None:
        self._hook = hook
        self._arguments = arguments
        self.future = future

    def run(self) -> None:
        """Make the call."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self.future.set_result(self._hook(*self._arguments))
        except BaseException as exc:  # noqa: BLE001 - it is told to whoever waits
            self.future.set_exception(exc)
