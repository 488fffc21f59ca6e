"""Watches calls and cooldowns for troubles that people should hear of, once over all workers.

What is a trouble, and when it is over, `core.alarms` decides. Workers and replicas share what was
told through the documents: whoever is first tells. While their store is down each tells for
itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from tiergate.base.errors import Failure
from tiergate.base.values import DeploymentId, Dialect, Operation
from tiergate.core.alarms import AGAIN, CALM, Alarm, AlarmKind, Board, Subject
from tiergate.core.alerts import BudgetAlert
from tiergate.core.catalog import Deployment
from tiergate.core.cost import Price
from tiergate.core.drift import Difference
from tiergate.core.record import CallRecord, Outcome
from tiergate.pipeline.errands import Errands
from tiergate.ports import Clock, Documents, Seen, StoreDownError

LOG = logging.getLogger("tiergate.alarms")

LOOK_SECONDS: Final = 5.0
"""How often it is looked whether a trouble is over."""

STALE_SECONDS: Final = 86_400.0
"""A trouble that was told so long ago is told again."""

PREFIX: Final = "alarm:"
"""Of the documents in which is what was told."""

MOST_UNDER_WAY: Final = 200
"""Alarms on their way at the same time; more are not told."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What a configuration says that alarms need.

    Attributes:
        deployments: All that are used.
        kinds: The kinds of alarms that somebody gets.
        slow_seconds: From here on a call is slow.
        priced: The price of a deployment.
    """

    deployments: Sequence[Deployment]
    kinds: frozenset[AlarmKind]
    slow_seconds: float
    priced: Callable[[DeploymentId], Price | None]


class Alarms:
    """Implements `ports.Observer`.

    Args:
        documents: Shared with all workers and replicas.
        clock: Monotonic seconds.
        wall: Unix seconds.
        tell: Sends an alarm; it must be quick.
    """

    def __init__(
        self, documents: Documents, clock: Clock, wall: Clock, tell: Callable[[Alarm], None]
    ) -> None:
        self._documents = documents
        self._clock = clock
        self._wall = wall
        self._tell = tell
        self._board = Board()
        self._cooling: dict[DeploymentId, float] = {}
        self._watched = Watched((), frozenset(), 0.0, lambda _: None)
        self._by_alias: Mapping[str, tuple[Deployment, ...]] = {}
        self._by_provider: Mapping[str, tuple[Deployment, ...]] = {}
        self._dearer: dict[tuple[str, str], bool] = {}
        self._errands: Errands[None] = Errands()
        self._looking: asyncio.Task[None] | None = None

    def configure(self, watched: Watched) -> None:
        """Watch this configuration from now on; troubles of what is gone are forgotten."""
        used = [each for each in watched.deployments if each.off is None]
        self._watched = watched
        self._by_alias = _grouped([(str(each.alias), each) for each in used])
        self._by_provider = _grouped([(each.provider, each) for each in used])
        self._dearer = {}
        known = frozenset(each.id for each in used)
        self._cooling = {name: until for name, until in self._cooling.items() if name in known}
        gone = self._board.forget(AlarmKind.COOLDOWN, frozenset(map(str, known)))
        named = {f"alias {name}" for name in self._by_alias}
        named |= {f"provider {name}" for name in self._by_provider}
        gone += self._board.forget(AlarmKind.OUTAGE, frozenset(named))
        for subject in gone:
            self._go(self._drop(subject))

    async def start(self) -> None:
        """Take over the troubles that were told before this process began."""
        try:
            found = await self._documents.scan(PREFIX)
        except StoreDownError as exc:
            LOG.warning("what was alarmed before is not known", extra={"why": str(exc)})
            return
        for key, text in found:
            subject = _subject(key)
            if subject is not None and _told(text).on:
                self._board.raised(subject, self._clock())
        self._look()

    async def aclose(self) -> None:
        """Watch no more; what is on its way goes out."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self._errands.settle()

    # ------------------------------------------------------------------ events

    def began(self) -> None:
        """Nothing is known yet."""

    def declined(self, record: CallRecord) -> None:
        """The record of the request tells of it."""

    def refused(self, dialect: Dialect, operation: Operation, status: int, wall: float) -> None:
        """What callers do wrong alarms nobody."""

    def attempt_failed(self, deployment: Deployment, failure: Failure) -> None:
        """Single attempts alarm nobody."""

    def alerted(self, alert: BudgetAlert) -> None:
        """A budget has passed a mark; it is told once by whoever finds that."""

    def raised(self, alarm: Alarm) -> None:
        """Tell of something that was told nowhere else, such as a budget's mark."""
        if alarm.subject.kind in self._watched.kinds:
            self._tell(alarm)

    def cooled(self, deployment: Deployment, failure: Failure, seconds: float) -> None:
        """A deployment has begun to cool; maybe it was the last of its alias or provider."""
        now = self._clock()
        self._cooling[deployment.id] = now + seconds
        alias, provider = str(deployment.alias), deployment.provider
        of_alias = self._all_cool(self._by_alias, alias, now)
        of_provider = self._all_cool(self._by_provider, provider, now)
        cause = f"The last failure was {failure.status} {failure.kind.value}."
        if of_provider:
            self._trouble(
                Subject(AlarmKind.OUTAGE, f"provider {provider}"),
                f"Nothing of the provider {provider} answers; set aside: {_names(of_provider)}. "
                f"{cause}",
            )
        if of_alias and not (of_provider and all(d.provider == provider for d in of_alias)):
            self._trouble(
                Subject(AlarmKind.OUTAGE, f"alias {alias}"),
                f"Nobody serves the alias {alias}; set aside: {_names(of_alias)}. {cause}",
            )
        if not of_alias and not of_provider:
            self._trouble(
                Subject(AlarmKind.COOLDOWN, str(deployment.id)),
                f"{_names((deployment,))} is set aside for {seconds:g} s; others serve its "
                f"calls. {cause}",
            )

    def learned(self, deployment: DeploymentId, seconds: float) -> None:
        """Another worker has found that a deployment fails (for so long it cools), or is well."""
        if seconds:
            self._cooling[deployment] = self._clock() + seconds
        else:
            self._cooling.pop(deployment, None)

    def ended(self, record: CallRecord) -> None:
        """A request is over: somebody is well again, or it was slow, or dearer than asked."""
        deployment = record.deployment
        if deployment is None or record.cache or record.outcome is not Outcome.SUCCESS:
            return
        if self._cooling:
            self._cooling.pop(deployment.id, None)
        if record.seconds >= self._watched.slow_seconds:
            self._event(
                Subject(AlarmKind.SLOW, f"alias {record.asked}"),
                f"A call of the alias {record.asked} took {record.seconds:.0f} s at "
                f"{deployment.id} (call {record.call_id}).",
            )
        if record.fallbacks and self._is_dearer(record.asked, deployment):
            self._trouble(
                Subject(AlarmKind.FALLBACK, record.asked),
                f"Calls of the alias {record.asked} are served by {deployment.alias}, which "
                f"costs more ({deployment.id}).",
            )
        elif not self._board.quiet:
            self._is_well(record, deployment)

    def drifted(self, name: str, alias: str, phase: str, difference: Difference) -> None:
        """The prefix of prompts has changed, so that a provider's cache is lost."""
        hint = f"; it looks like a {difference.hint}" if difference.hint else ""
        work = f" in phase {phase}" if phase else ""
        self._event(
            Subject(AlarmKind.DRIFT, f"{name} {alias} {phase}".rstrip()),
            f"The prompts of {name} for {alias}{work} no longer begin as before: "
            f"{difference.part.value} {difference.number} was {difference.change.value}{hint}. "
            "The provider's prompt cache is lost from there on.",
        )

    # ------------------------------------------------------------------ inside

    def _is_well(self, record: CallRecord, deployment: Deployment) -> None:
        now = self._clock()
        well = self._board.well
        well(Subject(AlarmKind.COOLDOWN, str(deployment.id)), now)
        well(Subject(AlarmKind.OUTAGE, f"alias {deployment.alias}"), now)
        well(Subject(AlarmKind.OUTAGE, f"provider {deployment.provider}"), now)
        if not record.fallbacks:
            well(Subject(AlarmKind.FALLBACK, record.asked), now)

    def _all_cool(
        self, groups: Mapping[str, tuple[Deployment, ...]], name: str, now: float
    ) -> tuple[Deployment, ...]:
        """Return the deployments of a group if none has served since it cooled; else nothing.

        One whose cooldown is over for long, and that nobody has asked since, is not counted.
        """
        group = groups.get(name, ())
        since = now - CALM
        return group if all(self._cooling.get(each.id, since) > since for each in group) else ()

    def _is_dearer(self, asked: str, deployment: Deployment) -> bool:
        """Tell whether a deployment costs more than all of the alias asked."""
        key = (asked, str(deployment.id))
        known = self._dearer.get(key)
        if known is None:
            own = self._cost(deployment)
            costs = [self._cost(each) for each in self._by_alias.get(asked, ())]
            found = [cost for cost in costs if cost is not None]
            known = own is not None and bool(found) and own > max(found)
            self._dearer[key] = known
        return known

    def _cost(self, deployment: Deployment) -> int | None:
        price = self._watched.priced(deployment.id)
        return None if price is None else _per_tokens(price)

    def _trouble(self, subject: Subject, text: str) -> None:
        if subject.kind not in self._watched.kinds:
            return
        if self._board.raised(subject, self._clock()):
            self._go(self._claim_trouble(Alarm(subject, text)))
        self._look()

    def _event(self, subject: Subject, text: str) -> None:
        if subject.kind not in self._watched.kinds:
            return
        untold = self._board.happened(subject, self._clock())
        if untold is not None:
            more = f" It happened {untold} times more in the hour before." if untold else ""
            self._go(self._claim_event(Alarm(subject, text + more)))

    def _go(self, work: Coroutine[object, object, None]) -> None:
        if len(self._errands) >= MOST_UNDER_WAY:
            work.close()
        else:
            self._errands.begin(work)

    def _look(self) -> None:
        if not self._board.quiet and (self._looking is None or self._looking.done()):
            self._looking = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        """Look now and then whether a trouble is over, until none is left."""
        while not self._board.quiet:
            await asyncio.sleep(LOOK_SECONDS)
            for subject, seconds in self._board.over(self._clock()):
                self._go(self._claim_end(Alarm(subject, _over(subject, seconds), over=True)))

    # ------------------------------------------------------------------ once over all workers

    async def _claim_trouble(self, alarm: Alarm) -> None:
        wall = self._wall()
        await self._claim(
            alarm, lambda told: not told.on or wall - told.at >= STALE_SECONDS, on=True
        )

    async def _claim_end(self, alarm: Alarm) -> None:
        await self._claim(alarm, lambda told: told.on, on=False)

    async def _claim_event(self, alarm: Alarm) -> None:
        wall = self._wall()
        await self._claim(alarm, lambda told: wall - told.at >= AGAIN, on=False)

    async def _drop(self, subject: Subject) -> None:
        """Take back that a trouble is on whose subject is gone; nobody need hear of that."""
        with contextlib.suppress(StoreDownError):
            await self._documents.update([_key(subject)], lambda _: ({_key(subject): None}, None))

    async def _claim(self, alarm: Alarm, wanted: Callable[[_Told], bool], *, on: bool) -> None:
        """Tell an alarm if nobody else has; what is told stands in a document."""
        key = _key(alarm.subject)
        state = msgspec.json.encode(_Told(on=on, at=self._wall()))

        def change(seen: Seen) -> tuple[Seen, bool]:
            return ({key: state}, True) if wanted(_told(seen[key])) else ({}, False)

        try:
            first = await self._documents.update([key], change)
        except StoreDownError:
            first = True
        if first:
            self._tell(alarm)


class _Told(msgspec.Struct, frozen=True):
    """What was told of a subject: that a trouble is on, or over, or an event; and when."""

    on: bool = False
    at: float = 0.0


_NEVER: Final = _Told()


def _told(text: bytes | None) -> _Told:
    if text is None:
        return _NEVER
    try:
        return msgspec.json.decode(text, type=_Told)
    except msgspec.MsgspecError:  # of another version
        return _NEVER


def _key(subject: Subject) -> str:
    return f"{PREFIX}{subject.kind.value}:{subject.name}"


def _subject(key: str) -> Subject | None:
    """Return what a document is about."""
    kind, _, name = key.removeprefix(PREFIX).partition(":")
    try:
        return Subject(AlarmKind(kind), name)
    except ValueError:
        return None


def _grouped(pairs: Iterable[tuple[str, Deployment]]) -> dict[str, tuple[Deployment, ...]]:
    groups: dict[str, list[Deployment]] = {}
    for name, deployment in pairs:
        groups.setdefault(name, []).append(deployment)
    return {name: tuple(group) for name, group in groups.items()}


def _names(deployments: Sequence[Deployment]) -> str:
    named = [f"{each.alias}/{each.id}" for each in deployments[:_MOST_NAMES]]
    if len(deployments) > _MOST_NAMES:
        named.append(f"and {len(deployments) - _MOST_NAMES} more")
    return ", ".join(named)


_MOST_NAMES: Final = 5


def _per_tokens(price: Price) -> int:
    """Return what a token in and a token out cost; answers are mostly shorter than prompts."""
    return _PROMPT_PARTS * price.rates.input + price.rates.output


_PROMPT_PARTS: Final = 3
"""Tokens of a prompt for one of the answer, when prices of models are compared."""


def _over(subject: Subject, seconds: float) -> str:
    """Say that a trouble has ended, and how long it was."""
    lasted = f"after {_length(seconds)}"
    match subject.kind:
        case AlarmKind.OUTAGE:
            return f"The {subject.name} serves again, {lasted}."
        case AlarmKind.COOLDOWN:
            return f"The deployment {subject.name} serves again, {lasted}."
        case _:
            return f"The alias {subject.name} serves its own calls again, {lasted}."


def _length(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
