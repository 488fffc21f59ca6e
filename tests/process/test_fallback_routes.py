"""Fallback routes that are changed while the gateway runs: `/fallback`, as an operator uses it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support import anthropic_wire
from support.fleet import Fleet, fleet_of, store_of
from support.gateway import KEY, Gateway, bearer
from support.http_client import Answer, fetch
from support.servers import running_redis
from support.shapes import CHAT, minimal
from support.stage import Providers, gateway_of
from tiergate.base.jsontypes import JsonObject

pytestmark = pytest.mark.process

DOWN = anthropic_wire.error_reply(503, "api_error", "The data centre is on fire.")
ROUTES: JsonObject = {
    "fallbacks": [{"cheap": ["balanced", "frontier"]}, {"balanced": ["frontier"]}],
    "context_window_fallbacks": [{"cheap": ["balanced"]}, {"balanced": ["frontier"]}],
    "content_policy_fallbacks": [{"cheap": ["balanced"]}],
}


def config_of(providers: Providers, routes: JsonObject = ROUTES) -> JsonObject:
    """The production page's routes; `cheap` is at the provider that fails."""
    return {
        "model_list": [
            providers.at_anthropic("cheap"),
            providers.at_openai("balanced"),
            providers.at_openai("frontier"),
            providers.at_openai("local"),
        ],
        "general_settings": {"master_key": KEY},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True, **routes},
    }


@contextlib.asynccontextmanager
async def house(folder: Path, routes: JsonObject = ROUTES) -> AsyncIterator[Gateway]:
    """One gateway whose alias `cheap` always fails; its state is in files."""
    async with Providers() as providers:
        providers.anthropic.script(DOWN)
        async with gateway_of(config_of(providers, routes), folder / "gateway") as gateway:
            yield gateway


async def ask(gateway: Gateway, method: str, path: str, body: JsonObject | None = None) -> Answer:
    return await fetch(gateway.port, method, path, body=body, headers=bearer(KEY))


async def put(gateway: Gateway, model: str, *targets: str, **more: object) -> Answer:
    body: JsonObject = {"model": model, "fallback_models": list(targets)}
    body.update(more)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return await ask(gateway, "POST", "/fallback", body)


async def served(gateway: Gateway, alias: str = "cheap") -> str | None:
    """The alias that serves a call, or None where nobody does."""
    answer = await gateway.post(CHAT, minimal(CHAT, alias))
    return answer.header("x-litellm-model-group") if answer.status == 200 else None


async def targets(gateway: Gateway, model: str = "cheap") -> list[str] | None:
    """Where a general route leads; both ways to ask agree."""
    listed = (await ask(gateway, "GET", "/fallback")).json["fallbacks"]
    found = [
        row["fallback_models"]
        for row in listed
        if (row["model"], row["fallback_type"]) == (model, "general")
    ]
    one = await ask(gateway, "GET", f"/fallback/{model}")
    if one.status == 404:
        assert found == []
        return None
    assert [one.json["fallback_models"]] == found
    return found[0]


async def acts(gateway: Gateway, alias: str, within: float = 1.0) -> float:
    """Wait until failing calls of `cheap` go to an alias; give the seconds it took."""
    begun = time.monotonic()
    while await served(gateway) != alias:
        assert time.monotonic() - begun < within, f"{alias} never served"
        await asyncio.sleep(0.02)
    return time.monotonic() - begun


# ------------------------------------------------------------------ LiteLLM's shapes


async def test_the_routes_of_the_page_in_litellms_shapes(tmp_path: Path) -> None:
    async with house(tmp_path) as gateway:
        listed = (await ask(gateway, "GET", "/fallback")).json
        assert [(r["fallback_type"], r["model"], r["origin"]) for r in listed["fallbacks"]] == [
            ("general", "cheap", "file"),
            ("general", "balanced", "file"),
            ("context_window", "cheap", "file"),
            ("context_window", "balanced", "file"),
            ("content_policy", "cheap", "file"),
        ]
        one = await ask(gateway, "GET", "/fallback/cheap")
        assert one.status == 200
        expected = {
            "model": "cheap",
            "fallback_models": ["balanced", "frontier"],
            "fallback_type": "general",
        }
        assert expected.items() <= one.json.items()
        kind = await ask(gateway, "GET", "/fallback/cheap?fallback_type=context_window")
        assert kind.json["fallback_models"] == ["balanced"]
        missing = await ask(gateway, "GET", "/fallback/frontier")
        assert missing.status == 404
        assert "No general fallbacks configured" in missing.json["detail"]["error"]
        assert (await ask(gateway, "GET", "/fallback/cheap?fallback_type=bogus")).status == 422

        made = await put(gateway, "frontier", "local", fallback_type="general")
        assert made.status == 200
        assert made.json["message"] == "Fallback configuration created successfully"
        assert (made.json["model"], made.json["fallback_models"]) == ("frontier", ["local"])
        changed = await put(gateway, "cheap", "frontier")
        assert changed.json["message"] == "Fallback configuration updated successfully"
        assert await targets(gateway) == ["frontier"]
        assert await served(gateway) == "frontier"

        gone = await ask(gateway, "DELETE", "/fallback/cheap?fallback_type=general")
        assert gone.status == 200
        assert (gone.json["model"], gone.json["fallback_type"], gone.json["message"]) == (
            "cheap",
            "general",
            "Fallback configuration deleted successfully",
        )
        assert await targets(gateway) is None
        assert await served(gateway) is None
        assert (await ask(gateway, "DELETE", "/fallback/cheap")).status == 404
        back = await ask(gateway, "DELETE", "/fallback/cheap?origin=runtime")
        assert back.json["change"]["action"] == "restored"
        assert await served(gateway) == "balanced"


NO_ROUTES: dict[str, tuple[JsonObject, int]] = {
    "unknown alias": ({"model": "nobody", "fallback_models": ["cheap"]}, 404),
    "unknown target": ({"model": "frontier", "fallback_models": ["nobody"]}, 400),
    "itself": ({"model": "frontier", "fallback_models": ["frontier"]}, 400),
    "no target": ({"model": "frontier", "fallback_models": []}, 400),
    "cycle": ({"model": "frontier", "fallback_models": ["cheap"]}, 400),
    "twice": ({"model": "frontier", "fallback_models": ["local", "local"]}, 422),
    "no list": ({"model": "frontier", "fallback_models": "local"}, 422),
    "no alias": ({"fallback_models": ["local"]}, 422),
    "unknown type": (
        {"model": "frontier", "fallback_models": ["local"], "fallback_type": "bogus"},
        422,
    ),
    "no time": (
        {"model": "frontier", "fallback_models": ["local"], "expires_in": "soon"},
        422,
    ),
}


async def test_what_makes_no_route_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    async with house(tmp_path) as gateway:
        for name, (body, status) in NO_ROUTES.items():
            answer = await ask(gateway, "POST", "/fallback", body)
            assert answer.status == status, name
            assert answer.json["error"]["message"]
            assert answer.json["detail"]
        unknown = await put(gateway, "nobody", "cheap")
        assert unknown.json["detail"]["available_models"] == [
            "balanced",
            "cheap",
            "frontier",
            "local",
        ]
        assert await targets(gateway, "frontier") is None
        assert (await ask(gateway, "GET", "/fallback/audit")).json == {"changes": []}


async def test_only_the_administrator_may_look_or_change(tmp_path: Path) -> None:
    async with house(tmp_path) as gateway:
        made = await gateway.post("/key/generate", {})
        asks = (
            ("GET", "/fallback", None),
            ("GET", "/fallback/cheap", None),
            ("GET", "/fallback/audit", None),
            ("POST", "/fallback", {"model": "cheap", "fallback_models": ["local"]}),
            ("DELETE", "/fallback/cheap", None),
        )
        for key, status in ((None, 401), ("sk-wrong", 401), (made.json["key"], 403)):
            for method, path, body in asks:
                answer = await fetch(gateway.port, method, path, body=body, headers=bearer(key))
                assert answer.status == status, (method, path, key)
        assert await targets(gateway) == ["balanced", "frontier"]


# ------------------------------------------------------------------ each kind acts


@pytest.mark.parametrize(
    ("kind", "reply"),
    [
        ("general", DOWN),
        ("context_window", anthropic_wire.overflow_reply()),
        ("content_policy", anthropic_wire.refusal_reply()),
    ],
)
async def test_a_route_of_each_kind_acts_for_its_failures(tmp_path: Path, kind, reply) -> None:
    async with Providers() as providers:
        providers.anthropic.script(reply)
        config = config_of(providers, {})
        async with gateway_of(config, tmp_path / "gateway") as gateway:
            assert await served(gateway) is None
            assert (await put(gateway, "cheap", "local", fallback_type=kind)).status == 200
            assert await served(gateway) == "local"


async def test_a_budget_route_acts_when_the_alias_is_over_its_budget(tmp_path: Path) -> None:
    async with Providers() as providers:
        config = config_of(providers, {})
        config["model_max_budget"] = {"cheap": 0}
        async with gateway_of(config, tmp_path / "gateway") as gateway:
            assert await served(gateway) is None
            assert (await put(gateway, "cheap", "local", fallback_type="budget")).status == 200
            assert await served(gateway) == "local"


# ------------------------------------------------------------------ time, restarts, reloads


async def test_a_hotfix_ends_by_itself(tmp_path: Path) -> None:
    async with house(tmp_path) as gateway:
        asked = time.time()
        answer = await put(gateway, "cheap", "local", expires_in=2, note="hotfix")
        assert answer.json["expires_at"] is not None
        assert await served(gateway) == "local"
        while await served(gateway) == "local":
            assert time.time() - asked < 3.0, "the route outlived its time"
            await asyncio.sleep(0.02)
        assert time.time() - asked >= 1.95
        assert await targets(gateway) == ["balanced", "frontier"]
        changes = (await ask(gateway, "GET", "/fallback/audit")).json["changes"]
        assert [(c["action"], c["author"], c["note"]) for c in changes] == [
            ("expired", "expiry", "hotfix"),
            ("set", "master", "hotfix"),
        ]
        assert changes[0]["at"] == changes[1]["expires_at"]


async def test_what_was_changed_outlives_restarts_crashes_and_reloads(tmp_path: Path) -> None:
    async with house(tmp_path) as gateway:
        await put(gateway, "cheap", "local", note="kept")
        await ask(gateway, "DELETE", "/fallback/balanced")
        for crash in (True, False):
            await gateway.restart(crash=crash)
            assert await served(gateway) == "local", "from the first request on"
            assert await targets(gateway, "balanced") is None
        gateway.reload_signal()
        await gateway.said("reloaded")
        assert await served(gateway) == "local"
        listed = (await ask(gateway, "GET", "/fallback")).json
        assert [row["model"] for row in listed["switched_off"]] == ["balanced"]
        assert listed["conflicts"] == []


async def test_a_file_that_says_something_else_is_a_conflict_that_is_told(tmp_path: Path) -> None:
    async with Providers() as providers:
        providers.anthropic.script(DOWN)
        async with gateway_of(config_of(providers), tmp_path / "gateway") as gateway:
            await put(gateway, "cheap", "local")
            await put(gateway, "local", "frontier")
            changed = config_of(providers, {"fallbacks": [{"cheap": ["frontier"]}]})
            changed["model_list"] = changed["model_list"][:3]  # pyright: ignore[reportArgumentType, reportIndexIssue, reportCallIssue]
            gateway.reload(changed)
            output = await gateway.said("reloaded")
            assert await served(gateway) == "frontier", "no target is left, so the file acts"
            told = (await ask(gateway, "GET", "/fallback")).json
            assert [(c["model"], c["conflict"]) for c in told["conflicts"]] == [
                ("cheap", "targets_gone"),
                ("cheap", "file_changed"),
                ("local", "alias_gone"),
            ]
            assert "a fallback route set at run time and the file differ" in output
            said = len(gateway.output)
            await gateway.restart()
            assert "and now the file says [frontier]" in gateway.output[said:]
            assert (await ask(gateway, "DELETE", "/fallback/local?origin=runtime")).status == 200
            await ask(gateway, "DELETE", "/fallback/cheap?origin=runtime")
            told = (await ask(gateway, "GET", "/fallback")).json
            assert told["conflicts"] == told["inactive"] == []


# ------------------------------------------------------------------ workers and replicas


@contextlib.asynccontextmanager
async def fleet(name: str, folder: Path) -> AsyncIterator[Fleet]:
    with store_of(name, folder) as store:
        async with Providers() as providers:
            providers.anthropic.script(DOWN)
            async with fleet_of(config_of(providers), store, providers, folder) as found:
                yield found


@pytest.mark.parametrize("name", ["redis", "postgres"])
async def test_a_route_acts_at_every_replica_within_a_second(name: str, tmp_path: Path) -> None:
    async with fleet(name, tmp_path) as found:
        first, *others = found.gateways
        assert (await put(first, "cheap", "local", note="hotfix")).status == 200
        assert await served(first) == "local"
        assert max([await acts(other, "local") for other in others]) < 1.0
        assert await targets(others[0]) == ["local"]
        await others[0].restart(crash=True)
        assert await served(others[0]) == "local"
        assert (await ask(others[0], "DELETE", "/fallback/cheap?origin=runtime")).status == 200
        await acts(first, "balanced")
        changes = [(await ask(g, "GET", "/fallback/audit")).json for g in found.gateways]
        assert all(each == changes[0] for each in changes)
        assert [c["action"] for c in changes[0]["changes"]] == ["removed", "set"]


async def test_a_route_acts_in_every_worker_within_a_second(tmp_path: Path) -> None:
    async with fleet("sqlite", tmp_path) as found:
        (gateway,) = found.gateways
        assert (await put(gateway, "cheap", "local")).status == 200
        assert await targets(gateway) == ["local"], "whichever worker is asked"
        begun = time.monotonic()
        await acts(gateway, "local")
        await asyncio.sleep(max(0.0, begun + 1.0 - time.monotonic()))
        found_now = await asyncio.gather(*(served(gateway) for _ in range(40)))
        assert set(found_now) == {"local"}


async def test_while_the_store_is_down_routes_act_and_changes_fail(tmp_path: Path) -> None:
    with running_redis(tmp_path / "redis") as server:
        async with Providers() as providers:
            providers.anthropic.script(DOWN)
            config = config_of(providers)
            place = {"redis_host": "127.0.0.1", "redis_port": server.port}
            config["router_settings"] = {**config["router_settings"], **place}  # pyright: ignore[reportGeneralTypeIssues]
            async with gateway_of(config, tmp_path / "gateway") as gateway:
                await put(gateway, "cheap", "local", expires_in=4)
                server.stop()
                assert await served(gateway) == "local"
                refused = await put(gateway, "cheap", "frontier")
                assert refused.status == 503
                assert refused.json["error"]["code"] == "fallback_store_unavailable"
                shown = await ask(gateway, "GET", "/fallback")
                assert shown.json["fallbacks"][0]["fallback_models"] == ["local"]
                assert "does not answer" in shown.json["store_fault"]
                await acts(gateway, "balanced", within=6.0)
                server.start()
                await gateway.said("changes of fallback routes are seen again", 10.0)
                assert (await put(gateway, "cheap", "frontier")).status == 200


# ------------------------------------------------------------------ the command line


async def test_the_command_line_changes_a_running_gateway(tmp_path: Path) -> None:
    async with house(tmp_path) as gateway:

        async def run(*words: str) -> str:
            process = await asyncio.create_subprocess_exec(
                str(Path(sys.executable).with_name("tiergate")), "fallback", words[0],
                "--url", gateway.url, *words[1:],
                env={**os.environ, "TIERGATE_MASTER_KEY": KEY},
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
            out, _ = await process.communicate()
            assert process.returncode == 0, out.decode()
            return out.decode()

        said = await run("add", "cheap", "local", "--expires-in", "2h", "--author", "ada")
        assert "is [local]; it was [balanced, frontier]. It ends at" in said
        assert await served(gateway) == "local"
        listed = json.loads(await run("list", "--json"))
        assert listed["fallbacks"][0]["author"] == "ada"
        await run("remove", "cheap", "--note", "too dear")
        assert await served(gateway) is None
        await run("restore", "cheap")
        assert await served(gateway) == "balanced"
        assert "too dear" in await run("audit")
