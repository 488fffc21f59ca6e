"""Every route that is not hot: who may look, what is shown, what is said of the rest."""

from __future__ import annotations

import pytest

from support.attempts import deployments, settings
from support.jumping import play
from support.rsgi import Proto, Scope
from tiergate import __version__
from tiergate.base.values import AliasName, Dialect, Operation, Secret
from tiergate.core.catalog import Access, Catalog, RouterPolicy
from tiergate.web.access import Gate
from tiergate.web.aliases import RequestRules
from tiergate.web.control import PLANNED, Control
from tiergate.web.data_plane import ROUTES, header_map
from tiergate.web.inference import Serving

KEY = "sk-master-0123456789"
AUTH = {"authorization": f"Bearer {KEY}"}
SETTINGS = settings(
    deployments(cheap="a", balanced="b"),
    RouterPolicy(
        alias_of={"gpt-4": AliasName("cheap"), "h": AliasName("cheap")},
        hidden_aliases=frozenset({"h"}),
    ),
)
OPEN = ("/", "/health/liveliness", "/health/liveness", "/health/readiness")
KEYED = (
    "/v1/models", "/models", "/v1/models/cheap", "/models/cheap", "/health",
    "/health/readiness/details", "/v1/model/info", "/model/info", "/global/spend", "/spend",
    "/provider/budgets", "/budgets",
)  # fmt: skip


class Shown:
    """Implements `web.control.Insight`."""

    ready = True

    def readiness(self):
        return self.ready, {"status": "healthy" if self.ready else "starting"}

    def details(self):
        return self.ready, {"aliases": {"cheap": {"ready": 1}}}

    def deployments(self):
        return [
            {"model_name": "cheap", "state": "ready"},
            {"model_name": "balanced", "state": "cooling"},
        ]

    async def spend(self):
        return {"spend": 1.5}

    async def provider_budgets(self):
        return {"providers": {}}

    async def budgets(self):
        return [{"scope": "gateway"}]

    async def metrics(self, *, openmetrics):
        return b"# EOF\n" if openmetrics else b"metric 1\n"

    def started(self):
        return 1_790_000_000


def ask(
    path: str,
    method: str = "GET",
    headers=AUTH,
    *,
    shown: Shown | None = None,
    guarded: bool = True,
    key: str | None = KEY,
    query: str = "",
) -> Proto:
    serving = Serving(
        gate=Gate(Secret(key) if key else None),
        access=Access(),
        rules=RequestRules.of(Catalog.of(SETTINGS), SETTINGS.router, frozenset()),
        engine=None,
        counting=None,
        settings=SETTINGS,
        metrics_guarded=guarded,
    )
    control = Control(lambda: serving, shown or Shown(), lambda: "made-1")
    proto = Proto()
    scope = Scope(method, path, headers, query)
    play(control.handle(scope, proto, header_map(scope.headers.items())))
    return proto


@pytest.mark.parametrize("path", OPEN)
def test_probes_need_no_key(path):
    assert ask(path, headers={}).status == 200


@pytest.mark.parametrize("path", KEYED)
def test_everything_else_needs_the_key(path):
    assert ask(path, headers={}).status == 401
    assert ask(path, headers={"x-api-key": "wrong"}).status == 401
    assert ask(path, headers={"x-api-key": KEY}).status == 200


@pytest.mark.parametrize("path", [*OPEN, *KEYED])
def test_a_slash_at_the_end_changes_nothing(path):
    assert ask(f"{path}/").status == 200


def test_an_unknown_path_does_not_tell_a_stranger_that_it_is_unknown():
    assert ask("/secret", headers={}).status == 401
    assert ask("/secret", "POST", headers={}).status == 401


def test_metrics_are_guarded_or_open():
    assert ask("/metrics", headers={}).status == 401
    assert ask("/metrics").data == b"metric 1\n"

    proto = ask("/metrics", headers={}, guarded=False)
    assert proto.status == 200
    assert proto.header("content-type").startswith("text/plain; version=0.0.4")


def test_a_scraper_that_asks_for_openmetrics_gets_it():
    accept = {"accept": "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2"}
    proto = ask("/metrics", headers={**AUTH, **accept})
    assert proto.data == b"# EOF\n"
    assert proto.header("content-type").startswith("application/openmetrics-text; version=1.0.0")


def test_readiness_is_503_while_it_cannot_serve():
    shown = Shown()
    shown.ready = False
    proto = ask("/health/readiness", shown=shown)
    assert (proto.status, proto.json) == (503, {"status": "starting"})


def test_a_probe_without_a_body_learns_it_too():
    shown = Shown()
    assert ask("/health/readiness", "HEAD", shown=shown).status == 200
    shown.ready = False
    assert ask("/health/readiness", "HEAD", shown=shown).status == 503
    assert ask("/health/liveness", "HEAD", shown=shown).status == 200


def test_the_details_show_the_aliases_to_who_has_a_key():
    shown = Shown()
    shown.ready = False
    proto = ask("/health/readiness/details", shown=shown)
    assert (proto.status, proto.json) == (503, {"aliases": {"cheap": {"ready": 1}}})
    assert ask("/health/readiness/details", headers={}).status == 401


def test_liveness_is_litellms_word():
    assert ask("/health/liveliness").json == "I'm alive!"


def test_health_counts_without_calling_anybody():
    found = ask("/health").json
    assert (found["healthy_count"], found["unhealthy_count"]) == (1, 1)
    assert found["unhealthy_endpoints"][0]["model_name"] == "balanced"


def test_health_of_one_alias_is_asked_as_in_litellm():
    found = ask("/health", query="model=balanced").json
    assert (found["healthy_count"], found["unhealthy_count"]) == (0, 1)
    assert ask("/health", query="model=other").json["unhealthy_endpoints"] == []


def test_the_root_says_who_is_there():
    assert ask("/").json["version"] == __version__


def test_models_are_listed_for_both_kinds_of_clients():
    found = ask("/v1/models").json

    assert [model["id"] for model in found["data"]] == ["cheap", "balanced", "gpt-4"]
    assert found["object"] == "list"
    assert (found["has_more"], found["first_id"], found["last_id"]) == (False, "cheap", "gpt-4")
    one = found["data"][0]
    assert (one["object"], one["created"], one["owned_by"]) == ("model", 1790000000, "tiergate")
    assert (one["type"], one["display_name"]) == ("model", "cheap")
    assert one["created_at"] == "2026-09-21T14:13:20Z"


def test_one_model_is_found_by_any_of_its_names_even_percent_encoded():
    assert ask("/v1/models/cheap").json["id"] == "cheap"
    assert ask("/v1/models/h").json["id"] == "h"
    assert ask("/v1/models/gpt%2D4").json["id"] == "gpt-4"


def test_an_unknown_model_is_a_404_that_lists_the_known():
    for headers, nested in ((AUTH, "code"), ({**AUTH, "anthropic-version": "x"}, "code")):
        proto = ask("/v1/models/nobody", headers=headers)
        assert proto.status == 404
        assert proto.json["error"][nested] == "model_not_found"
        assert "cheap, balanced, gpt-4" in proto.json["error"]["message"]
    assert proto.json["type"] == "error", "an Anthropic client gets its own shape"


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("/v1/model/info", "data"),
        ("/spend", "spend"),
        ("/global/spend", "spend"),
        ("/provider/budgets", "providers"),
        ("/budgets", "budgets"),
    ],
)
def test_what_is_shown_is_shown(path, member):
    assert member in ask(path).json


def test_head_and_options_are_answered_without_a_key():
    assert ask("/", "HEAD", {}).status == 200
    assert ask("/v1/messages", "HEAD", {}).status == 200
    proto = ask("/v1/messages", "OPTIONS", {})
    assert (proto.status, proto.data) == (204, b"")
    assert "POST" in proto.header("allow")


@pytest.mark.parametrize("path", sorted(ROUTES))
def test_a_hot_route_names_its_method(path):
    proto = ask(path)
    assert (proto.status, proto.header("allow")) == (405, "POST, HEAD, OPTIONS")
    assert ("type" in proto.json) is ("messages" in path)


@pytest.mark.parametrize("path", ["/", "/metrics", "/v1/models", "/health"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_control_route_names_its_method(path, method):
    proto = ask(path, method)
    assert (proto.status, proto.header("allow")) == (405, "GET, HEAD, OPTIONS")
    assert method in proto.json["error"]["message"]


@pytest.mark.parametrize("path", sorted(PLANNED))
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_will_come_is_answered_by_name(path, method):
    for spelling in (path, f"/v1{path}", f"/v1{path}/x"):
        proto = ask(spelling, method)
        assert proto.status == 404
        assert proto.json["error"]["code"] == "not_served_yet"


def test_an_unknown_route_says_where_models_are():
    proto = ask("/v2/whatever", "POST")
    assert proto.status == 404
    assert proto.json["error"]["code"] == "unknown_route"
    assert "/v1/chat/completions" in proto.json["error"]["message"]
    assert proto.header("x-litellm-call-id") == "made-1"


def test_without_a_master_key_web_pages_are_refused_and_programs_are_not():
    assert ask("/v1/models", headers={"host": "localhost:4000"}, key=None).status == 200
    evil = {"host": "localhost:4000", "origin": "https://evil.example"}
    assert ask("/v1/models", headers=evil, key=None).status == 403


def test_headers_over_the_limit_are_a_431():
    assert ask("/v1/models", headers={**AUTH, "x": "y" * 70_000}).status == 431


def test_the_routes_known_here_are_the_routes_of_the_code():
    control = Control(lambda: None, Shown(), lambda: "")
    assert sorted(control._open) == sorted(OPEN)
    named = {path for path in KEYED if not path.endswith("/cheap")}
    assert sorted({**control._keyed, **control._shared}) == sorted(named)
    assert {dialect for dialect, _ in ROUTES.values()} == set(Dialect)
    assert {operation for _, operation in ROUTES.values()} == set(Operation)


@pytest.mark.parametrize(
    ("path", "there"),
    [("/ui", True), ("/ui/", True), ("/ui/keys", True), ("/uikeys", False), ("/v1/ui", False)],
)
def test_the_pages_answer_what_is_below_their_path(path, there):
    assert asked_pages(path, dashboard=True) == ([path] if there else [])


def test_pages_that_are_switched_off_are_not_there():
    assert asked_pages("/ui", dashboard=False) == []


def asked_pages(path: str, *, dashboard: bool) -> list[str]:
    """Which paths reached the pages."""
    reached: list[str] = []

    async def pages(scope, proto, headers):
        reached.append(scope.path)
        proto.response_empty(200, [])

    serving = Serving(
        gate=Gate(Secret(KEY)),
        access=Access(dashboard=dashboard),
        rules=RequestRules.of(Catalog.of(SETTINGS), SETTINGS.router, frozenset()),
        engine=None,
        counting=None,
        settings=SETTINGS,
        metrics_guarded=True,
    )
    control = Control(lambda: serving, Shown(), lambda: "made-1", (), pages)
    proto, scope = Proto(), Scope("GET", path)
    play(control.handle(scope, proto, header_map(scope.headers.items())))
    assert proto.status == (200 if reached else 401)
    return reached
