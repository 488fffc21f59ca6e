"""Rules are set and calls are seen over the control routes."""

from __future__ import annotations

import json

import pytest

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.mock.control import control
from tiergate.mock.player import Player, Request
from tiergate.mock.rules import Fail, Rule


def ask(player: Player, method: str, what: str, body: bytes = b"") -> tuple[int, JsonObject]:
    answer = control(player, Request(method, f"/_mock/{what}", "", (), body, 0.0))
    value: Json = json.loads(answer.body)
    assert isinstance(value, dict)
    assert answer.headers["content-type"] == "application/json"
    return answer.status, value


def test_rules_are_put_shown_and_removed() -> None:
    player = Player()
    put = ask(player, "PUT", "rules", b'{"rules": [{"model": "a*", "steps": [429]}]}')
    assert put == (200, {"rules": 1})
    assert player.rules == (Rule((Fail(429),), "a*"),)
    status, shown = ask(player, "GET", "rules")
    assert status == 200
    assert ask(player, "PUT", "rules", json.dumps(shown).encode()) == (200, {"rules": 1})
    assert ask(player, "DELETE", "rules") == (200, {"rules": 0})
    assert player.rules == ()


def test_wrong_rules_change_nothing_and_are_told() -> None:
    player = Player([Rule((Fail(429),))])
    status, told = ask(player, "PUT", "rules", b'[{"steps": ["oops"]}]')
    assert status == 400
    assert "'oops' is not a step" in str(told["error"])
    assert player.rules == (Rule((Fail(429),)),)


def test_calls_are_shown_and_forgotten() -> None:
    player = Player()
    player.perform(Request("GET", "/v1/models", "a=b", (("x", "y"),), b"", 5.0))
    status, shown = ask(player, "GET", "calls")
    calls = shown["calls"]
    assert status == 200
    assert isinstance(calls, list)
    call = calls[0]
    assert isinstance(call, dict)
    assert (call["path"], call["query"], call["headers"]) == ("/v1/models", "a=b", {"x": "y"})
    assert ask(player, "DELETE", "calls") == (200, {"calls": 0})
    assert player.records.all() == ()


@pytest.mark.parametrize(("method", "what"), [("POST", "rules"), ("GET", "else")])
def test_other_control_routes_do_not_exist(method: str, what: str) -> None:
    status, told = ask(Player(), method, what)
    assert status == 404
    assert "Control routes" in str(told["error"])
