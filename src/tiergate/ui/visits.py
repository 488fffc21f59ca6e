"""What a page is asked, and what it answers: values between the dashboard and its pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from tiergate.core.caller import Caller
from tiergate.ui.rendering import Moment, Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request to a page by somebody who may see it.

    Attributes:
        moment: When, and in which zone times are written.
        caller: Who.
        query: The query's parameters; of a repeated one the last.
        form: The fields of a form that was sent; empty for a page that is only looked at.
        rest: What the path has after the page's own, decoded.
    """

    moment: Moment
    caller: Caller
    query: Mapping[str, str]
    form: Mapping[str, str]
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """A change was made: the browser is sent to a page that tells of it.

    Attributes:
        path: Of that page.
        said: What was done: a word of `SAID`.
    """

    path: str
    said: str


Reply: TypeAlias = Page | Done
Look: TypeAlias = Callable[[Visit], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Entrance:
    """One address of the dashboard.

    Attributes:
        method: `GET` or `POST`.
        path: Exact; one that ends in `/*` takes one more part.
        look: What it does.
    """

    method: str
    path: str
    look: Look


SAID: Final[Mapping[str, str]] = MappingProxyType(
    {
        "route-set": "The route is set. It acts on calls that begin from now on, on every worker.",
        "route-removed": "The route acts no more.",
        "route-restored": "What was set at run time is gone; the file decides again.",
        "key-blocked": "The key is blocked. Every worker refuses it within a second.",
        "key-unblocked": "The key works again.",
        "key-deleted": "The key is deleted.",
        "cache-cleared": "The cached answers of this namespace are forgotten.",
        "signed-out": "You have signed out.",
    }
)
"""What changes say when they are done. Only these can be shown, whatever an address says."""
