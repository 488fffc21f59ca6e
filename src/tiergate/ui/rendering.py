"""Turns a page's values into HTML: the templates, and what they call to write amounts and times.

Everything that is not ours is escaped. A template decides nothing but how things look.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from importlib import resources
from types import MappingProxyType
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from tiergate import __version__
from tiergate.ui import words

_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
        ".txt": "text/plain; charset=utf-8",
    }
)


@dataclass(frozen=True, slots=True)
class File:
    """A file that browsers load beside a page; `mark` changes with its content."""

    body: bytes
    content_type: str
    mark: str


@dataclass(frozen=True, slots=True)
class Moment:
    """The instant at which a page is made, and the zone in which it writes times."""

    now: float
    zone: tzinfo

    def exact(self, wall: float) -> str:
        """Write a Unix time with its zone."""
        return words.instant(wall, self.zone)

    def machine(self, wall: float) -> str:
        """Write a Unix time for machines."""
        return words.machine_instant(wall)

    def relative(self, wall: float) -> str:
        """Write how far a Unix time is from the page's own."""
        return words.relative(wall, self.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page.

    Attributes:
        template: The file in `templates`.
        title: What it is called in the browser and in its headline.
        place: Which entry of the menu it belongs to: the path.
        data: What the template shows.
        status: HTTP status.
        live: Seconds after which the script loads it anew; 0 for never.
        charts: Whether it has charts.
    """

    template: str
    title: str
    place: str
    data: Mapping[str, object]
    status: int = 200
    live: int = 0
    charts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands round every page.

    Attributes:
        moment: When it is made.
        token: The token of its forms.
        signed_in: Whether somebody can sign out.
        said: What the last change did, in a sentence; or empty.
    """

    moment: Moment
    token: str
    signed_in: bool
    said: str = ""


MENU: Final = (
    ("/ui", "Overview"),
    ("/ui/budgets", "Budgets"),
    ("/ui/costs", "Costs"),
    ("/ui/requests", "Requests"),
    ("/ui/deployments", "Deployments"),
    ("/ui/routes", "Fallbacks"),
    ("/ui/caches", "Caches"),
    ("/ui/keys", "Keys"),
    ("/ui/check", "Check"),
)


class Renderer:
    """Makes pages."""

    def __init__(self) -> None:
        self.files = _files()
        self._environment = Environment(
            loader=PackageLoader("tiergate.ui", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        filters: dict[str, Callable[..., str]] = {
            "usd": words.usd,
            "exact_usd": words.exact_usd,
            "share": words.share,
            "points": words.points,
            "number": words.number,
            "short": words.short_number,
            "size": words.size,
            "took": words.took,
            "span": words.span,
        }
        self._environment.filters.update(filters)

    def html(self, page: Page, frame: Frame) -> bytes:
        """Return a page."""
        marks = {name: file.mark for name, file in self.files.items()}
        text = self._environment.get_template(page.template).render(
            {
                **page.data,
                "page": page,
                "frame": frame,
                "moment": frame.moment,
                "menu": MENU,
                "marks": marks,
                "version": __version__,
            }
        )
        return text.encode("utf-8", "replace")


def _files() -> Mapping[str, File]:
    """Read what browsers load; a name that is not there cannot be asked for."""
    found: dict[str, File] = {}
    for each in resources.files("tiergate.ui").joinpath("static").iterdir():
        kind = _TYPES.get(f".{each.name.rpartition('.')[2]}")
        if kind is not None:
            body = each.read_bytes()
            found[each.name] = File(body, kind, hashlib.sha256(body).hexdigest()[:12])
    return MappingProxyType(found)
