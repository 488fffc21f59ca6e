"""Run a database's work in a thread of its own, so that no event loop ever waits for it.

Each piece of work has a time limit that counts from when it is asked for. A connection that fails
is made anew, and the work done again once. What the work does is not known here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from tiergate.ports import StoreDownError
from tiergate.stores.sql_session import SqlBusyError, SqlFaultError, SqlSession, SqlValueError

T = TypeVar("T")

_TURN_SECONDS = 0.01
_GAP_SECONDS = 0.0001

Work = Callable[[SqlSession], T]
"""What is to be done with a session; it may be done twice."""


class _Job(Generic[T]):
    """One piece of work."""

    def __init__(self, work: Work[T]) -> None:
        self.work = work
        self.given_up = False


class SqlThread:
    """One connection and the thread that uses it; both begin with the first work.

    Args:
        place: What is connected to, for messages: `PostgreSQL at host:5432/name`.
        connect: Makes a connection; raises `SqlFaultError`.
        session: A connection that there is already.
    """

    def __init__(
        self,
        place: str,
        connect: Callable[[], SqlSession],
        session: SqlSession | None = None,
    ) -> None:
        self._place = place
        self._connect = connect
        self._session = session
        self._job: object = None
        self._over = False
        self._executor = ThreadPoolExecutor(1, "tiergate-sql")

    async def run(self, work: Work[T], seconds: float) -> T:
        """Do some work, after what was asked for earlier.

        Args:
            work: Runs in the thread.
            seconds: The most it may take, the wait for its turn included.

        Raises:
            StoreDownError: The database failed, or did not answer in time.
        """
        job = _Job(work)
        try:
            future = self._executor.submit(self._do, job)
        except RuntimeError as exc:
            raise StoreDownError(f"{self._place} is closed") from exc
        try:
            async with asyncio.timeout(seconds):
                return await _done(asyncio.wrap_future(future))
        except TimeoutError as exc:
            self._give_up(job)
            what = f"{self._place} did not answer within {seconds:g} seconds"
            raise StoreDownError(what) from exc
        except (SqlFaultError, SqlValueError) as exc:
            raise StoreDownError(f"{self._place}: {exc}") from exc
        finally:
            future.cancel()  # what has not begun never will

    async def aclose(self, seconds: float) -> None:
        """Close the connection after the work that runs; what still runs then is broken off.

        Closing twice does nothing.
        """
        try:
            future = self._executor.submit(self._drop)
        except RuntimeError:
            return
        self._executor.shutdown(wait=False)
        try:
            async with asyncio.timeout(seconds):
                await asyncio.wrap_future(future)
        except TimeoutError:
            self._over = True
            if (session := self._session) is not None:
                session.abort()

    def _give_up(self, job: _Job[T]) -> None:
        job.given_up = True
        session = self._session
        if self._job is job and session is not None:
            session.abort()

    def _do(self, job: _Job[T]) -> T:
        self._job = job
        try:
            return self._try(job)
        finally:
            self._job = None

    def _try(self, job: _Job[T]) -> T:
        """Do a job; again with a new connection where an old one fails.

        A connection that has been idle for long may have died unseen, with its server or with a
        firewall's patience.
        """
        session = self._session
        if session is not None:
            try:
                return job.work(session)
            except SqlFaultError as exc:
                self._drop()
                if job.given_up or self._over or isinstance(exc, SqlBusyError):
                    raise
        session = self._session = self._connect()
        try:
            return job.work(session)
        except SqlFaultError:
            self._drop()
            raise

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()


async def _done(future: asyncio.Future[T]) -> T:
    """Wait for what a thread does, and let it run.

    A busy event loop lets go of the interpreter's lock for a moment in each of its turns. That
    wakes a thread that waits for the lock, and is over before the thread can take it; a thread
    that was woken begins its wait anew, and may go without the lock for seconds (measured: 10 s
    for an append of 15 ms). A short sleep is long enough for it.
    """
    try:
        while not future.done():
            await asyncio.wait((future,), timeout=_TURN_SECONDS)
            if not future.done():
                time.sleep(_GAP_SECONDS)  # noqa: ASYNC251 - to let go of the interpreter's lock
    finally:
        future.cancel()  # nobody asks for its error any more
    return future.result()
