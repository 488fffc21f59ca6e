"""The page of the fallback routes: what acts, where it comes from, and how it is changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tiergate.base.errors import Refused
from tiergate.core.catalog import ChainKind
from tiergate.core.fallback_changes import Acting, Change
from tiergate.core.fallback_overrides import EVERY, Override, ShownRoute
from tiergate.pipeline.fallback_book import By
from tiergate.ports import StoreDownError
from tiergate.ui.rendering import Page
from tiergate.ui.sights import Sights
from tiergate.ui.visits import Done, Entrance, Visit

LIVE_SECONDS: Final = 10
_MOST_CHANGES: Final = 20
_LONGEST_NOTE: Final = 500
_LONGEST_TIME: Final = 366 * 86_400

KINDS: Final = (
    (ChainKind.GENERAL, "Failures", "faults, timeouts and rate limits of a provider"),
    (ChainKind.CONTEXT_WINDOW, "Prompts that are too long", "context overflow"),
    (ChainKind.CONTENT_POLICY, "Refusals", "content policy of a provider"),
    (ChainKind.BUDGET, "Used-up budgets", "the alias has no budget left"),
)
_ACTIONS: Final[Mapping[str, str]] = {
    "set": "set",
    "switched_off": "switched off",
    "removed": "removed",
    "restored": "given back to the file",
    "expired": "ended by itself",
}


@dataclass(frozen=True, slots=True)
class RouteRow:
    """One route, acting or switched off, ready to be shown.

    Attributes:
        kind: The value of its `ChainKind`.
        alias: Where it leads away from, in words.
        name: The same as forms send it.
        targets: Where it leads; empty for a route that is switched off.
        override: What was set at run time; None for a route of the file.
        file: What the file says, in words; empty where it says nothing.
        off: It is switched off.
    """

    kind: str
    alias: str
    name: str
    targets: tuple[str, ...]
    override: Override | None
    file: str
    off: bool


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change, in words."""

    change: Change
    action: str
    kind: str
    alias: str
    before: str
    after: str


class RoutePages:
    """Makes the page, and carries out what its forms ask for.

    Args:
        sights: What it may look at.
    """

    def __init__(self, sights: Sights) -> None:
        self._sights = sights
        self._book = sights.fallbacks

    def entrances(self) -> list[Entrance]:
        """Return the addresses of the page and its forms."""
        return [
            Entrance("GET", "/ui/routes", self._show),
            Entrance("POST", "/ui/routes/set", self._set),
            Entrance("POST", "/ui/routes/remove", self._remove),
            Entrance("POST", "/ui/routes/restore", self._restore),
        ]

    async def _show(self, visit: Visit) -> Page:
        return await self._page(visit.query)

    async def _page(self, given: Mapping[str, str], fault: str = "", status: int = 200) -> Page:
        """Make the page.

        Args:
            given: What stands in the form for a route: the address's, or what was sent.
            fault: Why what was sent could not be done.
            status: HTTP status.
        """
        down = ""
        changes: Sequence[Change] = ()
        try:
            await self._book.refresh()
            changes = await self._book.changes(_MOST_CHANGES)
        except StoreDownError as exc:
            down = str(exc)
        listing = self._book.listing()
        rows = [_route(each) for each in listing.routes] + [_off(each) for each in listing.off]
        return Page(
            template="routes.html",
            title="Fallbacks",
            place="/ui/routes",
            data={
                "kinds": [
                    (kind.value, title, text, [row for row in rows if row.kind == kind.value])
                    for kind, title, text in KINDS
                ],
                "idle": listing.idle,
                "conflicts": listing.conflicts,
                "changes": [_change(each) for each in changes],
                "aliases": self._book.aliases(),
                "every": EVERY,
                "given": {name: given.get(name, "") for name in _FIELDS},
                "fault": fault,
                "down": down,
            },
            status=status,
            # A form that is being filled in must not be taken away.
            live=0 if fault or given.get("alias") else LIVE_SECONDS,
        )

    async def _set(self, visit: Visit) -> Page | Done:
        form = visit.form
        targets = tuple(
            name for each in form.get("targets", "").split(",") if (name := each.strip())
        )
        try:
            by = self._by(visit, ends=True)
            ring = form.get("allow_ring") == "yes"
            await self._book.put(_kind(form), form.get("alias", ""), targets, by, allow_ring=ring)
        except Refused as refused:
            return await self._page(form, refused.message, refused.status)
        return Done("/ui/routes", "route-set")

    async def _remove(self, visit: Visit) -> Page | Done:
        return await self._changed(
            visit,
            self._book.remove,
            "route-removed",
        )

    async def _restore(self, visit: Visit) -> Page | Done:
        return await self._changed(
            visit,
            self._book.restore,
            "route-restored",
        )

    async def _changed(
        self,
        visit: Visit,
        change: Callable[[ChainKind, str, By], Awaitable[Change]],
        said: str,
    ) -> Page | Done:
        form = visit.form
        try:
            await change(_kind(form), form.get("alias", ""), self._by(visit, ends=False))
        except Refused as refused:
            return await self._page({}, refused.message, refused.status)
        return Done("/ui/routes", said)

    def _by(self, visit: Visit, *, ends: bool) -> By:
        note = visit.form.get("note", "")
        if len(note) > _LONGEST_NOTE:
            raise Refused(
                400, f"The note is longer than {_LONGEST_NOTE} characters.", code="invalid_value"
            )
        text = visit.form.get("expires_in", "") if ends else ""
        name = visit.caller.name
        return By(author=f"{name} (dashboard)", key=name, note=note, seconds=self._seconds(text))

    def _seconds(self, text: str) -> float | None:
        if not text:
            return None
        try:
            seconds = self._sights.seconds(text)
        except ValueError as exc:
            raise Refused(
                400,
                f"The time {text[:50]!r} {exc}. Write 2h, 30min or 1d, for instance.",
                code="invalid_value",
            ) from None
        if not 0 < seconds <= _LONGEST_TIME:
            raise Refused(
                400,
                "A route can be set for a second at least and a year at most.",
                code="invalid_value",
            )
        return seconds


_FIELDS: Final = ("kind", "alias", "targets", "expires_in", "note", "allow_ring")


def _kind(form: Mapping[str, str]) -> ChainKind:
    try:
        return ChainKind(form.get("kind", ""))
    except ValueError:
        raise Refused(400, "There is no such kind of fallback.", code="invalid_value") from None


def _route(route: ShownRoute) -> RouteRow:
    return RouteRow(
        kind=route.kind.value,
        alias=_alias(route.alias),
        name=route.alias,
        targets=route.targets,
        override=route.override,
        file=", ".join(route.file or ()),
        off=False,
    )


def _off(override: Override) -> RouteRow:
    return RouteRow(
        kind=override.kind.value,
        alias=_alias(override.alias),
        name=override.alias,
        targets=(),
        override=override,
        file=", ".join(override.over or ()),
        off=True,
    )


def _change(change: Change) -> ChangeRow:
    kinds = {kind: title for kind, title, _ in KINDS}
    return ChangeRow(
        change=change,
        action=_ACTIONS.get(change.action.value, change.action.value),
        kind=kinds[change.kind],
        alias=_alias(change.alias),
        before=_acting(change.before),
        after=_acting(change.after),
    )


def _acting(acting: Acting | None) -> str:
    return "no route" if acting is None else ", ".join(acting.targets)


def _alias(name: str) -> str:
    return "all other aliases" if name == EVERY else name
