"""Virtual keys against a running gateway: made, limited, spent, blocked, expired, deleted."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from support import fleet as fleets
from support.fleet import answer_in, fleet_of, statuses, store_of
from support.gateway import KEY, Gateway
from support.http_client import Answer
from support.stage import Providers, gateway_of
from tiergate.base.jsontypes import JsonObject

pytestmark = pytest.mark.process

PRICES = {"input_cost_per_token": 0, "output_cost_per_token": 0.001}
CALL = 0.005
"""USD: an answer of the scripted provider has five tokens, and that much is held too."""


def config_of(providers: Providers, folder: Path) -> JsonObject:
    return {
        "model_list": [
            providers.at_openai("cheap", **PRICES),
            providers.at_openai("frontier", **PRICES),
        ],
        "router_settings": {
            "num_retries": 0,
            "disable_cooldowns": True,
            "fallbacks": [{"cheap": ["frontier"]}],
        },
        "general_settings": {"master_key": KEY, "state_dir": str(folder / "state")},
    }


async def ask(gateway: Gateway, key: str, model: str = "cheap", **more: object) -> Answer:
    body: JsonObject = {
        "model": model,
        "max_tokens": 5,
        "messages": [{"role": "user", "content": "hi"}],
        **more,  # pyright: ignore[reportAssignmentType]
    }
    return await gateway.post("/v1/chat/completions", body, key=key)


async def make(gateway: Gateway, **fields: object) -> JsonObject:
    answer = await gateway.post("/key/generate", fields)  # pyright: ignore[reportArgumentType]
    assert answer.status == 200, answer.body
    return answer.json


def error(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["error"]["code"]


@pytest.fixture
async def providers():
    async with Providers() as running:
        yield running


@pytest.fixture
async def gateway(providers, folder):
    async with gateway_of(config_of(providers, folder), folder) as running:
        yield running


async def info(gateway: Gateway, made: JsonObject) -> JsonObject:
    return (await gateway.get(f"/key/info?key={made['token']}")).json["info"]


async def spends(gateway: Gateway, made: JsonObject, usd: float) -> None:
    """Wait until the workers have told each other what a key has spent."""
    shown: JsonObject = {}
    for _ in range(50):
        shown = await info(gateway, made)
        if shown["spend"] == pytest.approx(usd):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(shown)


async def test_a_key_calls_and_what_it_spends_is_told(gateway, providers):
    made = await make(gateway, key_alias="build", max_budget=1, budget_duration="30d")
    assert (await ask(gateway, made["key"])).status == 200
    shown = await info(gateway, made)
    assert 0 < shown["spend"] <= 1
    assert shown["held"] == 0
    assert shown["budget_reset_at"] is not None
    own = await gateway.get("/key/info", key=made["key"])
    assert own.json["info"]["spend"] == shown["spend"]
    assert providers.calls == 1


async def test_a_key_cannot_pass_its_own_budget(gateway, providers):
    one = await make(gateway, max_budget=1.5 * CALL)
    answers = [await ask(gateway, one["key"]) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 429, 429]
    assert error(answers[-1]) == (429, "budget_exceeded")
    assert (await info(gateway, one))["spend"] == pytest.approx(CALL)
    nothing = await make(gateway, max_budget=0)
    told = await ask(gateway, nothing["key"])
    assert error(told) == (429, "budget_exceeded")
    assert told.json["error"]["scope"] == "key"
    assert providers.calls == 1


@pytest.mark.parametrize("kind", ["team", "user"])
async def test_keys_cannot_pass_the_budget_of_their_team_or_user_together(gateway, kind):
    body = {f"{kind}_id": "core", "max_budget": 2.5 * CALL}
    assert (await gateway.post(f"/{kind}/new", body)).status == 200
    keys = [await make(gateway, **{f"{kind}_id": "core"}) for _ in range(3)]
    answers = [await ask(gateway, made["key"]) for made in keys]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[-1].json["error"]["scope"] == kind
    shown = (await gateway.get(f"/{kind}/info?{kind}_id=core")).json[f"{kind}_info"]
    assert shown["spend"] == pytest.approx(2 * CALL)
    assert (await info(gateway, keys[0]))["spend"] == pytest.approx(CALL)


async def test_parallel_calls_of_a_key_stop_at_its_cap(gateway, providers):
    made = await make(gateway, max_budget=4 * CALL)
    answers = await asyncio.gather(*(ask(gateway, made["key"]) for _ in range(30)))
    statuses = [answer.status for answer in answers]
    assert (statuses.count(200), statuses.count(429)) == (4, 26)
    assert (await info(gateway, made))["spend"] == pytest.approx(4 * CALL)
    assert providers.calls == 4


async def test_a_key_may_use_its_aliases_only_not_even_by_fallback(gateway, providers):
    made = await make(gateway, models=["cheap"])
    assert error(await ask(gateway, made["key"], "frontier")) == (403, "key_model_access_denied")
    models = await gateway.get("/v1/models", key=made["key"])
    assert [model["id"] for model in models.json["data"]] == ["cheap"]
    forced = await ask(gateway, made["key"], mock_testing_fallbacks=True)
    assert forced.status == 500
    assert providers.calls == 0
    master = await ask(gateway, KEY, mock_testing_fallbacks=True)
    assert master.header("x-litellm-attempted-fallbacks") == "1"


async def test_blocking_expiry_and_deletion_hold_at_once(gateway):
    made = await make(gateway, duration="2s", key_alias="short")
    assert (await ask(gateway, made["key"])).status == 200
    await gateway.post("/key/block", {"key": made["key"]})
    assert error(await ask(gateway, made["key"])) == (403, "key_blocked")
    await gateway.post("/key/unblock", {"key_alias": "short"})
    assert (await ask(gateway, made["key"])).status == 200
    await asyncio.sleep(2.1)
    assert error(await ask(gateway, made["key"])) == (401, "expired_key")
    await gateway.post("/key/delete", {"keys": [made["token"]]})
    assert error(await ask(gateway, made["key"])) == (401, "invalid_api_key")


async def test_keys_outlive_the_process_and_no_file_holds_them(gateway, folder):
    made = await make(gateway, key_alias="build")
    await gateway.restart(crash=True)
    assert (await ask(gateway, made["key"])).status == 200
    again = await gateway.post("/key/generate", {"key_alias": "build"})
    assert error(again) == (400, "key_alias_taken")
    secret = made["key"][3:].encode()
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if secret in path.read_bytes()]


async def test_another_gateway_sees_a_change_within_a_second(gateway, providers, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    config = config_of(providers, gateway.folder)
    async with gateway_of(config, folder) as other:
        made = await make(gateway)
        assert (await ask(other, made["key"])).status == 200
        await gateway.post("/key/block", {"key": made["key"]})
        await asyncio.sleep(1.0)
        assert error(await ask(other, made["key"])) == (403, "key_blocked")


async def test_a_key_administers_nothing(gateway):
    made = await make(gateway)
    for path, body in (("/key/generate", {}), ("/user/new", {}), ("/team/new", {})):
        answer = await gateway.post(path, body, key=made["key"])
        assert error(answer) == (403, "admin_only"), path
    for path in ("/key/list", "/user/list", "/team/list"):
        assert error(await gateway.get(path, key=made["key"])) == (403, "admin_only"), path
    assert error(await gateway.get("/key/info?key=" + "ab" * 32, key=made["key"])) == (
        403,
        "not_your_key",
    )


async def test_limits_of_a_key_hold(gateway):
    made = await make(gateway, rpm_limit=2)
    statuses = [(await ask(gateway, made["key"])).status for _ in range(3)]
    assert statuses == [200, 200, 429]


async def test_the_log_names_who_changed_what_and_no_key(gateway):
    made = await make(gateway, key_alias="build")
    await gateway.post("/key/update", {"key": made["key"], "rpm_limit": 9})
    output = await gateway.said("key changed")
    line = next(text for text in output.splitlines() if "key changed" in text)
    assert made["token"] in line
    assert "by=master" in line
    assert "fields=rpm_limit" in line
    assert made["key"][3:] not in output


@pytest.mark.parametrize("name", ["sqlite", "redis", "postgres"])
async def test_all_workers_and_gateways_of_a_store_know_the_same_keys(name, providers, tmp_path):
    providers.anthropic.script(answer_in(0.05))
    config: JsonObject = {
        "model_list": [providers.at_anthropic("cheap", **fleets.PRICES)],
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "general_settings": {"master_key": KEY},
    }
    with store_of(name, tmp_path) as store:
        async with fleet_of(config, store, providers, tmp_path) as fleet:
            first = fleet.gateways[0]
            made = await make(first, max_budget=10 * fleets.CALL)
            told = statuses(await fleet.calls(80, "cheap", key=made["key"]))
            assert told == {200: 10, 429: 70}
            for gateway in fleet.gateways:
                await spends(gateway, made, 10 * fleets.CALL)
            await first.post("/key/block", {"key": made["token"]})
            await asyncio.sleep(1.0)
            assert statuses(await fleet.calls(20, "cheap", key=made["key"])) == {403: 20}
            await first.post("/key/unblock", {"key": made["token"]})
            await first.post("/key/update", {"key": made["token"], "max_budget": 1})
            await asyncio.sleep(1.0)
            assert statuses(await fleet.calls(20, "cheap", key=made["key"])) == {200: 20}
