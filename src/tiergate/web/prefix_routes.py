"""`GET /cache/prefix`: what the providers' prompt caches give each key, alias and phase.

The figures are those of all workers together. No prompt is in them: a drift is told by its place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.money import NANO
from tiergate.core.ledger_lines import utc_text
from tiergate.core.prefix_figures import LastDrift, PrefixFigures, PrefixKey
from tiergate.web.admin import Asked, Route, Told


class PrefixRoutes:
    """Answers the route.

    Args:
        figures: Gives the figures of all workers.
    """

    def __init__(
        self, figures: Callable[[], Awaitable[Mapping[PrefixKey, PrefixFigures]]]
    ) -> None:
        self._figures = figures

    def routes(self) -> list[Route]:
        """Return the table of routes."""
        return [Route("GET", "/cache/prefix", self._show)]

    async def _show(self, asked: Asked) -> Told:
        wanted = tuple(asked.query.get(name, "") for name in ("key", "alias", "phase"))
        found = await self._figures()
        total = PrefixFigures()
        rows: list[Json] = []
        for key, figures in sorted(found.items(), key=lambda each: -each[1].input):
            named = (figures.name if wanted[0] == figures.name else key[0], *key[1:])
            if all(not want or want == has for want, has in zip(wanted, named, strict=True)):
                total.add(figures)
                rows.append(
                    {
                        "key": key[0],
                        "key_name": figures.name or None,
                        "alias": key[1],
                        "phase": key[2] or None,
                        **figures_object(figures),
                    }
                )
        total.name, total.last = "", None
        return Told({"prefixes": rows, "total": figures_object(total)})


def figures_object(figures: PrefixFigures) -> JsonObject:
    """Return figures as the route shows them; rates are shares of 1, None without tokens."""
    drifts: JsonObject = dict(figures.drifts)
    return {
        "calls": figures.calls,
        "input_tokens": figures.input,
        "read_tokens": figures.read,
        "written_tokens": figures.written,
        "hit_rate": _share(figures.read, figures.input),
        "expected_tokens": figures.expected,
        "expected_read_tokens": figures.expected_read,
        "expected_hit_rate": _share(figures.expected_read, figures.expected),
        "saved_usd": figures.saved / NANO,
        "write_cost_usd": figures.writes / NANO,
        "lost_tokens": figures.lost,
        "lost_usd": figures.lost_cost / NANO,
        "drifts": drifts,
        "last_drift": None if figures.last is None else _drift(figures.last),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _drift(drift: LastDrift) -> JsonObject:
    return {
        "at": utc_text(drift.wall),
        "part": drift.part,
        "number": drift.number,
        "change": drift.change,
        "offset": drift.offset if drift.offset >= 0 else None,
        "hint": drift.hint or None,
        "text": drift_text(drift),
    }


def drift_text(drift: LastDrift) -> str:
    """Say a drift: `system block 2 changed at about byte 512: it looks like a timestamp`."""
    what = "system block" if drift.part == "system" else drift.part
    text = f"{what} {drift.number} {drift.change}"
    if drift.offset >= 0:
        text += f" at about byte {drift.offset}"
    if not drift.hint:
        return text
    return f"{text}: it looks like {'an' if drift.hint == 'id' else 'a'} {drift.hint}"
