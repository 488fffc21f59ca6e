"""A database's work is done in its own thread, in time or not at all."""

from __future__ import annotations

import asyncio
import gc
import threading
import time

import pytest

from tiergate.ports import StoreDownError
from tiergate.stores.sql_session import SqlBusyError, SqlFaultError, SqlValueError
from tiergate.stores.sql_thread import SqlThread


class Session:
    """A connection that does nothing; `abort` ends what waits on it."""

    def __init__(self) -> None:
        self.aborted = threading.Event()
        self.closed = 0

    def abort(self) -> None:
        self.aborted.set()

    def close(self) -> None:
        self.closed += 1


class Maker:
    """Makes sessions; fails as often as told."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.made: list[Session] = []

    def __call__(self) -> Session:
        if self.failures:
            self.failures -= 1
            raise SqlFaultError("refused")
        self.made.append(Session())
        return self.made[-1]


def failing(times: int, error: type[Exception] = SqlFaultError):
    """Work that fails some times and then says which session it was given."""
    left = [times]

    def work(session):
        if left[0]:
            left[0] -= 1
            raise error("broken")
        return session

    return work


def stuck(session):
    """Work that waits until it is broken off."""
    assert session.aborted.wait(10)
    raise SqlFaultError("broken off")


async def test_it_connects_with_the_first_work_and_stays_off_the_loop():
    make = Maker()
    thread = SqlThread("DB", make)
    assert make.made == []

    used = await thread.run(lambda session: (session, threading.current_thread()), 5)

    assert used[0] is make.made[0]
    assert used[1] is not threading.current_thread()
    assert (await thread.run(lambda session: session, 5)) is make.made[0]
    await thread.aclose(5)
    assert make.made[0].closed == 1


async def test_an_old_connection_that_fails_is_made_anew_once():
    old, make = Session(), Maker()
    thread = SqlThread("DB", make, old)

    assert await thread.run(failing(1), 5) is make.made[0]
    assert old.closed == 1
    with pytest.raises(StoreDownError, match=r"^DB: broken$"):
        await thread.run(failing(2), 5)
    assert len(make.made) == 2
    assert await thread.run(failing(0), 5) is make.made[2]
    await thread.aclose(5)


async def test_a_new_connection_that_fails_is_a_failure():
    make = Maker()
    thread = SqlThread("DB", make)

    with pytest.raises(StoreDownError, match="broken"):
        await thread.run(failing(1), 5)

    assert [session.closed for session in make.made] == [1]
    await thread.aclose(5)


async def test_who_waited_for_others_in_vain_does_not_wait_again():
    make = Maker()
    thread = SqlThread("DB", make, Session())

    with pytest.raises(StoreDownError, match="broken"):
        await thread.run(failing(1, SqlBusyError), 5)

    assert make.made == []
    await thread.aclose(5)


async def test_nobody_there_is_said_and_tried_again_with_the_next_work():
    make = Maker(failures=1)
    thread = SqlThread("DB", make)

    with pytest.raises(StoreDownError, match=r"^DB: refused$"):
        await thread.run(failing(0), 5)

    assert await thread.run(failing(0), 5) is make.made[0]
    await thread.aclose(5)


@pytest.mark.parametrize("error", [ZeroDivisionError, ValueError])
async def test_an_error_of_the_asker_leaves_the_connection_alone(error):
    session = Session()
    thread = SqlThread("DB", Maker(), session)

    with pytest.raises(error):
        await thread.run(failing(1, error), 5)

    assert await thread.run(failing(0), 5) is session
    await thread.aclose(5)


async def test_a_value_that_cannot_be_kept_leaves_the_connection_alone():
    session = Session()
    thread = SqlThread("DB", Maker(), session)

    with pytest.raises(StoreDownError, match="broken"):
        await thread.run(failing(1, SqlValueError), 5)

    assert await thread.run(failing(0), 5) is session
    await thread.aclose(5)


async def test_work_that_takes_too_long_is_broken_off_and_not_done_again():
    session, make = Session(), Maker()
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
    thread = SqlThread("DB", make, session)

    with pytest.raises(StoreDownError, match=r"^DB did not answer within 0\.05 seconds$"):
        await thread.run(stuck, 0.05)

    assert await thread.run(failing(0), 5) is make.made[0]
    assert session.closed == 1
    await thread.aclose(5)
    gc.collect()
    assert complaints == []


async def test_a_job_whose_asker_is_cancelled_before_its_turn_is_never_begun():
    session = Session()
    thread = SqlThread("DB", Maker(), session)
    first = asyncio.create_task(thread.run(lambda session: session.aborted.wait(10), 5))
    begun: list[object] = []
    second = asyncio.create_task(thread.run(begun.append, 5))
    await asyncio.sleep(0.02)

    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    session.abort()
    await first

    await thread.run(failing(0), 5)
    assert begun == []
    await thread.aclose(5)


async def test_time_spent_in_the_queue_counts_and_what_is_late_is_never_begun():
    session = Session()
    thread = SqlThread("DB", Maker(), session)
    first = asyncio.create_task(thread.run(lambda session: session.aborted.wait(10), 5))
    await asyncio.sleep(0.02)
    begun: list[object] = []

    with pytest.raises(StoreDownError):
        await thread.run(begun.append, 0.05)

    assert not session.aborted.is_set(), "somebody else's work is not broken off"
    session.abort()
    assert await first is True
    await thread.run(failing(0), 5)
    assert begun == []
    await thread.aclose(5)


async def test_closing_breaks_off_what_does_not_end():
    session = Session()
    thread = SqlThread("DB", Maker(), session)
    task = asyncio.create_task(thread.run(stuck, 5))
    await asyncio.sleep(0.02)

    start = time.monotonic()
    await thread.aclose(0.05)
    assert time.monotonic() - start < 1
    with pytest.raises(StoreDownError):
        await task


async def test_nothing_can_be_asked_after_closing():
    thread = SqlThread("DB", Maker())
    await thread.aclose(5)
    await thread.aclose(5)

    with pytest.raises(StoreDownError, match="DB is closed"):
        await thread.run(failing(0), 5)
