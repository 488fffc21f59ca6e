"""Fallback routes that were set while the gateway runs, laid over those of the file.

An override takes the place of one route of the file, or switches it off, until it is removed or
its time is over. It is an edit, never a copy of the file: what the file says of other routes goes
on acting, and a change of the file under an override is a conflict that is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final, TypeAlias

from tiergate.base.values import AliasName
from tiergate.core.catalog import ChainKind, Chains

EVERY: Final = AliasName("*")
"""Stands for every alias without a general route of its own (`default_fallbacks`)."""

RouteName: TypeAlias = tuple[ChainKind, AliasName]
"""A route is named by its kind and the alias it leads away from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One route set at run time.

    Attributes:
        id: Random; makes a change that is written twice one change.
        kind: For which failures.
        alias: The alias it leads away from, or `EVERY`.
        targets: Where it leads; empty: the file's route is switched off.
        author: Who says so, for people.
        key: The name of the key that was used; never the key.
        since: Unix seconds.
        expires: Unix seconds from which it acts no more; None: it stays.
        note: Why, for people.
        over: What the file said when it was set; None where it had no such route.
    """

    id: str
    kind: ChainKind
    alias: AliasName
    targets: tuple[AliasName, ...] = ()
    author: str
    key: str = ""
    since: float
    expires: float | None = None
    note: str = ""
    over: tuple[AliasName, ...] | None = None

    @property
    def name(self) -> RouteName:
        """The route that it takes the place of."""
        return self.kind, self.alias

    @property
    def off(self) -> bool:
        """Whether it switches the file's route off."""
        return not self.targets

    def acts_at(self, now: float) -> bool:
        """Tell whether its time is not over; `now` in Unix seconds."""
        return self.expires is None or now < self.expires


@dataclass(frozen=True, slots=True)
class Overrides:
    """All overrides, at most one for each route; `number` counts the changes ever made."""

    number: int = 0
    made: tuple[Override, ...] = ()

    def of(self, name: RouteName) -> Override | None:
        """Return the override of a route, its time over or not."""
        return next((each for each in self.made if each.name == name), None)

    def at(self, now: float) -> tuple[Override, ...]:
        """Return those whose time is not over; `now` in Unix seconds."""
        return tuple(each for each in self.made if each.acts_at(now))

    def next_end(self, now: float) -> float | None:
        """Return the next instant at which one of them ends, in Unix seconds; None: never."""
        ends = (each.expires for each in self.made if each.expires is not None)
        return min((end for end in ends if end > now), default=None)


@dataclass(frozen=True, slots=True)
class FileRoutes:
    """What the configuration says: its chains, and the aliases there are."""

    chains: Chains
    aliases: frozenset[AliasName]

    def of(self, name: RouteName) -> tuple[AliasName, ...] | None:
        """Return the targets of one of its routes; None where it has no such route."""
        kind, alias = name
        if alias == EVERY:
            return (self.chains.default or None) if kind is ChainKind.GENERAL else None
        return self.chains.written(kind).get(alias)

    def names(self) -> Iterator[RouteName]:
        """Go through its routes, the default last among the general ones."""
        for kind in ChainKind:
            yield from ((kind, alias) for alias in self.chains.written(kind))
            if kind is ChainKind.GENERAL and self.chains.default:
                yield kind, EVERY


def usable(override: Override, file: FileRoutes) -> tuple[AliasName, ...]:
    """Return the targets of an override that the configuration still has."""
    return tuple(name for name in override.targets if name in file.aliases)


def acts(override: Override, file: FileRoutes) -> bool:
    """Tell whether an override changes anything under a configuration.

    It does not when its alias is gone, or all its targets are: then the file's route acts.
    """
    there = override.alias == EVERY or override.alias in file.aliases
    return there and (override.off or bool(usable(override, file)))


def overlaid(file: FileRoutes, overrides: Iterable[Override]) -> Chains:
    """Return the chains that act: those of the file with some overrides laid over them.

    A route that is switched off is as if the file had no such line: an alias without a general
    route of its own follows the default.
    """
    chains = {kind: dict(file.chains.written(kind)) for kind in ChainKind}
    default = file.chains.default
    for override in overrides:
        if not acts(override, file):
            continue
        if override.alias == EVERY:
            default = usable(override, file)
        elif override.off:
            chains[override.kind].pop(override.alias, None)
        else:
            chains[override.kind][override.alias] = usable(override, file)
    return Chains(
        general=MappingProxyType(chains[ChainKind.GENERAL]),
        context_window=MappingProxyType(chains[ChainKind.CONTEXT_WINDOW]),
        content_policy=MappingProxyType(chains[ChainKind.CONTENT_POLICY]),
        budget=MappingProxyType(chains[ChainKind.BUDGET]),
        default=default,
    )


# ------------------------------------------------------------------ what is shown


@dataclass(frozen=True, slots=True)
class ShownRoute:
    """One route that acts.

    Attributes:
        kind: For which failures.
        alias: The alias it leads away from, or `EVERY`.
        targets: Where it leads.
        override: The override that it is; None for a route of the file.
        file: What the file says; None where it has no such route.
    """

    kind: ChainKind
    alias: AliasName
    targets: tuple[AliasName, ...]
    override: Override | None
    file: tuple[AliasName, ...] | None


class ConflictKind(Enum):
    """How an override and the file differ in a way that nobody has looked at."""

    FILE_CHANGED = "file_changed"
    """The file says something else than when the override was set."""
    ALIAS_GONE = "alias_gone"
    TARGETS_GONE = "targets_gone"
    """Some targets are gone: the others act; with all of them gone the file's route acts."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A difference between an override and the file, for people to look at.

    Attributes:
        kind: What differs.
        override: The override.
        file: What the file says now; None where it has no such route.
        gone: The names that the file no longer has.
    """

    kind: ConflictKind
    override: Override
    file: tuple[AliasName, ...] | None
    gone: tuple[AliasName, ...] = ()

    @property
    def what(self) -> str:
        """The difference in one sentence, with both values."""
        made = self.override
        said = (
            f"the {made.kind.value} fallback route of {made.alias} was set to "
            f"{words(made.targets)} at run time"
        )
        if self.kind is ConflictKind.FILE_CHANGED:
            return (
                f"{said} when the file said {words(made.over)}, and now the file says "
                f"{words(self.file)}"
            )
        if self.kind is ConflictKind.ALIAS_GONE:
            return f"{said}, and the file has no alias {made.alias} any more"
        return (
            f"{said}, and the file no longer has {', '.join(self.gone)}; it says "
            f"{words(self.file)}"
        )

    @property
    def rule(self) -> str:
        """What acts, and how to end the difference."""
        made = self.override
        back = f"DELETE /fallback/{made.alias}?fallback_type={made.kind.value}&origin=runtime"
        if self.kind is ConflictKind.FILE_CHANGED:
            return (
                "What was set at run time acts until it is removed. Set it again to confirm it, "
                f"or let the file act with {back}."
            )
        if self.kind is ConflictKind.ALIAS_GONE:
            return f"It does nothing until the alias is back. Take it back with {back}."
        left = set(self.gone) < set(made.targets)
        acting = "The targets that are left act" if left else "The file acts, as no target is left"
        return f"{acting}. Set it again with others, or take it back with {back}."


@dataclass(frozen=True, slots=True)
class Listing:
    """All routes at one instant.

    Attributes:
        routes: Those that act, by kind, in the order of the file and then of their names.
        off: Overrides that switch a route of the file off.
        idle: Other overrides that change nothing: their alias or all their targets are gone.
        conflicts: What people should look at.
    """

    routes: tuple[ShownRoute, ...] = ()
    off: tuple[Override, ...] = ()
    idle: tuple[Override, ...] = ()
    conflicts: tuple[Conflict, ...] = ()

    def of(self, name: RouteName) -> ShownRoute | None:
        """Return one of the routes that act."""
        return next((each for each in self.routes if (each.kind, each.alias) == name), None)


def listing(file: FileRoutes, overrides: Overrides, now: float) -> Listing:
    """Return all routes at an instant (Unix seconds), with where each comes from."""
    in_time = overrides.at(now)
    acting = {each.name: each for each in in_time if acts(each, file)}
    chains = overlaid(file, acting.values())
    routes: list[ShownRoute] = []
    for name in _in_order(file, acting):
        override = acting.get(name)
        if override is not None and override.off:
            continue
        targets = FileRoutes(chains, file.aliases).of(name) or ()
        routes.append(ShownRoute(*name, targets, override, file.of(name)))
    return Listing(
        routes=tuple(routes),
        off=tuple(each for each in in_time if each.off),
        idle=tuple(each for each in in_time if not each.off and each.name not in acting),
        conflicts=conflicts(file, in_time),
    )


def conflicts(file: FileRoutes, overrides: Iterable[Override]) -> tuple[Conflict, ...]:
    """Return what differs between the file and some overrides."""
    found: list[Conflict] = []
    for override in overrides:
        now = file.of(override.name)
        gone = tuple(name for name in override.targets if name not in file.aliases)
        if override.alias != EVERY and override.alias not in file.aliases:
            found.append(Conflict(ConflictKind.ALIAS_GONE, override, now, (override.alias,)))
            continue
        if gone:
            found.append(Conflict(ConflictKind.TARGETS_GONE, override, now, gone))
        if now != override.over:
            found.append(Conflict(ConflictKind.FILE_CHANGED, override, now))
    return tuple(found)


def words(targets: tuple[AliasName, ...] | None) -> str:
    """Return targets in words: `[a, b]`, `nothing`."""
    return f"[{', '.join(targets)}]" if targets else "nothing"


def _in_order(file: FileRoutes, acting: Iterable[RouteName]) -> list[RouteName]:
    """Return the names of all routes: by kind, those of the file first, then by alias."""
    written = list(file.names())
    more = sorted((name for name in acting if name not in written), key=lambda name: name[1])
    return [name for kind in ChainKind for name in (*written, *more) if name[0] is kind]
