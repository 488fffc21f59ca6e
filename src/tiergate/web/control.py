"""All routes but the hot ones: health, models, metrics, spend, probes, and what is not there.

Small JSON answers made from what other parts tell; nothing is decided here but who may look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import unquote

import msgspec

from tiergate import __version__
from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.web import wire
from tiergate.web.data_plane import (
    ROUTES,
    RsgiProtocol,
    RsgiScope,
    check_headers,
    dialect_of,
    send_refused,
)
from tiergate.web.inference import Serving
from tiergate.web.requests import visible_names

_JSON = [wire.JSON_TYPE]
_METRICS = "/metrics"
_METRICS_TYPE = ("content-type", "text/plain; version=0.0.4; charset=utf-8")

PLANNED = {
    "/responses": "The OpenAI Responses API is not served yet; use /v1/chat/completions.",
    "/batches": "Batches are not served yet.",
    "/files": "Files are not served yet.",
}
"""Routes that a later release brings; asked for by name, answered by name."""


class Insight(Protocol):
    """What the control routes show; implemented by the wiring."""

    def readiness(self) -> tuple[bool, JsonObject]:
        """Tell whether the gateway can serve, and the state of its parts."""
        ...

    def deployments(self) -> list[JsonObject]:
        """Describe each deployment without its secrets: id, alias, state, why it is off."""
        ...

    def spend(self) -> JsonObject:
        """Return `{"spend": USD, ...}` of the whole gateway."""
        ...

    def provider_budgets(self) -> JsonObject:
        """Return LiteLLM's `{"providers": {...}}`."""
        ...

    def budgets(self) -> list[JsonObject]:
        """Return every budget as SEMANTICS section 4 lists it."""
        ...

    def metrics(self) -> bytes:
        """Return the Prometheus text."""
        ...

    def started(self) -> int:
        """Return the Unix time of the start, in seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a control route."""

    path: str
    headers: dict[str, str]


Route = Callable[[Request, Serving], tuple[int, Json]]


class Control:
    """Handles every route that is not hot.

    Args:
        serving: Gives the configuration in force.
        insight: What there is to show.
        new_id: Gives a fresh call id.
    """

    def __init__(
        self, serving: Callable[[], Serving], insight: Insight, new_id: Callable[[], str]
    ) -> None:
        self._serving = serving
        self._insight = insight
        self._new_id = new_id
        self._open: dict[str, Route] = {
            "/": self._root,
            "/health/liveliness": self._alive,
            "/health/liveness": self._alive,
            "/health/readiness": self._readiness,
        }
        self._keyed: dict[str, Route] = {
            "/v1/models": self._models,
            "/models": self._models,
            "/health": self._health,
            "/health/readiness/details": self._readiness,
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
        try:
            check_headers(headers, serving.access)
            self._route(scope.method, path, proto, headers, serving)
        except Refused as refused:
            dialect = Dialect.ANTHROPIC if "anthropic-version" in headers else dialect_of(path)
            send_refused(proto, refused, dialect, self._new_id())

    def _route(
        self,
        method: str,
        path: str,
        proto: RsgiProtocol,
        headers: dict[str, str],
        serving: Serving,
    ) -> None:
        match method:
            case "HEAD":
                # A probe asks whether somebody is there, nothing else (Claude Code's first call).
                proto.response_empty(200, list(_JSON))
            case "OPTIONS":
                proto.response_empty(204, [("allow", "GET, HEAD, OPTIONS, POST")])
            case "GET":
                self._get(path, proto, headers, serving)
            case _:
                serving.gate.check(headers)
                raise self._not_here(method, path)

    def _get(
        self, path: str, proto: RsgiProtocol, headers: dict[str, str], serving: Serving
    ) -> None:
        request = Request(path, headers)
        route = self._open.get(path)
        if route is None and path == _METRICS:
            if serving.metrics_guarded:
                serving.gate.check(headers)
            proto.response_bytes(200, [_METRICS_TYPE], self._insight.metrics())
            return
        if route is None:
            serving.gate.check(headers)
            route = self._keyed.get(path) or self._one_model(path)
        if route is None:
            raise self._not_here("GET", path)
        status, body = route(request, serving)
        proto.response_bytes(status, list(_JSON), msgspec.json.encode(body))

    def _not_here(self, method: str, path: str) -> Refused:
        if path in ROUTES:
            return _wrong_method(method, "POST")
        if path in self._open or path in self._keyed or path == _METRICS:
            return _wrong_method(method, "GET")
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

    def _root(self, request: Request, serving: Serving) -> tuple[int, Json]:
        del request, serving
        return 200, {"name": "Tiergate", "version": __version__, "models": "/v1/models"}

    def _alive(self, request: Request, serving: Serving) -> tuple[int, Json]:
        del request, serving
        return 200, "I'm alive!"

    def _readiness(self, request: Request, serving: Serving) -> tuple[int, Json]:
        del request, serving
        ready, parts = self._insight.readiness()
        return (200 if ready else 503), parts

    def _health(self, request: Request, serving: Serving) -> tuple[int, Json]:
        """What LiteLLM finds out by paid calls is known here from traffic; it costs nothing."""
        del request, serving
        found = self._insight.deployments()
        healthy: list[Json] = [d for d in found if d.get("state") == "ready"]
        unhealthy: list[Json] = [d for d in found if d.get("state") != "ready"]
        return 200, {
            "healthy_endpoints": healthy,
            "unhealthy_endpoints": unhealthy,
            "healthy_count": len(healthy),
            "unhealthy_count": len(unhealthy),
        }

    def _models(self, request: Request, serving: Serving) -> tuple[int, Json]:
        del request
        names = visible_names(serving.rules)
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
                return lambda _request, serving: self._named_model(name, serving)
        return None

    def _named_model(self, name: str, serving: Serving) -> tuple[int, Json]:
        if name not in serving.rules.names:
            known = ", ".join(visible_names(serving.rules))
            raise Refused(
                404,
                f"There is no such model alias. Known aliases: {known}.",
                code="model_not_found",
                type="not_found_error",
                param="model",
            )
        return 200, self._model(name)

    def _model_info(self, request: Request, serving: Serving) -> tuple[int, Json]:
        del request, serving
        data: list[Json] = list(self._insight.deployments())
        return 200, {"data": data}

    def _spend(self, request: Request, serving: Serving) -> tuple[int, Json]:
        del request, serving
        return 200, self._insight.spend()

    def _provider_budgets(self, request: Request, serving: Serving) -> tuple[int, Json]:
        del request, serving
        return 200, self._insight.provider_budgets()

    def _budgets(self, request: Request, serving: Serving) -> tuple[int, Json]:
        del request, serving
        rows: list[Json] = list(self._insight.budgets())
        return 200, {"budgets": rows}


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
