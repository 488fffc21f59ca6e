"""How overrides of fallback routes change, and the record that each change leaves.

Pure changes: each takes the overrides as they are and returns them as they shall be, with one
record of who changed what, from what, to what. A change that would do nothing, or that would
close a ring, is returned as what it is, and leaves no record.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeAlias

from tiergate.base.values import AliasName
from tiergate.core.catalog import ChainKind
from tiergate.core.fallback_overrides import (
    EVERY,
    FileRoutes,
    Override,
    Overrides,
    RouteName,
    acts,
    overlaid,
    usable,
)
from tiergate.core.rings import shortest_ring

EXPIRY = "expiry"
"""The author of a change that the clock made."""


class Action(Enum):
    """What a change did."""

    SET = "set"
    SWITCHED_OFF = "switched_off"
    """A route of the file acts no more."""
    REMOVED = "removed"
    """What was set at run time is gone, and so is the route, unless the file has one."""
    RESTORED = "restored"
    """A route of the file acts again that had been switched off."""
    EXPIRED = "expired"


class Origin(Enum):
    """Where a route comes from."""

    FILE = "file"
    RUNTIME = "runtime"


@dataclass(frozen=True, slots=True)
class Acting:
    """What a route was or is: its targets, and where they come from."""

    targets: tuple[AliasName, ...]
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The record of one change.

    Attributes:
        number: Counts the changes, from 1 on.
        id: Of the change; an expiry has the id of the override that ended.
        at: Unix seconds.
        action: What it did.
        kind: Of the route.
        alias: Of the route.
        before: The route as it was; None where there was none.
        after: The route as it is; None where there is none.
        expires: Until when it is meant to act, in Unix seconds.
        author: Who says so; `EXPIRY` for the clock.
        key: The name of the key that was used.
        note: Why.
    """

    number: int
    id: str
    at: float
    action: Action
    kind: ChainKind
    alias: AliasName
    before: Acting | None = None
    after: Acting | None = None
    expires: float | None = None
    author: str
    key: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Ring:
    """The route would lead back to its own alias; `way` begins with it."""

    way: tuple[AliasName, ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is no such route to remove; `off`: it has been switched off already."""

    off: Override | None = None


@dataclass(frozen=True, slots=True)
class NothingLasts:
    """A removal for a time was asked for, and the file has no route that could come back."""


Verdict: TypeAlias = Change | Ring | Nothing | NothingLasts


def acting(overrides: Overrides, file: FileRoutes, name: RouteName, now: float) -> Acting | None:
    """Return what a route is at an instant (Unix seconds); the default is a route of its own."""
    override = overrides.of(name)
    if override is not None and override.acts_at(now) and acts(override, file):
        return None if override.off else Acting(usable(override, file), Origin.RUNTIME)
    written = file.of(name)
    return None if written is None else Acting(written, Origin.FILE)


def put(
    overrides: Overrides, new: Override, file: FileRoutes, *, allow_ring: bool = False
) -> tuple[Overrides, Change | Ring]:
    """Set a route at run time.

    Args:
        overrides: As they are.
        new: The route; `over` is filled in.
        file: What the configuration says.
        allow_ring: Set it even if it closes a ring. A call tries each alias once, so it ends.
    """
    after = _with(overrides, new, file)
    ring = () if allow_ring or new.alias == EVERY else _ring(after, new, file)
    if ring:
        return overrides, Ring(ring)
    return after, _recorded(overrides, after, new, file, Action.SET)


def remove(
    overrides: Overrides, off: Override, file: FileRoutes
) -> tuple[Overrides, Change | Nothing | NothingLasts]:
    """Let a route act no more, wherever it comes from.

    Args:
        overrides: As they are.
        off: Who removes it, and until when: an override without targets. It is kept only where
            the file has the route, to hold it off.
        file: What the configuration says.
    """
    known = overrides.of(off.name)
    if known is not None and not known.acts_at(off.since):
        known = None
    if known is not None and known.off:
        return overrides, Nothing(known)
    if file.of(off.name) is not None:
        after = _with(overrides, off, file)
        return after, _recorded(overrides, after, off, file, Action.SWITCHED_OFF)
    if known is None:
        return overrides, Nothing()
    if off.expires is not None:
        return overrides, NothingLasts()
    after = _without(overrides, off.name)
    return after, _recorded(overrides, after, off, file, Action.REMOVED)


def restore(
    overrides: Overrides, by: Override, file: FileRoutes
) -> tuple[Overrides, Change | Nothing]:
    """Take back what was set at run time for a route, so that the file alone decides.

    Args:
        overrides: As they are.
        by: Who does it: an override of that name; it is not kept.
        file: What the configuration says.
    """
    known = overrides.of(by.name)
    if known is None or not known.acts_at(by.since):
        return overrides, Nothing()
    after = _without(overrides, by.name)
    action = Action.RESTORED if known.off else Action.REMOVED
    return after, _recorded(overrides, after, by, file, action)


def expire(
    overrides: Overrides, file: FileRoutes, now: float, which: Collection[str]
) -> tuple[Overrides, tuple[Change, ...]]:
    """Take out what ended before an instant (Unix seconds), with a record for each.

    Args:
        overrides: As they are.
        file: What the configuration says.
        now: The instant.
        which: The ids that may be taken out; others stay until they are asked for.
    """
    made: list[Change] = []
    for gone in overrides.made:
        if gone.expires is None or gone.acts_at(now) or gone.id not in which:
            continue
        left = _without(overrides, gone.name)
        made.append(
            Change(
                number=left.number,
                id=gone.id,
                at=gone.expires,
                action=Action.EXPIRED,
                kind=gone.kind,
                alias=gone.alias,
                before=acting(overrides, file, gone.name, gone.since),
                after=acting(left, file, gone.name, now),
                author=EXPIRY,
                note=gone.note,
            )
        )
        overrides = left
    return overrides, tuple(made)


def _with(overrides: Overrides, new: Override, file: FileRoutes) -> Overrides:
    noted = replace(new, over=file.of(new.name))
    others = (each for each in overrides.made if each.name != new.name)
    return Overrides(overrides.number + 1, (*others, noted))


def _without(overrides: Overrides, name: RouteName) -> Overrides:
    others = tuple(each for each in overrides.made if each.name != name)
    return Overrides(overrides.number + 1, others)


def _ring(after: Overrides, new: Override, file: FileRoutes) -> tuple[AliasName, ...]:
    """Return the ring that a new route closes; defaults are not looked at, they close many."""
    chains = overlaid(file, after.at(new.since))
    return shortest_ring(new.alias, chains.written(new.kind))


def _recorded(
    before: Overrides, after: Overrides, by: Override, file: FileRoutes, action: Action
) -> Change:
    return Change(
        number=after.number,
        id=by.id,
        at=by.since,
        action=action,
        kind=by.kind,
        alias=by.alias,
        before=acting(before, file, by.name, by.since),
        after=acting(after, file, by.name, by.since),
        expires=by.expires if action in (Action.SET, Action.SWITCHED_OFF) else None,
        author=by.author,
        key=by.key,
        note=by.note,
    )
