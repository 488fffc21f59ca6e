"""Keeps fallback routes that are set at run time, and lets routing follow them.

What an override means and how it changes is decided in `core.fallback_overrides` and
`core.fallback_changes`; here the shared document is read and written, with a record of each change
beside it in one step, and the aliases of the configuration in force are told which chains act.
Nothing of it is on a call's way. While the store is down, the routes that are known go on acting,
and end when their time is over; a change is refused.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from tiergate.base.values import AliasName
from tiergate.core.catalog import ChainKind, Chains
from tiergate.core.fallback_changes import (
    Change,
    Nothing,
    NothingLasts,
    Ring,
    expire,
    put,
    remove,
    restore,
)
from tiergate.core.fallback_overrides import (
    EVERY,
    FileRoutes,
    Listing,
    Override,
    Overrides,
    conflicts,
    listing,
    overlaid,
    words,
)
from tiergate.core.routing import Routes
from tiergate.pipeline import fallback_refusals as refusals
from tiergate.ports import Clock, Documents, Seen, StoreDownError

LOG = logging.getLogger("tiergate.fallbacks")

DOCUMENT: Final = "fallback:overrides"
"""The document of all overrides."""

RECORDS: Final = "fallback:change:"
"""How the names of the documents begin that each hold one change; they sort by time."""

_TRIES = 8

R = TypeVar("R")
Step = Callable[[Overrides, FileRoutes], tuple[Overrides, Change | R]]
"""Makes new overrides of those there are; or says why nothing changes."""

_overrides = msgspec.json.Decoder(Overrides)
_change = msgspec.json.Decoder(Change)
_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who asks for a change, and how long it shall hold.

    Attributes:
        author: For people.
        key: The name of the key that is used; never the key.
        note: Why.
        seconds: For how long; None: until it is changed again.
    """

    author: str
    key: str = ""
    note: str = ""
    seconds: float | None = None


class FallbackBook:
    """The fallback routes of a gateway; outlives reloads.

    Args:
        documents: Where overrides are kept.
        wall: Unix seconds.
        new_id: Gives an id that no other change has.
    """

    def __init__(self, documents: Documents, wall: Clock, new_id: Callable[[], str]) -> None:
        self._documents = documents
        self._wall = wall
        self._new_id = new_id
        self._routes: Routes | None = None
        self._file = FileRoutes(Chains(), frozenset())
        self._overrides = Overrides()
        self._ends: float | None = None
        self._told: frozenset[str] = frozenset()
        # What is read must not be taken over after what was written later.
        self._turn = asyncio.Lock()

    # ------------------------------------------------------------------ what acts

    def govern(self, routes: Routes) -> None:
        """Lay the overrides over the chains of a configuration that has just been made ready."""
        self._routes = routes
        self._file = FileRoutes(routes.policy.chains, frozenset(routes.catalog.aliases))
        self._lay()

    def apply(self) -> None:
        """Let what has ended act no more; asks no store. To be called when `next_end` has come."""
        if self._ends is not None and self._wall() >= self._ends:
            self._lay()

    def next_end(self) -> float | None:
        """Return the next instant at which a route ends, in Unix seconds; None: never."""
        return self._ends

    def listing(self) -> Listing:
        """Return all routes with where each comes from, as this process knows them."""
        return listing(self._file, self._overrides, self._wall())

    def aliases(self) -> tuple[AliasName, ...]:
        """Return the aliases that routes may name, sorted."""
        return tuple(sorted(self._file.aliases))

    def alias(self, name: str) -> AliasName | None:
        """Return the alias that a name means (`*` for the default); None where it means none."""
        if name == EVERY:
            return EVERY
        route = self._routes.of(name) if self._routes is not None else None
        return None if route is None else route.alias

    async def refresh(self) -> None:
        """Take over what others have changed, and record what has ended.

        Raises:
            StoreDownError: The store cannot be reached; what is known goes on acting.
        """
        self.apply()
        async with self._turn:
            await self._refresh()

    # ------------------------------------------------------------------ changes

    async def put(
        self,
        kind: ChainKind,
        alias: str,
        targets: tuple[str, ...],
        by: By,
        *,
        allow_ring: bool = False,
    ) -> Change:
        """Set a route, in place of what is there.

        Args:
            kind: For which failures.
            alias: The alias it leads away from; `*` for the default.
            targets: The aliases it leads to, in order.
            by: Who asks.
            allow_ring: Set it even if it leads back to its own alias over others.

        Raises:
            Refused: 404 for an unknown alias; 400 for no target, an unknown one, the alias itself
                or a ring; 422 for a target named twice.
            StoreDownError: The store cannot be reached; nothing is known to have changed.
        """
        new = self._override(kind, self._known(kind, alias), by, self._targets(alias, targets))
        verdict = await self._write(
            new, lambda now, file: put(now, new, file, allow_ring=allow_ring)
        )
        if isinstance(verdict, Ring):
            raise refusals.ring(verdict.way)
        return verdict

    async def remove(self, kind: ChainKind, alias: str, by: By) -> Change:
        """Let a route act no more; one of the file is switched off.

        Args:
            kind: For which failures.
            alias: The alias it leads away from; `*` for the default.
            by: Who asks; its `seconds` are for a route of the file, which then comes back.

        Raises:
            Refused: 404, when there is no such route; 400 for a time where nothing comes back.
            StoreDownError: The store cannot be reached; nothing is known to have changed.
        """
        off = self._override(kind, self.alias(alias) or AliasName(alias), by)
        verdict = await self._write(off, lambda now, file: remove(now, off, file))
        match verdict:
            case Nothing():
                raise refusals.no_route(off, self._file, verdict.off)
            case NothingLasts():
                raise refusals.nothing_comes_back(off)
            case _:
                return verdict

    async def restore(self, kind: ChainKind, alias: str, by: By) -> Change:
        """Take back what was set at run time, a removal too: the file alone decides.

        Raises:
            Refused: 404, when nothing was set at run time.
            StoreDownError: The store cannot be reached; nothing is known to have changed.
        """
        asked = self._override(kind, self.alias(alias) or AliasName(alias), by)
        verdict = await self._write(asked, lambda now, file: restore(now, asked, file))
        if isinstance(verdict, Nothing):
            raise refusals.nothing_set(asked)
        return verdict

    async def changes(
        self, most: int, *, kind: ChainKind | None = None, alias: str | None = None
    ) -> list[Change]:
        """Return the last changes, the newest first.

        Args:
            most: How many at most.
            kind: Only those of a kind.
            alias: Only those of an alias.

        Raises:
            StoreDownError: The store cannot be reached.
        """
        name = None if alias is None else self.alias(alias) or alias
        found: list[Change] = []
        for key, body in reversed(await self._documents.scan(RECORDS)):
            change = _read_change(key, body)
            if kind in (None, change.kind) and name in (None, change.alias):
                found.append(change)
            if len(found) >= most:
                break
        return found

    # ------------------------------------------------------------------ what a change names

    def _override(
        self, kind: ChainKind, alias: AliasName, by: By, targets: tuple[AliasName, ...] = ()
    ) -> Override:
        now = self._wall()
        return Override(
            id=self._new_id(),
            kind=kind,
            alias=alias,
            targets=targets,
            author=by.author,
            key=by.key,
            since=now,
            expires=None if by.seconds is None else now + by.seconds,
            note=by.note,
        )

    def _known(self, kind: ChainKind, name: str) -> AliasName:
        alias = self.alias(name)
        if alias is None:
            raise refusals.unknown_alias(name, self.aliases())
        if alias == EVERY and kind is not ChainKind.GENERAL:
            raise refusals.no_default(kind)
        return alias

    def _targets(self, alias: str, names: tuple[str, ...]) -> tuple[AliasName, ...]:
        if not names:
            raise refusals.no_targets()
        own = self.alias(alias)
        found: list[AliasName] = []
        for name in names:
            target = self.alias(name)
            if target is None or target == EVERY:
                raise refusals.unknown_target(name, self.aliases())
            if target == own:
                raise refusals.itself(target)
            if target in found:
                raise refusals.named_twice(target)
            found.append(target)
        return tuple(found)

    # ------------------------------------------------------------------ documents

    async def _write(self, asked: Override, step: Step[R]) -> Change | R:
        """Make a change and its record in one step, as if nobody else were there."""
        record, file = _record_name(asked.since, asked.id), self._file

        def change(seen: Seen) -> tuple[Seen, tuple[Overrides, Change | R] | None]:
            overrides, made = _read(seen[DOCUMENT]), seen[record]
            if made is not None:  # by this very change, whose answer was lost
                return {}, (overrides, _read_change(record, made))
            if any(not each.acts_at(asked.since) for each in overrides.made):
                return {}, None  # ended, and not recorded yet: that comes first
            after, verdict = step(overrides, file)
            if isinstance(verdict, Change):
                return {DOCUMENT: _encode(after), record: _encode(verdict)}, (after, verdict)
            return {}, (overrides, verdict)

        async with self._turn:
            for _ in range(_TRIES):
                done = await self._documents.update([DOCUMENT, record], change)
                if done is not None:
                    self._take(done[0])
                    if isinstance(done[1], Change):
                        _log(done[1])
                    return done[1]
                await self._refresh()
        raise refusals.busy()

    async def _refresh(self) -> None:
        found = _read((await self._documents.read([DOCUMENT]))[DOCUMENT])
        if found.number < self._overrides.number:
            LOG.warning(
                "the store has lost fallback routes that were set at run time",
                extra={"known": self._overrides.number, "found": found.number},
            )
        if found != self._overrides:
            self._take(found)
        await self._sweep()

    async def _sweep(self) -> None:
        """Take out of the document what has ended, and record it; one of all workers does."""
        now, file = self._wall(), self._file
        ended = {
            each.id: _record_name(each.expires, each.id)
            for each in self._overrides.made
            if each.expires is not None and not each.acts_at(now)
        }
        if not ended:
            return

        def change(seen: Seen) -> tuple[Seen, tuple[Overrides, tuple[Change, ...]]]:
            after, made = expire(_read(seen[DOCUMENT]), file, now, ended)
            if not made:
                return {}, (after, made)
            records = {ended[each.id]: _encode(each) for each in made}
            return {DOCUMENT: _encode(after), **records}, (after, made)

        after, made = await self._documents.update([DOCUMENT, *ended.values()], change)
        self._take(after)
        for each in made:
            _log(each)

    # ------------------------------------------------------------------ this process

    def _take(self, overrides: Overrides) -> None:
        self._overrides = overrides
        self._lay()

    def _lay(self) -> None:
        now = self._wall()
        self._ends = self._overrides.next_end(now)
        in_time = self._overrides.at(now)
        if self._routes is not None:
            self._routes.follow(overlaid(self._file, in_time))
        found = {each.what: each for each in conflicts(self._file, in_time)}
        for what in found.keys() - self._told:
            LOG.warning(
                "a fallback route set at run time and the file differ",
                extra={"conflict": what, "rule": found[what].rule},
            )
        self._told = frozenset(found)


def _record_name(at: float, change: str) -> str:
    return f"{RECORDS}{int(at * 1_000_000):017d}:{change}"


def _read(body: bytes | None) -> Overrides:
    if body is None:
        return Overrides()
    try:
        return _overrides.decode(body)
    except msgspec.DecodeError as exc:
        raise StoreDownError(f"the fallback routes in it cannot be read: {exc}") from exc


def _read_change(name: str, body: bytes) -> Change:
    try:
        return _change.decode(body)
    except msgspec.DecodeError as exc:
        raise StoreDownError(f"its document {name} cannot be read: {exc}") from exc


def _log(change: Change) -> None:
    LOG.info(
        "fallback route changed",
        extra={
            "action": change.action.value,
            "alias": change.alias,
            "kind": change.kind.value,
            "before": words(change.before.targets if change.before else None),
            "after": words(change.after.targets if change.after else None),
            "by": change.author,
            "note": change.note,
        },
    )
