"""`/fallback` over HTTP: LiteLLM's forms, and what a change did in words."""

from __future__ import annotations

import pytest

from support.asking import told
from support.attempts import chain
from support.fallbacks import Desk, Shaky, names, routes_of
from tiergate.config import durations
from tiergate.core.catalog import Chains
from tiergate.web.fallback_routes import FallbackRoutes

FILE = Chains(
    general=chain(cheap="balanced", balanced="frontier"),
    context_window=chain(cheap="frontier"),
    content_policy=chain(cheap="local"),
    budget=chain(frontier="cheap"),
)


class House:
    """The routes over a book of their own."""

    def __init__(self, chains: Chains = FILE, aliases: str = "cheap balanced frontier local"):
        self.desk = Desk(made=routes_of(chains, tuple(aliases.split())))
        self.routes = FallbackRoutes(self.desk.book, durations.seconds).routes()

    def ask(self, method: str, path: str = "/fallback", query: str = "", **body):
        answered = told(self.routes, path, query, method=method, body=body)
        return answered.status, answered.body

    def put(self, model: str = "local", *targets: str, **more):
        return self.ask("POST", model=model, fallback_models=list(targets or ["cheap"]), **more)


def test_all_routes_of_all_kinds_are_listed():
    status, body = House().ask("GET")
    assert status == 200
    assert [(r["fallback_type"], r["model"], r["origin"]) for r in body["fallbacks"]] == [
        ("general", "cheap", "file"),
        ("general", "balanced", "file"),
        ("context_window", "cheap", "file"),
        ("content_policy", "cheap", "file"),
        ("budget", "frontier", "file"),
    ]


def test_one_kind_or_one_alias_is_listed_where_that_is_asked_for():
    house = House()
    house.ask("DELETE", "/fallback/balanced")
    _, body = house.ask("GET", query="fallback_type=general")
    assert [r["model"] for r in body["fallbacks"]] == ["cheap"]
    assert [r["model"] for r in body["switched_off"]] == ["balanced"]
    _, body = house.ask("GET", query="model=cheap")
    assert [r["fallback_type"] for r in body["fallbacks"]] == [
        "general",
        "context_window",
        "content_policy",
    ]
    assert body["switched_off"] == []
    assert house.ask("GET", query="fallback_type=x")[0] == 422


def test_one_route_has_litellms_form():
    status, body = House().ask("GET", "/fallback/cheap")
    assert status == 200
    assert (body["model"], body["fallback_models"], body["fallback_type"]) == (
        "cheap",
        ["balanced"],
        "general",
    )
    _, body = House().ask("GET", "/fallback/cheap", "fallback_type=context_window")
    assert body["fallback_models"] == ["frontier"]


@pytest.mark.parametrize(
    ("alias", "more", "words"),
    [
        ("frontier", "", "No general fallbacks configured for model 'frontier'."),
        ("nobody", "", "There is no such alias."),
        ("balanced", "fallback_type=budget", "No budget fallbacks"),
    ],
)
def test_a_route_that_is_not_there_is_told_as_litellm_does(alias, more, words):
    status, body = House().ask("GET", f"/fallback/{alias}", more)
    assert status == 404
    assert words in body["detail"]["error"]
    assert body["error"]["code"] == "fallback_not_found"


def test_a_route_that_is_not_there_says_what_acts_instead():
    house = House(Chains(general=chain(cheap="balanced"), default=names("local")))
    _, body = house.ask("GET", "/fallback/frontier")
    assert "The default acts for it: [local]." in body["detail"]["error"]
    house.ask("DELETE", "/fallback/cheap")
    _, body = house.ask("GET", "/fallback/cheap")
    assert "The file's route to [balanced] was switched off" in body["detail"]["error"]


def test_a_kind_that_is_not_there_is_malformed():
    status, body = House().ask("GET", "/fallback/cheap", "fallback_type=bogus")
    assert status == 422
    assert body["detail"][0]["loc"] == ["body", "fallback_type"]


def test_a_route_is_created_and_updated_with_litellms_words():
    house = House()
    status, body = house.put("local", "cheap", fallback_type="general", note="why")
    assert status == 200
    assert body["message"] == "Fallback configuration created successfully"
    assert (body["model"], body["fallback_models"], body["fallback_type"], body["origin"]) == (
        "local",
        ["cheap"],
        "general",
        "runtime",
    )
    assert body["effect"] == "The general fallback route of local is [cheap]; it was nothing."
    status, body = house.put("cheap", "frontier", expires_in="2h")
    assert (status, body["message"]) == (200, "Fallback configuration updated successfully")
    assert body["file_models"] == ["balanced"]
    assert body["effect"].endswith("it was [balanced]. It ends at 2026-09-21T16:13:20.000Z.")
    assert body["change"]["before"] == {"models": ["balanced"], "origin": "file"}


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"model": "nobody", "fallback_models": ["cheap"]}, 404, "no model alias `nobody`"),
        ({"model": "cheap", "fallback_models": ["nobody"]}, 400, "no alias `nobody`"),
        ({"model": "cheap", "fallback_models": ["cheap"]}, 400, "itself"),
        ({"model": "cheap", "fallback_models": []}, 400, "is empty"),
        ({"model": "frontier", "fallback_models": ["cheap"]}, 400, "close a cycle"),
        ({"model": "cheap", "fallback_models": ["local", "local"]}, 422, "twice"),
        ({"model": "cheap"}, 422, "is required"),
        ({}, 422, "is required"),
    ],
)
def test_what_makes_no_route_has_its_status(body, status, words):
    house = House()
    found, answer = house.ask("POST", **body)
    assert found == status
    assert words in answer["error"]["message"]
    assert house.ask("GET", "/fallback/audit")[1] == {"changes": []}


def test_removing_is_told_with_litellms_words_and_what_it_did():
    house = House()
    status, body = house.ask("DELETE", "/fallback/cheap", note="too dear")
    assert status == 200
    assert (body["model"], body["fallback_type"]) == ("cheap", "general")
    assert body["message"] == "Fallback configuration deleted successfully"
    assert body["effect"].startswith(
        "The general fallback route of cheap of the file is switched off; it was [balanced]."
    )
    assert house.ask("GET", "/fallback/cheap")[0] == 404
    assert house.ask("DELETE", "/fallback/cheap")[0] == 404
    status, body = house.ask("DELETE", "/fallback/cheap", "origin=runtime")
    assert (status, body["change"]["action"]) == (200, "restored")
    assert house.ask("DELETE", "/fallback/cheap", "origin=runtime")[0] == 404


def test_removing_for_a_time_says_when_the_files_route_comes_back():
    house = House(Chains(general=chain(cheap="balanced"), default=names("local")))
    _, body = house.ask("DELETE", "/fallback/cheap", "expires_in=60")
    assert "The default acts for cheap: [local]." in body["effect"]
    assert body["effect"].endswith("The file's route comes back at 2026-09-21T14:14:20.000Z.")


def test_every_change_is_in_the_audit_log():
    house = House()
    house.put("local", "cheap", note="first")
    house.ask("DELETE", "/fallback/local")
    house.put("cheap", "local", fallback_type="budget")
    _, body = house.ask("GET", "/fallback/audit")
    assert [(c["action"], c["model"]) for c in body["changes"]] == [
        ("set", "cheap"),
        ("removed", "local"),
        ("set", "local"),
    ]
    assert body["changes"][2]["note"] == "first"
    for query, count in (("limit=1", 1), ("model=local", 2), ("fallback_type=budget", 1)):
        assert len(house.ask("GET", "/fallback/audit", query)[1]["changes"]) == count
    status, body = house.ask("GET", "/fallback/audit", "limit=0")
    assert (status, body["error"]["param"]) == (400, "limit")


def test_an_alias_called_audit_has_its_route_like_any_other():
    house = House(Chains(), "cheap audit")
    assert house.put("audit", "cheap")[0] == 200
    assert len(house.ask("GET", query="model=audit")[1]["fallbacks"]) == 1
    assert house.ask("DELETE", "/fallback/audit")[0] == 200


def test_no_route_is_for_virtual_keys():
    assert not any(route.keys for route in House().routes)


def test_while_the_store_is_down_the_last_known_is_shown_and_changes_fail():
    house = House()
    house.put("cheap", "frontier")
    store = house.desk.documents
    assert isinstance(store, Shaky)
    store.down = True
    status, body = house.ask("GET")
    assert status == 200
    assert body["fallbacks"][0]["fallback_models"] == ["frontier"]
    assert "no route to it" in body["store_fault"]
    assert "no route to it" in house.ask("GET", "/fallback/cheap")[1]["store_fault"]
    for asked in (house.put(), house.ask("DELETE", "/fallback/cheap")):
        assert asked[0] == 503
        assert asked[1]["error"]["code"] == "fallback_store_unavailable"
        assert "Nothing is known to have changed" in asked[1]["detail"]["error"]
    assert house.ask("GET", "/fallback/audit")[0] == 503
