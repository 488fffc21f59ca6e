"""Keeps answers in a store outside the process, and never lets a request suffer by it.

A request waits for the store a short time at most. A store that does not answer in that time is
left alone: nothing is asked of it but whether it is there again, by a task of its own. What is
the same for all such stores is here: the time limit, the form of the bytes, the log. How one of
them reads and writes bytes is its own matter.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from tiergate.ports import Clock, StoredAnswer, StoreDownError, StoreFigures
from tiergate.stores.answer_packing import HEAVY, Seal, pack, pack_aside, unpack, unpack_aside

LOG = logging.getLogger("tiergate.cache")

T = TypeVar("T")

PROBE_SECONDS = 1.0
"""How often a store that is down is asked whether it is there again, while nobody needs it."""

NUDGED_SECONDS = 0.1
"""How often it is asked while requests look for answers."""

WRITE_SECONDS = 2.0
"""How long writing may take; no request waits for it."""

LONG_SECONDS = 30.0
"""How long it may take to forget a namespace, or to count answers."""


class Bytes(Protocol):
    """A store of bytes. Every method raises `StoreDownError`, and may be cancelled at any time."""

    @property
    def kind(self) -> str:
        """The word in the file: `redis`, `disk`, `s3`."""
        ...

    @property
    def place(self) -> str:
        """Where it is, in words for people; without logins."""
        ...

    async def read(self, key: str) -> bytes | None:
        """Return the bytes of a key; None where there are none."""
        ...

    def begin(self, key: str, seconds: float) -> Awaitable[object] | None:
        """Begin to do as `read` without a task, and with this time limit.

        Returns:
            What gives the bytes, or anything else where there are none; None if that cannot be
            done here or now.
        """
        ...

    async def write(self, key: str, data: bytes, seconds: float) -> None:
        """Keep bytes for some time, or longer where the store cannot forget by itself."""
        ...

    def post(
        self, key: str, data: bytes, seconds: float, done: Callable[[str | None], None]
    ) -> bool:
        """Begin to do as `write` without a task; `done` is told once why it failed, or None.

        Returns:
            False if that cannot be done here or now; `done` is not called then.
        """
        ...

    async def remove(self, keys: Sequence[str]) -> int:
        """Forget keys; returns how many there were, or may have been."""
        ...

    async def clear(self, namespace: str) -> int:
        """Forget the answers of a namespace (`core.caching.is_key`), and nothing else."""
        ...

    async def ping(self) -> None:
        """Return if the store works."""
        ...

    async def figures(self) -> StoreFigures:
        """Return what it can say of itself."""
        ...

    async def aclose(self) -> None:
        """Give back connections."""
        ...


class GuardedAnswers:
    """Implements `ports.AnswerStore` over a store of bytes.

    Args:
        store: Where the bytes are.
        wait: Seconds that a request waits for it at most.
        wall: Unix seconds.
        seal: Makes the answers unreadable in the store.
    """

    def __init__(self, store: Bytes, wait: float, wall: Clock, seal: Seal | None = None) -> None:
        self._store = store
        self._wait = wait
        self._wall = wall
        self._seal = seal
        self._why: str | None = None
        self._since = 0.0
        self._errors = 0
        self._prober: asyncio.Task[None] | None = None
        self._nudge = asyncio.Event()

    @property
    def fault(self) -> str | None:
        """Why the store does not work; None while it does."""
        return self._why

    async def get(self, key: str) -> StoredAnswer | None:
        """Return an answer; see `ports.AnswerStore.get`."""
        if self._why is not None:
            self._nudge.set()
            return None
        begun = self._store.begin(key, self._wait)
        try:
            if begun is not None:
                packed = await begun
            else:
                async with asyncio.timeout(self._wait):
                    packed = await self._store.read(key)
        except TimeoutError:
            self._down(self._late(self._wait))
            return None
        except StoreDownError as exc:
            self._down(str(exc) if begun is None else f"{self._store.place}: {exc}")
            return None
        if not isinstance(packed, bytes):
            return None
        if len(packed) < HEAVY:
            return unpack(key, packed, self._seal)
        return await unpack_aside(key, packed, self._seal)

    async def put(self, key: str, answer: StoredAnswer) -> None:
        """Keep an answer; see `ports.AnswerStore.put`."""
        seconds = answer.expires - self._wall()
        if self._why is not None or seconds <= 0:
            return
        data = await pack_aside(key, answer, self._seal)
        await self._ask(self._store.write(key, data, seconds), WRITE_SECONDS)

    def post(self, key: str, answer: StoredAnswer, done: Callable[[], None]) -> bool:
        """Begin to keep a small answer; see `ports.AnswerStore.post`."""
        seconds = answer.expires - self._wall()
        if self._why is not None or seconds <= 0:
            done()
            return True

        def posted(fault: str | None) -> None:
            if fault is not None:
                self._down(fault)
            done()

        return self._store.post(key, pack(key, answer, self._seal), seconds, posted)

    async def delete(self, keys: Sequence[str]) -> int | None:
        """Forget answers; see `ports.AnswerStore.delete`."""
        return await self._ask(self._store.remove(keys), LONG_SECONDS)

    async def clear(self, namespace: str) -> int | None:
        """Forget all answers of a namespace; see `ports.AnswerStore.clear`."""
        return await self._ask(self._store.clear(namespace), LONG_SECONDS)

    async def ping(self) -> str | None:
        """Ask the store whether it works now; see `ports.AnswerStore.ping`."""
        try:
            async with self._limit(self._wait):
                await self._store.ping()
        except StoreDownError as exc:
            self._down(str(exc))
            return str(exc)
        self._up()
        return None

    async def figures(self) -> StoreFigures:
        """Return what the store says of itself; see `ports.AnswerStore.figures`."""
        found: StoreFigures | None = None
        if self._why is None:
            found = await self._ask(self._store.figures(), LONG_SECONDS)
        if found is None:
            found = StoreFigures(kind=self._store.kind, place=self._store.place)
        return replace(found, fault=self._why, errors=self._errors)

    async def aclose(self) -> None:
        """Give back connections; see `ports.AnswerStore.aclose`."""
        if self._prober is not None:
            self._prober.cancel()
            await asyncio.gather(self._prober, return_exceptions=True)
        with contextlib.suppress(StoreDownError):
            async with self._limit(WRITE_SECONDS):
                await self._store.aclose()

    # ------------------------------------------------------------------ inside

    async def _ask(self, work: Coroutine[object, object, T], seconds: float) -> T | None:
        """Do what no request waits for; None where the store does not do it."""
        try:
            async with self._limit(seconds):
                return await work
        except StoreDownError as exc:
            self._down(str(exc))
            return None

    @contextlib.asynccontextmanager
    async def _limit(self, seconds: float) -> AsyncGenerator[None]:
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise StoreDownError(self._late(seconds)) from None

    def _late(self, seconds: float) -> str:
        return f"{self._store.place} did not answer within {seconds:g} seconds"

    def _down(self, why: str) -> None:
        self._errors += 1
        if self._why is not None:
            return
        self._why = why
        self._since = self._wall()
        LOG.warning("cache is down; calls go to providers meanwhile", extra={"why": why})
        if self._prober is None or self._prober.done():
            self._prober = asyncio.get_running_loop().create_task(self._probe())

    def _up(self) -> None:
        if self._why is not None:
            seconds = round(self._wall() - self._since, 1)
            self._why = None
            LOG.warning("cache answers again", extra={"seconds": seconds})

    async def _probe(self) -> None:
        """Ask until the store answers as fast as requests need it."""
        while self._why is not None:
            await asyncio.sleep(NUDGED_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PROBE_SECONDS - NUDGED_SECONDS):
                    await self._nudge.wait()
            self._nudge.clear()
            try:
                async with self._limit(self._wait):
                    await self._store.ping()
            except StoreDownError as exc:
                self._why = str(exc)
            else:
                self._up()
