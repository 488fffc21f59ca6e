"""The player keeps count of rules and prefixes, and answers every request without a socket."""

from __future__ import annotations

import json

import pytest

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.mock import player as player_module
from tiergate.mock.player import Performance, Player, Request
from tiergate.mock.rules import Endpoint, Fail, Reply, Rule
from tiergate.mock.script import Respond


def request(path: str, body: JsonObject | bytes = b"", method: str = "POST") -> Request:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = (("Authorization", "Bearer sk-1"), ("content-type", "application/json"))
    return Request(method, path, "", headers, data, 1_700_000_000.5)


def chat(model: str = "m", question: str = "hi") -> Request:
    body: JsonObject = {"model": model, "messages": [{"role": "user", "content": question}]}
    return request("/v1/chat/completions", body)


def cached(system: str) -> Request:
    block: JsonObject = {"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}
    body: JsonObject = {"model": "m", "max_tokens": 9, "system": [block]}
    return request("/v1/messages", {**body, "messages": [{"role": "user", "content": "q"}]})


def answer(performance: Performance) -> Respond:
    (action,) = performance.actions
    assert isinstance(action, Respond)
    return action


def body_of(performance: Performance) -> JsonObject:
    value: Json = json.loads(answer(performance).body)
    assert isinstance(value, dict)
    return value


def test_each_rule_is_counted_for_itself() -> None:
    player = Player([Rule((Fail(500), Reply()), "a"), Rule((Fail(429), Reply()), "b")])
    order = ("a", "b", "a", "b", "a")
    seen = [answer(player.perform(chat(model))).status for model in order]
    assert seen == [500, 429, 200, 200, 200]


def test_new_rules_begin_from_their_first_step() -> None:
    rules = (Rule((Fail(500), Reply())),)
    player = Player(rules)
    player.perform(chat())
    player.use(rules)
    assert player.rules == rules
    assert answer(player.perform(chat())).status == 500


def test_calls_are_recorded_with_what_was_played() -> None:
    player = Player([Rule((Fail(503),), "a")])
    player.perform(chat("a"))
    player.perform(chat("b"))
    first, second = player.records.all()
    assert (first.number, first.model, first.endpoint, first.step) == (1, "a", "chat", "fail")
    assert (second.number, second.step) == (2, "reply")
    assert "sk-1" not in str(first)
    assert first.body == json.loads(chat("a").body)
    assert first.body_bytes == len(chat("a").body)
    assert len(first.body_sha256) == 64
    assert first.at == 1_700_000_000.5


def test_a_marked_prefix_is_written_then_read() -> None:
    player = Player()
    usages = [body_of(player.perform(cached("s" * 400)))["usage"] for _ in range(2)]
    first, second = (usage for usage in usages if isinstance(usage, dict))
    written = first["cache_creation_input_tokens"]
    assert isinstance(written, int)
    assert written > 100
    assert first["cache_read_input_tokens"] == 0
    assert second["cache_read_input_tokens"] == written
    assert second["cache_creation_input_tokens"] == 0


def test_known_prefixes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player_module, "MAX_PREFIXES", 1)
    player = Player()
    player.perform(cached("a"))
    player.perform(cached("b"))
    usage = body_of(player.perform(cached("a")))["usage"]
    assert isinstance(usage, dict)
    assert usage["cache_read_input_tokens"] == 0


def test_models_named_in_rules_are_listed() -> None:
    rules = [Rule((Reply(),), "gpt-9"), Rule((Reply(),), "gpt-*"), Rule((Reply(),), "gpt-9")]
    listed = body_of(Player(rules).perform(request("/v1/models", method="GET")))["data"]
    assert isinstance(listed, list)
    names = [row["id"] for row in listed if isinstance(row, dict)]
    assert names == ["gpt-9", "mock-small", "mock-large"]


def test_the_models_route_can_be_scripted_to_fail() -> None:
    player = Player([Rule((Fail(503),), endpoint=Endpoint.MODELS)])
    assert answer(player.perform(request("/v1/models", method="GET"))).status == 503


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        (request("/v1/nowhere"), 404, "Unknown request URL: POST /v1/nowhere."),
        (request("/v1/messages", method="GET"), 405, "Not allowed to GET on /v1/messages"),
        (request("/v1/models"), 405, "use GET"),
        (request("/v1/chat/completions", b"{"), 400, "not valid JSON"),
        (request("/v1/messages", {"model": "m"}), 400, "max_tokens: Field required"),
    ],
)
def test_a_wrong_request_is_refused_in_its_dialect(asked: Request, status: int, told: str) -> None:
    player = Player()
    performance = player.perform(asked)
    assert answer(performance).status == status
    error = body_of(performance)["error"]
    assert isinstance(error, dict)
    assert told in str(error["message"])
    assert ("type" in body_of(performance)) == ("/messages" in asked.path)
    assert player.records.all()[0].endpoint == ""


def test_what_the_server_cannot_take_in_is_recorded_too() -> None:
    player = Player()
    performance = player.turn_away(request("/v1/messages"), Fail(413))
    assert answer(performance).status == 413
    error = body_of(performance)["error"]
    assert isinstance(error, dict)
    assert error["type"] == "request_too_large"
    assert player.records.all()[0].step == "fail"
