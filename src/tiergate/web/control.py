"""All routes but the hot ones: health, models, metrics, spend, probes, and what is not there.

Small JSON answers made from what other parts tell; nothing is decided here but who may look.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import parse_qsl, unquote

import msgspec

from tiergate import __version__
from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.core.caller import Caller
from tiergate.web import admin, wire
from tiergate.web.aliases import visible_names
from tiergate.web.data_plane import (
    ROUTES,
    ControlHandler,
    RsgiProtocol,
    RsgiScope,
    check_headers,
    dialect_of,
    read_body,
    send_refused,
)
from tiergate.web.inference import Serving
from tiergate.web.metrics_format import metrics_type, wants_openmetrics

_JSON = [wire.JSON_TYPE]
_METRICS = "/metrics"
_READINESS = "/health/readiness"
_PAGES = "/ui"

PLANNED = {
    "/responses": "The OpenAI Responses API is not served yet; use /v1/chat/completions.",
    "/batches": "Batches are not served yet.",
    "/files": "Files are not served yet.",
}
"""Routes that a later release brings; asked for by name, answered by name."""


class Insight(Protocol):
    """What the control routes show; implemented by the wiring."""

    def readiness(self) -> tuple[bool, JsonObject]:
        """Tell whether calls should be sent here, and the state of the parts."""
        ...

    def details(self) -> tuple[bool, JsonObject]:
        """Tell the same, with the deployments of each alias by state."""
        ...

    def deployments(self) -> list[JsonObject]:
        """Describe each deployment without its secrets: id, alias, state, why it is off."""
        ...

    async def spend(self) -> JsonObject:
        """Return `{"spend": USD, ...}` of the whole gateway."""
        ...

    async def provider_budgets(self) -> JsonObject:
        """Return LiteLLM's `{"providers": {...}}`."""
        ...

    async def budgets(self) -> list[JsonObject]:
        """Return every budget as SEMANTICS section 4 lists it."""
        ...

    async def metrics(self, *, openmetrics: bool) -> bytes:
        """Return the Prometheus text, in the format of OpenMetrics if that is asked for."""
        ...

    def started(self) -> int:
        """Return the Unix time of the start, in seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a control route."""

    path: str
    headers: dict[str, str]
    caller: Caller | None = None
    query: str = ""


Route = Callable[[Request, Serving], Awaitable[tuple[int, Json]]]


class Control:
    """Handles every route that is not hot.

    Args:
        serving: Gives the configuration in force.
        insight: What there is to show.
        new_id: Gives a fresh call id.
        routes: The administrative routes.
        pages: Answers `/ui` and what is below; None where there is no dashboard.
    """

    def __init__(
        self,
        serving: Callable[[], Serving],
        insight: Insight,
        new_id: Callable[[], str],
        routes: Sequence[admin.Route] = (),
        pages: ControlHandler | None = None,
    ) -> None:
        self._serving = serving
        self._insight = insight
        self._new_id = new_id
        self._routes = admin.Routes(routes)
        self._pages = pages
        self._open: dict[str, Route] = {
            "/": self._root,
            "/health/liveliness": self._alive,
            "/health/liveness": self._alive,
            _READINESS: self._readiness,
        }
        self._shared: dict[str, Route] = {
            "/v1/models": self._models,
            "/models": self._models,
        }
        self._keyed: dict[str, Route] = {
            "/health": self._health,
            "/health/readiness/details": self._details,
            "/v1/model/info": self._model_info,
            "/model/info": self._model_info,
            "/global/spend": self._spend,
            "/spend": self._spend,
            "/provider/budgets": self._provider_budgets,
            "/budgets": self._budgets,
        }

    async def handle(self, scope: RsgiScope, proto: RsgiProtocol, headers: dict[str, str]) -> None:
        """Answer one request."""
        path = scope.path.rstrip("/") or "/"
        serving = self._serving()
        if (
            self._pages is not None
            and serving.access.dashboard
            and (path == _PAGES or path.startswith(f"{_PAGES}/"))
        ):
            await self._pages(scope, proto, headers)
            return
        try:
            check_headers(headers, serving.access)
            await self._route(scope, path, proto, headers, serving)
        except Refused as refused:
            dialect = Dialect.ANTHROPIC if "anthropic-version" in headers else dialect_of(path)
            send_refused(proto, refused, dialect, self._new_id())

    async def _route(
        self,
        scope: RsgiScope,
        path: str,
        proto: RsgiProtocol,
        headers: dict[str, str],
        serving: Serving,
    ) -> None:
        method = scope.method
        found = self._routes.find(method, path)
        if isinstance(found, admin.Found):
            await self._administer(scope, proto, headers, serving, found)
            return
        match method:
            case "HEAD":
                # A probe asks whether somebody is there, nothing else (Claude Code's first call).
                ready = path != _READINESS or self._insight.readiness()[0]
                proto.response_empty(200 if ready else 503, list(_JSON))
            case "OPTIONS":
                proto.response_empty(204, [("allow", "DELETE, GET, HEAD, OPTIONS, POST")])
            case "GET":
                await self._get(scope, path, proto, headers, serving)
            case _:
                await serving.gate.caller(headers)
                raise self._not_here(method, path)

    async def _administer(
        self,
        scope: RsgiScope,
        proto: RsgiProtocol,
        headers: dict[str, str],
        serving: Serving,
        found: admin.Found,
    ) -> None:
        gate, route = serving.gate, found.route
        caller = await (gate.caller(headers) if route.keys else gate.admin(headers))
        body: JsonObject = {}
        if scope.method != "GET":
            body = admin.read_object(await read_body(proto, headers, serving.access))
        told = await route.handler(
            admin.Asked(
                method=scope.method,
                path=scope.path.rstrip("/"),
                query=admin.read_query(scope.query_string),
                headers=headers,
                body=body,
                caller=caller,
                rest=unquote(found.rest),
            )
        )
        encoded = told.body if isinstance(told.body, bytes) else msgspec.json.encode(told.body)
        heads = [("content-type", told.content_type), *told.headers]
        proto.response_bytes(told.status, heads, encoded)

    async def _get(
        self,
        scope: RsgiScope,
        path: str,
        proto: RsgiProtocol,
        headers: dict[str, str],
        serving: Serving,
    ) -> None:
        if path == _METRICS:
            if serving.metrics_guarded:
                await serving.gate.admin(headers)
            openmetrics = wants_openmetrics(headers.get("accept", ""))
            page = await self._insight.metrics(openmetrics=openmetrics)
            proto.response_bytes(200, [("content-type", metrics_type(openmetrics))], page)
            return
        route = self._open.get(path)
        caller: Caller | None = None
        if route is None:
            caller = await serving.gate.caller(headers)
            route = self._shared.get(path) or self._one_model(path)
        if route is None and (route := self._keyed.get(path)) is not None:
            await serving.gate.admin(headers)
        if route is None:
            raise self._not_here("GET", path)
        request = Request(path, headers, caller, scope.query_string)
        status, body = await route(request, serving)
        proto.response_bytes(status, list(_JSON), msgspec.json.encode(body))

    def _not_here(self, method: str, path: str) -> Refused:
        if path in ROUTES:
            return _wrong_method(method, "POST")
        if {path} & {*self._open, *self._shared, *self._keyed, _METRICS}:
            return _wrong_method(method, "GET")
        other = self._routes.find(method, path)
        if isinstance(other, tuple):
            return _wrong_method(method, ", ".join(other))
        for end, sentence in PLANNED.items():
            if path.removeprefix("/v1").startswith(end):
                return Refused(404, sentence, code="not_served_yet", type="not_found_error")
        return Refused(
            404,
            "There is no such route. Models are called at /v1/chat/completions, /v1/completions, "
            "/v1/embeddings and /v1/messages; GET /v1/models lists the aliases.",
            code="unknown_route",
            type="not_found_error",
        )

    # ------------------------------------------------------------------ routes

    async def _root(self, request: Request, serving: Serving) -> tuple[int, Json]:
        del request, serving
        return 200, {"name": "Tiergate", "version": __version__, "models": "/v1/models"}

    async def _alive(self, request: Request, serving: Serving) -> tuple[int, Json]:
        del request, serving
        return 200, "I'm alive!"

    async def _readiness(self, request: Request, serving: Serving) -> tuple[int, Json]:
        del request, serving
        ready, parts = self._insight.readiness()
        return (200 if ready else 503), parts

    async def _details(self, request: Request, serving: Serving) -> tuple[int, Json]:
        del request, serving
        ready, parts = self._insight.details()
        return (200 if ready else 503), parts

    async def _health(self, request: Request, serving: Serving) -> tuple[int, Json]:
        """What LiteLLM finds out by paid calls is known here from traffic; it costs nothing."""
        del serving
        found = self._insight.deployments()
        wanted = dict(parse_qsl(request.query)).get("model")
        if wanted is not None:
            found = [each for each in found if each.get("model_name") == wanted]
        healthy: list[Json] = [d for d in found if d.get("state") == "ready"]
        unhealthy: list[Json] = [d for d in found if d.get("state") != "ready"]
        return 200, {
            "healthy_endpoints": healthy,
            "unhealthy_endpoints": unhealthy,
            "healthy_count": len(healthy),
            "unhealthy_count": len(unhealthy),
        }

    async def _models(self, request: Request, serving: Serving) -> tuple[int, Json]:
        names = _usable(visible_names(serving.rules), request.caller, serving)
        return 200, {
            "object": "list",
            "data": [self._model(name) for name in names],
            "has_more": False,
            "first_id": names[0] if names else None,
            "last_id": names[-1] if names else None,
        }

    def _model(self, name: str) -> JsonObject:
        """One alias, in a form that OpenAI and Anthropic clients both read."""
        created = self._insight.started()
        return {
            "id": name,
            "object": "model",
            "created": created,
            "owned_by": "tiergate",
            "type": "model",
            "display_name": name,
            "created_at": _rfc3339(created),
        }

    def _one_model(self, path: str) -> Route | None:
        for start in ("/v1/models/", "/models/"):
            if path.startswith(start):
                name = unquote(path[len(start) :])
                return lambda request, serving: self._named_model(name, request, serving)
        return None

    async def _named_model(
        self, name: str, request: Request, serving: Serving
    ) -> tuple[int, Json]:
        if not _usable([name] if name in serving.rules.names else [], request.caller, serving):
            known = ", ".join(_usable(visible_names(serving.rules), request.caller, serving))
            raise Refused(
                404,
                f"There is no such model alias. Known aliases: {known}.",
                code="model_not_found",
                type="not_found_error",
                param="model",
            )
        return 200, self._model(name)

    async def _model_info(self, request: Request, serving: Serving) -> tuple[int, Json]:
        del request, serving
        data: list[Json] = list(self._insight.deployments())
        return 200, {"data": data}

    async def _spend(self, request: Request, serving: Serving) -> tuple[int, Json]:
        del request, serving
        return 200, await self._insight.spend()

    async def _provider_budgets(self, request: Request, serving: Serving) -> tuple[int, Json]:
        del request, serving
        return 200, await self._insight.provider_budgets()

    async def _budgets(self, request: Request, serving: Serving) -> tuple[int, Json]:
        del request, serving
        rows: list[Json] = list(await self._insight.budgets())
        return 200, {"budgets": rows}


def _usable(names: Sequence[str], caller: Caller | None, serving: Serving) -> list[str]:
    """Return those of some alias names that a caller may use."""
    if caller is None or caller.aliases is None:
        return list(names)
    return [name for name in names if serving.rules.may_use(name, caller)]


def _wrong_method(method: str, right: str) -> Refused:
    return Refused(
        405,
        f"{method} is not possible here; use {right}.",
        code="method_not_allowed",
        headers=(("allow", f"{right}, HEAD, OPTIONS"),),
    )


def _rfc3339(seconds: int) -> str:
    """Write a Unix time as Anthropic's model list does."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
