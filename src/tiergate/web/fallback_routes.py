"""Fallback routes over HTTP: `/fallback`, by LiteLLM's forms. For administrators.

What a change means is decided in `core.fallback_changes`; here it is asked for, and told what it
did.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import AliasName
from tiergate.core.catalog import ChainKind
from tiergate.core.fallback_changes import Action, Change
from tiergate.core.fallback_overrides import EVERY, Listing, ShownRoute, words
from tiergate.core.ledger_lines import utc_text
from tiergate.pipeline.fallback_book import FallbackBook
from tiergate.ports import StoreDownError
from tiergate.web.admin import Asked, Handler, Route, Told
from tiergate.web.fallback_asks import Seconds, optional_kind, read_kind, read_put, read_remove
from tiergate.web.fallback_forms import change_form, error_form, listing_form, route_form
from tiergate.web.ledger_words import number

_PATH = "/fallback"
_AUDIT = f"{_PATH}/audit"
_PAGE = 100
_LONGEST_PAGE = 1000


class FallbackRoutes:
    """The routes.

    Args:
        book: All fallback routes.
        seconds: Reads a length of time such as `2h`; raises ValueError.
    """

    def __init__(self, book: FallbackBook, seconds: Seconds) -> None:
        self._book = book
        self._seconds = seconds

    def routes(self) -> list[Route]:
        """Return the table of routes."""
        return [
            Route("GET", _PATH, self._guarded(self._list)),
            Route("POST", _PATH, self._guarded(self._put)),
            Route("GET", _AUDIT, self._guarded(self._audit)),
            # An alias may be called `audit`: its route can be removed like any other.
            Route("DELETE", _AUDIT, self._guarded(self._remove)),
            Route("GET", f"{_PATH}/*", self._guarded(self._one)),
            Route("DELETE", f"{_PATH}/*", self._guarded(self._remove)),
        ]

    # ------------------------------------------------------------------ what there is

    async def _list(self, asked: Asked) -> Told:
        kind, model = optional_kind(asked.query), asked.query.get("model")
        fault = await self._look()
        return Told(listing_form(self._chosen(kind, model), fault))

    async def _one(self, asked: Asked) -> Told:
        kind, name = read_kind(asked.query.get("fallback_type")), asked.rest
        fault = await self._look()
        found = self._book.listing()
        alias = self._book.alias(name) or AliasName(name)
        route = found.of((kind, alias))
        if route is None:
            raise Refused(
                404,
                f"No {kind.value} fallbacks configured for model '{alias[:100]}'."
                f"{self._hint(found, kind, alias)}",
                code="fallback_not_found",
                type="not_found_error",
                param="model",
            )
        return Told({**route_form(route), "store_fault": fault})

    async def _audit(self, asked: Asked) -> Told:
        most = number(asked.query, "limit", default=_PAGE, most=_LONGEST_PAGE)
        made = await self._book.changes(
            most, kind=optional_kind(asked.query), alias=asked.query.get("model")
        )
        rows: list[Json] = [change_form(each) for each in made]
        return Told({"changes": rows})

    def _chosen(self, kind: ChainKind | None, model: str | None) -> Listing:
        """Return the listing, of one kind or one alias where that is asked for."""
        found = self._book.listing()
        if kind is None and model is None:
            return found
        alias = None if model is None else self._book.alias(model) or model

        def fits(a_kind: ChainKind, an_alias: AliasName) -> bool:
            return kind in (None, a_kind) and alias in (None, an_alias)

        return Listing(
            tuple(each for each in found.routes if fits(each.kind, each.alias)),
            tuple(each for each in found.off if fits(each.kind, each.alias)),
            tuple(each for each in found.idle if fits(each.kind, each.alias)),
            tuple(e for e in found.conflicts if fits(e.override.kind, e.override.alias)),
        )

    async def _look(self) -> str | None:
        """See what other workers have changed; return why that cannot be seen, where it cannot."""
        try:
            await self._book.refresh()
        except StoreDownError as exc:
            return f"The store does not answer; these are the last known routes: {exc}"
        return None

    # ------------------------------------------------------------------ changes

    async def _put(self, asked: Asked) -> Told:
        ask = read_put(asked, self._seconds)
        change = await self._book.put(
            ask.kind, ask.model, ask.targets, ask.by, allow_ring=ask.allow_ring
        )
        done = "created" if change.before is None else "updated"
        found = self._book.listing()
        shown = found.of((change.kind, change.alias))
        form: JsonObject = {
            "model": change.alias,
            "fallback_models": list(change.after.targets if change.after else ()),
            "fallback_type": change.kind.value,
            **(route_form(shown) if shown is not None else {}),  # it may have ended already
        }
        return Told(
            {
                **form,
                "message": f"Fallback configuration {done} successfully",
                "effect": _effect(change, found.of((change.kind, EVERY))),
                "change": change_form(change),
            }
        )

    async def _remove(self, asked: Asked) -> Told:
        ask = read_remove(asked, self._seconds)
        name = asked.rest or asked.path.rpartition("/")[2]
        change = await (self._book.restore if ask.restore else self._book.remove)(
            ask.kind, name, ask.by
        )
        return Told(
            {
                "model": change.alias,
                "fallback_type": change.kind.value,
                "message": "Fallback configuration deleted successfully",
                "effect": _effect(change, self._book.listing().of((change.kind, EVERY))),
                "change": change_form(change),
            }
        )

    def _hint(self, found: Listing, kind: ChainKind, alias: AliasName) -> str:
        off = next((each for each in found.off if each.name == (kind, alias)), None)
        if off is not None:
            return (
                f" The file's route to {words(off.over)} was switched off at run time by "
                f"{off.author}."
            )
        if alias not in self._book.aliases() and alias != EVERY:
            return " There is no such alias."
        default = found.of((kind, EVERY))
        if default is not None:
            return f" The default acts for it: {words(default.targets)}."
        return ""

    # ------------------------------------------------------------------ errors

    def _guarded(self, handler: Handler) -> Handler:
        """Return a handler whose errors have LiteLLM's shape beside ours."""

        async def handle(asked: Asked) -> Told:
            try:
                return await _answer(handler, asked)
            except Refused as refused:
                return error_form(refused, self._book.aliases())

        return handle


async def _answer(handler: Callable[[Asked], Awaitable[Told]], asked: Asked) -> Told:
    try:
        return await handler(asked)
    except StoreDownError as exc:
        raise Refused(
            503,
            f"The store of fallback routes does not answer ({exc}). Nothing is known to have "
            "changed, and the last known routes go on acting. Try again, and look with "
            "GET /fallback.",
            code="fallback_store_unavailable",
            type="api_error",
            headers=(("retry-after", "1"),),
        ) from None


def _effect(change: Change, default: ShownRoute | None) -> str:
    """Say in a sentence or two what a change did, and how it is taken back."""
    route = f"the {change.kind.value} fallback route of {change.alias}"
    before = words(change.before.targets if change.before else None)
    after = words(change.after.targets if change.after else None)
    text = f"{route} is {after}; it was {before}."
    if change.action is Action.SWITCHED_OFF:
        text = (
            f"{route} of the file is switched off; it was {before}. "
            f"DELETE {_PATH}/{change.alias}?fallback_type={change.kind.value}&origin=runtime "
            "lets the file act again."
        )
    if change.after is None and change.alias != EVERY and default is not None:
        text += f" The default acts for {change.alias}: {words(default.targets)}."
    if change.expires is not None:
        then = "The file's route comes back" if change.after is None else "It ends"
        text += f" {then} at {utc_text(change.expires)}."
    return text[0].upper() + text[1:]
