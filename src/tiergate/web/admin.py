"""Routes that read and change what the gateway knows: their table, their requests and answers.

What a route does is written where its matter is (`web.keys`, `web.spend`, `web.escalations`);
here stand the form of a route and how a body is read. Nothing is decided but who may ask.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.core.caller import Caller

_OBJECT: msgspec.json.Decoder[JsonObject] = msgspec.json.Decoder(dict[str, Any])
_NO_WORDS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request to an administrative route.

    Attributes:
        method: `GET`, `POST`, `DELETE`, ...
        path: Without a slash at the end.
        query: The query's parameters; of a repeated one the last.
        headers: Lower-cased names.
        body: The decoded JSON object; empty without a body.
        caller: Who asks.
        rest: What the path has after the route's own (`/fallback/{name}`), decoded.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=lambda: _NO_WORDS)
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_WORDS, repr=False)
    body: JsonObject = field(default_factory=dict[str, Json], repr=False)
    caller: Caller
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """The answer of a route: JSON, or text of another type; `headers` stand beside its type."""

    body: Json | bytes
    status: int = 200
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


Handler = Callable[[Asked], Awaitable[Told]]


@dataclass(frozen=True, slots=True)
class Route:
    """One administrative route.

    Attributes:
        method: The HTTP method.
        path: Exact path without a slash at the end; one that ends in `/*` takes whatever follows.
        handler: What it does.
        keys: Whether holders of virtual keys may ask too; the handler then decides what they see.
    """

    method: str
    path: str
    handler: Handler
    keys: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A route, and what the path has after the route's own."""

    route: Route
    rest: str


class Routes:
    """Finds the route of a request."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._exact: dict[str, dict[str, Route]] = {}
        self._open_ended: dict[str, dict[str, Route]] = {}
        for route in routes:
            if route.path.endswith("/*"):
                self._open_ended.setdefault(route.path[:-2], {})[route.method] = route
            else:
                self._exact.setdefault(route.path, {})[route.method] = route

    def find(self, method: str, path: str) -> Found | tuple[str, ...] | None:
        """Find the route of a path.

        Returns:
            The route; the methods that the path has, where it has not this one; None where there
            is no such path.
        """
        methods = self._exact.get(path)
        rest = ""
        if methods is None:
            start, _, rest = path.rpartition("/")
            methods = self._open_ended.get(start)
        if methods is None:
            return None
        route = methods.get(method)
        return Found(route, rest) if route is not None else tuple(sorted(methods))


def read_query(text: str) -> Mapping[str, str]:
    """Return the parameters of a query string."""
    return dict(parse_qsl(text, keep_blank_values=True))


def read_object(body: bytes) -> JsonObject:
    """Decode a JSON object; no body is an empty one.

    Raises:
        Refused: 400, when it is something else.
    """
    if not body.strip():
        return {}
    try:
        return _OBJECT.decode(body)
    except msgspec.ValidationError:
        raise Refused(
            400, "The request body must be a JSON object.", code="invalid_json"
        ) from None
    except msgspec.DecodeError as exc:
        raise Refused(
            400, f"The request body is not valid JSON: {exc}.", code="invalid_json"
        ) from None
    except RecursionError:
        raise Refused(400, "The request body is nested too deeply.", code="invalid_json") from None
