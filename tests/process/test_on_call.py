"""A night on call: a provider fails, the alert fires, traffic is moved for a while, comes back.

Two gateways share one Redis. What the person does is done through what she has: the chat that
alerts go to, the dashboard, the fallback API, the audit log.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from support import anthropic_wire
from support.exchange import json_reply
from support.fleet import Fleet, fleet_of, store_of
from support.gateway import KEY, Gateway, bearer
from support.http_client import Answer, fetch
from support.stage import Providers
from support.upstream import Upstream
from tiergate.base.jsontypes import JsonObject

pytestmark = pytest.mark.process

DOWN = anthropic_wire.error_reply(503, "api_error", "The data centre is on fire.")
HOTFIX_SECONDS = 9


def config_of(providers: Providers) -> JsonObject:
    return {
        "model_list": [
            providers.at_anthropic("cheap"),
            providers.at_openai("balanced"),
        ],
        "general_settings": {"master_key": KEY, "alerting": ["slack"]},
        "router_settings": {"num_retries": 0, "allowed_fails": 1, "cooldown_time": 6},
    }


async def ask(gateway: Gateway, method: str, path: str, body: JsonObject | None = None) -> Answer:
    return await fetch(gateway.port, method, path, body=body, headers=bearer(KEY))


async def shown(gateway: Gateway, path: str) -> str:
    """The words of a dashboard page, after signing in as a browser does."""
    login = await fetch(gateway.port, "GET", "/ui/login")
    cookie = cookies(login)
    token = re.search(r'name="token" value="([^"]+)"', login.body.decode())
    form = f"key={KEY}" + (f"&token={token[1]}" if token else "")
    headers = [("content-type", "application/x-www-form-urlencoded"), ("cookie", cookie)]
    signed = await fetch(
        gateway.port, "POST", "/ui/login", body=form.encode(), headers=tuple(headers)
    )
    assert signed.status in (302, 303), signed
    page = await fetch(gateway.port, "GET", path, headers=(("cookie", cookies(signed)),))
    assert page.status == 200, page
    text = re.sub(r"<(style|script).*?</\1>", " ", page.body.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def cookies(answer: Answer) -> str:
    """What a browser would send back."""
    found = [value.split(";")[0] for name, value in answer.headers if name == "set-cookie"]
    return "; ".join(found)


def messages(chat: Upstream) -> list[str]:
    """What the chat was told."""
    return [json.loads(request.body)["text"] for request in chat.requests]


async def until(true: Callable[[], Awaitable[bool]], seconds: float) -> float:
    """Wait until something is so; give the seconds that it took."""
    begun = time.monotonic()
    while not await true():
        assert time.monotonic() - begun < seconds
        await asyncio.sleep(0.05)
    return time.monotonic() - begun


async def served_by(gateway: Gateway) -> str | None:
    """The alias that serves a call of `cheap`, or None where nobody does."""
    body: JsonObject = {
        "model": "cheap",
        "max_tokens": 5,
        "messages": [{"role": "user", "content": "hello"}],
    }
    answer = await ask(gateway, "POST", "/v1/messages", body)
    return answer.header("x-litellm-model-group") if answer.status == 200 else None


def serves(gateway: Gateway, alias: str | None) -> Callable[[], Awaitable[bool]]:
    async def test() -> bool:
        return await served_by(gateway) == alias

    return test


async def test_the_night(tmp_path: Path) -> None:
    async with Upstream("chat") as chat, Providers() as providers:
        chat.script(json_reply({"ok": True}))
        with store_of("redis", tmp_path) as found:
            store = replace(found, env={"SLACK_WEBHOOK_URL": f"{chat.url}/hook"}, gateways=2)
            async with fleet_of(config_of(providers), store, providers, tmp_path) as fleet:
                await the_night(fleet, providers, chat)


async def the_night(fleet: Fleet, providers: Providers, chat: Upstream) -> None:
    first, second = fleet.gateways
    assert [await served_by(g) for g in fleet.gateways] == ["cheap", "cheap"]

    # The provider begins to fail, and the alert fires.
    providers.anthropic.script(DOWN)
    for _ in range(3):
        for gateway in fleet.gateways:
            assert await served_by(gateway) is None

    async def alerted() -> bool:
        return any("the provider anthropic" in text for text in messages(chat))

    await until(alerted, 10.0)

    # The dashboard shows which deployment is set aside, and that `cheap` has nowhere to go.
    assert "cooling" in (await shown(first, "/ui/deployments")).lower()
    assert "no route." in (await shown(first, "/ui/routes")).lower()

    # She adds a route for a while; both gateways follow it within a second.
    route: JsonObject = {
        "model": "cheap",
        "fallback_models": ["balanced"],
        "expires_in": HOTFIX_SECONDS,
        "note": "anthropic is down",
    }
    made = await ask(first, "POST", "/fallback", route)
    assert made.status == 200, made
    added = time.monotonic()
    for gateway in (second, first):
        await until(serves(gateway, "balanced"), 1.0)
    assert time.monotonic() - added < 2.0
    page = await shown(second, "/ui/routes")
    assert "anthropic is down" in page and "balanced" in page
    # The trail of a call says why it went there.
    assert "balanced" in (await shown(first, "/ui/requests"))

    # The provider recovers: after the cooldown it serves again, with the route still there.
    providers.anthropic.reset()
    for gateway in fleet.gateways:
        await until(serves(gateway, "cheap"), 10.0)

    # The route ends by itself.
    async def gone() -> bool:
        left = [await ask(g, "GET", "/fallback/cheap") for g in fleet.gateways]
        return all(answer.status == 404 for answer in left)

    await until(gone, HOTFIX_SECONDS + 2.0)
    assert time.monotonic() - added >= HOTFIX_SECONDS - 0.1
    providers.anthropic.script(DOWN)
    for gateway in fleet.gateways:
        await until(serves(gateway, None), 1.0)

    # The audit log tells the story, at whichever gateway it is read.
    stories = [(await ask(g, "GET", "/fallback/audit")).json["changes"] for g in fleet.gateways]
    assert stories[0] == stories[1]
    assert [(c["action"], c["model"]) for c in stories[0]] == [
        ("expired", "cheap"),
        ("set", "cheap"),
    ]
    assert stories[0][-1]["note"] == "anthropic is down"
