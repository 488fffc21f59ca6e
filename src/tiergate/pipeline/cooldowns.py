"""Keeps the cooldown marks of a worker, and shares them with the other workers and replicas.

What marks mean is decided in `core.cooldown`, how they are shared in `core.shared_marks`. A worker
acts on what it has seen at once and tells the others behind the calls; what the others have seen
it learns within half a second. One thing alone waits for the store: the one call that may try out
a deployment whose cooldown is over, so that of all workers one tries. While the store does not
answer, each worker decides by what it knows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec

from tiergate.base.errors import Failure
from tiergate.base.values import DeploymentId
from tiergate.core import cooldown
from tiergate.core.cooldown import Book, Mark, Rule
from tiergate.core.shared_marks import Played, Record, Step, lengthened, play, taken
from tiergate.pipeline.errands import Errands
from tiergate.ports import Clock, Documents, Seen, StoreDownError

LOG = logging.getLogger("tiergate.cooldowns")

DOCUMENT: Final = "cooldown:marks"
"""The document with the marks of all deployments."""

LOOK_SECONDS: Final = 0.5
"""How often a worker looks for what others have seen."""

PAUSE_SECONDS: Final = 0.02
"""Between two writes, so that a storm of failures is a few writes and not one for each."""

PROBE_SECONDS: Final = 0.25
"""For so long a probe waits for the word of the store; then it goes out on this worker's own."""

MOST_UNTOLD: Final = 1000
"""Steps that wait for the store; of more the oldest are forgotten."""

START_SECONDS: Final = 5.0
"""For so long the start waits for the store."""

Tell = Callable[[DeploymentId, Failure, float], None]
Learn = Callable[[DeploymentId, float], None]

_record = msgspec.json.Decoder(Record)
_encode = msgspec.json.encode


def _unheard(_deployment: DeploymentId, _seconds: float) -> None:
    """Nobody wants to know."""


@dataclass(slots=True, eq=False)
class _Untold:
    """A step that the others do not know yet.

    Attributes:
        step: It.
        failure: Why, if it is a failure.
        began: Seconds for which it has set the deployment aside, as far as this worker knows.
        told: Whether the observer has heard of that.
        admitted: Becomes what the store says to a probe.
    """

    step: Step
    failure: Failure | None = None
    began: float = 0.0
    told: bool = False
    admitted: asyncio.Future[bool] | None = None


class Cooldowns:
    """The marks of all deployments; outlives reloads.

    Args:
        documents: What is shared with other workers; None: this worker is alone.
        clock: Monotonic seconds, the clock of the marks.
        wall: Unix seconds.
        tell: Is told of each cooldown that begins, by one of all workers: deployment, the last
            failure, seconds.
        learn: Is told of marks that others have made: deployment, and seconds until the cooldown
            ends (0: the deployment is well again).
    """

    def __init__(
        self,
        documents: Documents | None,
        clock: Clock,
        wall: Clock,
        tell: Tell,
        learn: Learn = _unheard,
    ) -> None:
        self._documents = documents
        self._clock = clock
        self._wall = wall
        self._tell = tell
        self._learn = learn
        self._book = Book()
        self._record = Record()
        self._untold: list[_Untold] = []
        self._errands: Errands[None] = Errands()
        self._carrier: asyncio.Task[None] | None = None
        self._watcher: asyncio.Task[None] | None = None
        # What is read must not be taken over after what was written later.
        self._turn = asyncio.Lock()
        self._down = False
        self.marks = self._book.marks
        """By deployment; always the present ones, and always the same mapping."""

    # ------------------------------------------------------------------ calls

    def failed(self, deployment: DeploymentId, rule: Rule, failure: Failure, now: float) -> None:
        """Note a failed call."""
        before = self.marks.get(deployment)
        after = self._book.failed(deployment, rule, failure, now)
        if after is before:
            return
        began = lengthened(before, after, now)
        if self._documents is None:
            if began:
                self._tell(deployment, failure, began)
            return

        def change(mark: Mark | None, at: float) -> Mark | None:
            return cooldown.failed(mark, rule, failure, at)

        step = self._step(deployment, now, change, fails=True)
        self._note(_Untold(step, failure, began))

    def succeeded(self, deployment: DeploymentId, rule: Rule, now: float) -> None:
        """Note a call that brought an answer, or the first content of one."""
        before = self.marks.get(deployment)
        if before is None:
            return
        self._book.succeeded(deployment, rule, now)
        # Failures that are older than a minute, others forget by themselves.
        clears = before.until or (rule.forgiving and before.fails)
        if clears and self.marks.get(deployment) is not before and self._documents is not None:

            def change(mark: Mark | None, at: float) -> Mark | None:
                return cooldown.succeeded(mark, rule, at)

            self._note(_Untold(self._step(deployment, now, change)))

    async def may_probe(self, deployment: DeploymentId, rule: Rule, now: float) -> bool:
        """Ask whether a call may try out a deployment whose cooldown is over.

        Whoever may must end with `failed`, `succeeded` or `released`.

        Returns:
            False when another call, maybe of another worker, tries it, or has found that it does
            not serve yet; the marks say so by now.
        """
        if self._documents is None or self._down:
            self._book.called(deployment, rule, now)
            return True
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        step = self._step(deployment, now, partial(_probed, rule), probes=True)
        asked = _Untold(step, admitted=answer)
        self._book.called(deployment, rule, now)  # no other call of this worker need ask
        self._untold.append(asked)
        self._errands.begin(self._exchange())
        try:
            await asyncio.wait((answer,), timeout=PROBE_SECONDS)
        except asyncio.CancelledError:
            self.released(deployment)
            raise
        return answer.result() if answer.done() else True

    def released(self, deployment: DeploymentId) -> None:
        """Note that a call ended without saying anything about the deployment, or was not sent."""
        before = self.marks.get(deployment)
        if before is None or not before.probe_until:
            return
        self._book.released(deployment)
        if self._documents is not None:
            self._note(_Untold(self._step(deployment, self._clock(), _released)))

    def forget(self, known: frozenset[DeploymentId]) -> None:
        """Drop the marks of deployments that the configuration has no more."""
        for gone in self.marks.keys() - known:
            del self.marks[gone]

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """Take over what others know, then look for it; inside a running event loop."""
        if self._documents is None or self._watcher is not None:
            return
        try:
            async with asyncio.timeout(START_SECONDS):
                await self.look()
        except TimeoutError:
            self._failed("it did not answer in time")
        self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def look(self) -> None:
        """Take over what others have seen, and tell them what they do not know yet."""
        if self._documents is None:
            return
        if self._untold:
            await self._exchange()
            return
        async with self._turn:
            try:
                found = _read((await self._documents.read([DOCUMENT]))[DOCUMENT])
            except StoreDownError as exc:
                self._failed(str(exc))
                return
            self._answered()
            if found != self._record:
                self._take(found)

    async def aclose(self) -> None:
        """Tell the others what they do not know yet, and look no more."""
        for task in (self._watcher, self._carrier):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._watcher = self._carrier = None
        await self._errands.aclose()
        if self._untold and not self._down:
            await self._exchange()

    # ------------------------------------------------------------------ inside

    def _step(
        self,
        deployment: DeploymentId,
        now: float,
        change: Callable[[Mark | None, float], Mark | None],
        *,
        fails: bool = False,
        probes: bool = False,
    ) -> Step:
        wall = self._wall() - self._clock() + now
        return Step(deployment, now, wall, change, fails=fails, probes=probes)

    def _note(self, untold: _Untold) -> None:
        """Remember what the others do not know, and see to it that they hear of it."""
        self._untold.append(untold)
        del self._untold[:-MOST_UNTOLD]
        if self._down:
            self._tell_alone(untold)
        elif self._carrier is None or self._carrier.done():
            self._carrier = asyncio.get_running_loop().create_task(self._carry())

    async def _carry(self) -> None:
        while self._untold and not self._down:
            await self._exchange()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def _exchange(self) -> None:
        """Make this worker's steps on the shared record, and take that over."""
        async with self._turn:
            untold = tuple(self._untold)
            if not untold or self._documents is None:
                return
            steps, wall = [each.step for each in untold], self._wall()

            def change(seen: Seen) -> tuple[Seen, Played]:
                before = _read(seen[DOCUMENT])
                played = play(before, steps, wall)
                changed = played.record is not before
                return ({DOCUMENT: _encode(played.record)} if changed else {}), played

            try:
                played = await self._documents.update([DOCUMENT], change)
            except StoreDownError as exc:
                self._failed(str(exc))
                return
            self._answered()
            self._untold = [each for each in self._untold if each not in untold]
            self._take(played.record)
            for each, began, admitted in zip(untold, played.began, played.admitted, strict=True):
                if began and each.failure is not None and not each.told:
                    self._tell(each.step.deployment, each.failure, began)
                if each.admitted is not None and not each.admitted.done():
                    each.admitted.set_result(admitted)

    def _take(self, record: Record) -> None:
        """Let the marks be those of a record, with what this worker has seen since."""
        self._record = record
        now = self._clock()
        before = dict(self.marks)
        self.marks.clear()
        self.marks.update(taken(record, now, self._wall()))
        for each in self._untold:
            step = each.step
            known = self.marks.get(step.deployment)
            self._book.put(step.deployment, step.change(known, step.now))
        for name in before.keys() | self.marks.keys():
            known, mark = before.get(name), self.marks.get(name)
            seconds = lengthened(known, mark, now)
            if seconds > _ROUNDING:
                self._learn(name, seconds)
            elif known is not None and known.until and (mark is None or not mark.until):
                self._learn(name, 0.0)

    def _failed(self, why: str) -> None:
        if not self._down:
            LOG.warning(
                "cooldowns are not shared: the store does not answer, and each worker goes by "
                "what it sees itself",
                extra={"why": why},
            )
        self._down = True
        for each in self._untold:
            self._tell_alone(each)

    def _tell_alone(self, untold: _Untold) -> None:
        """Tell of a cooldown, and let a probe go, without the others."""
        if untold.began and untold.failure is not None and not untold.told:
            untold.told = True
            self._tell(untold.step.deployment, untold.failure, untold.began)
        if untold.admitted is not None and not untold.admitted.done():
            untold.admitted.set_result(True)

    def _answered(self) -> None:
        if self._down:
            LOG.info("cooldowns are shared again")
        self._down = False


_ROUNDING: Final = 0.001
"""Seconds by which two translations of one instant may differ."""


def _probed(rule: Rule, mark: Mark | None, now: float) -> Mark | None:
    return cooldown.probed(mark, rule, now)


def _released(mark: Mark | None, now: float) -> Mark | None:
    del now
    return cooldown.released(mark)


def _read(body: bytes | None) -> Record:
    if body is None:
        return Record()
    try:
        return _record.decode(body)
    except msgspec.DecodeError:  # of another version: cooldowns are short, and begin anew
        return Record()
