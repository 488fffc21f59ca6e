"""A gateway with a month behind it: tiers, budgets, keys, an outage, a hotfix, a call under way.

What the pages of the dashboard are looked at with, by tests and for the pictures in the docs.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from support import anthropic_wire, openai_wire
from support.exchange import Gate, Recorded, Reply, json_reply
from support.gateway import KEY, Gateway
from support.http_client import fetch
from support.ledger import DAY, entry
from support.stage import PROVIDER_KEY, Providers
from tiergate.base.jsontypes import JsonObject
from tiergate.core.ledger import Entry
from tiergate.stores.sqlite import SqliteLedger
from tiergate.wiring.places import LEDGER_FILE

HOSTILE = "<script>alert('x')</script>\"'&"
"""A name that somebody made up; it must never be more than a text on a page."""

TIERS = (
    ("cheap", "haiku-1", "anthropic", "claude-haiku-4-5", 70, (1.0, 5.0)),
    ("balanced", "sonnet-1", "anthropic", "claude-sonnet-4-6", 23, (3.0, 15.0)),
    ("frontier", "opus-1", "anthropic", "claude-opus-4-6", 7, (5.0, 25.0)),
)
"""Alias, deployment, provider, model, its calls of a hundred, USD for a million tokens."""

WEIGHT = 5
"""Each call of the history costs as much as so many: a month of it stays within every budget."""

PHASES = ("triage", "implement", "review", "lint", "plan")
_KEY = "os.environ/PROVIDER_KEY"
_SERVE = (
    str(Path(sys.executable).with_name("tiergate")),
    *("serve", "--config", "config.yaml", "--host", "{host}", "--port", "{port}"),
)
"""Started in its folder, so that pages and pictures name files without a place."""

_LONG = "You review code. " + "Rule: name things for what they are. " * 900


def config(providers: Providers) -> JsonObject:
    """The page's configuration, a second deployment of cheap, and a cache."""

    def at(name: str, model: str, ident: str, **more: object) -> JsonObject:
        made = providers.at_anthropic(name, model, api_key=_KEY, **more)
        return {**made, "model_info": {"id": ident}}

    return {
        "model_list": [
            at("cheap", "claude-haiku-4-5", "haiku-1", order=1),
            {
                **providers.at_openai("cheap", "gpt-5-mini", order=2, api_key=_KEY),
                "model_info": {"id": "mini-1"},
            },
            at("balanced", "claude-sonnet-4-6", "sonnet-1"),
            at("frontier", "claude-opus-4-6", "opus-1", max_budget=0.18, budget_duration="1d"),
        ],
        "router_settings": {
            "fallbacks": [{"cheap": ["balanced", "frontier"]}, {"balanced": ["frontier"]}],
            "context_window_fallbacks": [{"cheap": ["balanced"]}, {"balanced": ["frontier"]}],
            "content_policy_fallbacks": [{"cheap": ["balanced"]}],
            "allowed_fails": 1,
            "cooldown_time": 600,
        },
        "litellm_settings": {
            "budget_duration": "monthly",
            "max_budget": 1200,
            "num_retries": 1,
            "cache": True,
            "cache_params": {"type": "local", "ttl": 3600, "namespace": "backlog"},
        },
        "model_max_budget": {"frontier": 300, "balanced": 600, "cheap": 300},
        "provider_budget_config": {
            "anthropic": {"budget_limit": 1000, "time_period": "1mo"},
            "openai": {"budget_limit": 200, "time_period": "1mo"},
        },
        "general_settings": {"master_key": KEY, "state_dir": "state"},
    }


def history(now: float, days: int = 30, a_day: int = 60) -> Iterator[Entry]:
    """The calls of some days before today (UTC); the same ones every time.

    None of them is of today: what a budget of one day has left must not hang on the hour at
    which the story is told.
    """
    dice = random.Random(7)
    number = 0
    today = now - now % DAY
    for back in range(days, 0, -1):
        midnight = today - back * DAY
        weekend = time.gmtime(midnight).tm_wday >= 5
        for _ in range(a_day // 4 if weekend else a_day):
            number += 1
            alias, ident, provider, model, _, rates = dice.choices(
                TIERS, [tier[4] for tier in TIERS]
            )[0]
            read = dice.choice((0, 0, 40_000, 90_000))
            fresh, out = dice.randrange(2_000, 60_000), dice.randrange(200, 6_000)
            cost = int((fresh * rates[0] + read * rates[0] / 10 + out * rates[1]) * 1000)
            cached = dice.random() < 0.06
            ticket = f"PROJ-{dice.randrange(101, 131)}"
            yield entry(
                number,
                call_id=f"past-{number}",
                wall=midnight + dice.random() * DAY * 0.9,
                asked=alias,
                served=alias,
                deployment=ident,
                provider=provider,
                model=model,
                input=0 if cached else fresh,
                output=0 if cached else out,
                cache_read=0 if cached else read,
                cost=0 if cached else cost * WEIGHT,
                saving=cost * WEIGHT if cached else int(read * rates[0] * 0.9 * 1000) * WEIGHT,
                cache="response" if cached else "",
                ticket=ticket,
                phase=dice.choice(PHASES),
                team=dice.choice(("platform", "search", "apps")),
                seconds=dice.random() * 9,
                why="response cache" if cached else f"{alias}/{ident} ok",
            )


def answers(recorded: Recorded) -> Reply:
    """An answer of an Anthropic model that read most of its prompt from the cache."""
    body = recorded.json
    long = len(recorded.body) > 20_000
    counts = anthropic_wire.usage(
        820, 640, cache_read=9_800 if long else 0, cache_write=0 if long else None
    )
    return json_reply(anthropic_wire.message("Done.", model=str(body["model"]), counts=counts))


@dataclass
class Story:
    """The gateway, its providers, and what was learnt on the way."""

    gateway: Gateway
    providers: Providers
    moved: str
    """The id of a call that another alias served."""
    refused: str
    """The id of a call that the gateway refused."""
    hostile: str
    """The id of a call that carries hostile names."""
    virtual: str
    """A virtual key."""

    @property
    def url(self) -> str:
        """The dashboard's address."""
        return f"{self.gateway.url}/ui"


@contextlib.asynccontextmanager
async def story_of(folder: Path, *, workers: int = 1, days: int = 30) -> AsyncIterator[Story]:
    """Start the gateway, let it live through its story, and keep one call under way."""
    state = folder / "state"
    state.mkdir(parents=True)
    if days:
        await _seed(state, days)
    async with Providers() as providers:
        arguments = ("--num_workers", str(workers)) if workers > 1 else ()
        gateway = Gateway(
            config(providers),
            folder,
            env={"PROVIDER_KEY": PROVIDER_KEY},
            command=(*_SERVE, *arguments),
        )
        async with gateway:
            await gateway.said("serving")  # every worker does
            story = await _lived(gateway, providers)
            gate = Gate()
            waiting = Reply((gate, *answers_to_hang().steps))
            providers.anthropic.script(
                lambda asked: waiting if "opus" in str(asked.json["model"]) else answers(asked),
                path="/messages",
            )
            hanging = asyncio.create_task(
                _call(gateway, "frontier", call_id="slow-call", ticket="PROJ-131", phase="plan")
            )
            await providers.anthropic.received(len(providers.anthropic.requests) + 1)
            try:
                yield story
            finally:
                gate.open()
                await asyncio.wait([hanging], timeout=5)


def answers_to_hang() -> Reply:
    """The answer of the call under way, when it may come."""
    return json_reply(anthropic_wire.message("At last.", counts=anthropic_wire.usage(5, 5)))


async def _seed(state: Path, days: int) -> None:
    ledger = await asyncio.to_thread(SqliteLedger.open, state / LEDGER_FILE)
    found = sorted(history(time.time(), days), key=lambda each: each.wall)
    for first in range(0, len(found), 1000):
        await ledger.append(found[first : first + 1000])
    await ledger.aclose()


async def _lived(gateway: Gateway, providers: Providers) -> Story:
    made = await gateway.post(
        "/key/generate",
        {
            "key_alias": "ci-nightly",
            "models": ["cheap", "balanced"],
            "max_budget": 25,
            "budget_duration": "monthly",
            "team_id": None,
            "user_id": "anna",
            "rpm_limit": 600,
        },
    )
    virtual = str(made.json["key"])
    await gateway.post("/key/generate", {"key_alias": HOSTILE, "max_budget": 0})
    blocked = await gateway.post("/key/generate", {"key_alias": "old-laptop"})
    await gateway.post("/key/block", {"key": blocked.json["key"]})

    providers.anthropic.script(answers, path="/messages")
    await _call(gateway, "balanced", call_id="first-read", system=_LONG, phase="review")
    for number in range(6):
        await _call(
            gateway,
            ("balanced", "frontier")[number % 2],
            call_id=f"calm-{number}",
            system=_LONG,
            phase="review",
            ticket=f"PROJ-{120 + number}",
            text=f"Look at change {number}.",
        )
    for number in range(3):
        await _call(gateway, "frontier", call_id=f"plan-{number}", text=f"Plan {number}.")
    await _call(
        gateway,
        "balanced",
        call_id="drifted",
        phase="review",
        system=_LONG.replace("You review", "It is 10:41. You review", 1),
    )
    for _ in range(2):
        await _call(gateway, "balanced", call_id="again", text="What is a tier?", ticket="PROJ-7")
    await _call(
        gateway, "balanced", call_id="hostile", ticket=HOSTILE[:60], phase="review",
        workflow=HOSTILE, tags=["ci"], text="One more.",
    )  # fmt: skip
    # An outage: haiku is overloaded and cools down, the other provider of cheap is down too.
    providers.openai.script(openai_wire.error_reply(503, "server_error", "down"))
    providers.anthropic.script(
        lambda r: (
            anthropic_wire.error_reply(529, "overloaded_error", "Overloaded")
            if "haiku" in str(r.json["model"])
            else answers(r)
        ),
        path="/messages",
    )
    for number in range(3):
        await _call(
            gateway,
            "cheap",
            call_id=f"outage-{number}",
            ticket="PROJ-128",
            phase="implement",
            text=f"Write test {number}.",
            key=virtual,
        )
    refused = await _call(gateway, "frontier", call_id="not-allowed", key=virtual)
    assert refused == 403
    await _call(gateway, "frontier", call_id="too-dear", max_tokens=60_000_000)
    await gateway.post(
        "/fallback",
        {
            "model": "cheap",
            "fallback_models": ["balanced"],
            "fallback_type": "general",
            "expires_in": "2h",
            "note": "haiku is overloaded, keep off frontier",
        },
    )
    await _settled(gateway, "outage-2")
    return Story(gateway, providers, "outage-0", "too-dear", "hostile", virtual)


async def _call(
    gateway: Gateway,
    alias: str,
    *,
    call_id: str,
    key: str = KEY,
    system: str = "",
    text: str = "hi",
    max_tokens: int = 800,
    tags: list[str] | None = None,
    **metadata: str,
) -> int:
    names = {"ticket": "ticket_id"}
    body: JsonObject = {
        "model": alias,
        "max_tokens": max_tokens,
        "messages": [{"role": "user", "content": text}],
        "metadata": {names.get(name, name): value for name, value in metadata.items()},
    }
    if system:
        body["system"] = [{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}]
    if tags is not None:
        body["metadata"]["tags"] = tags  # pyright: ignore[reportArgumentType, reportCallIssue, reportIndexIssue, reportOptionalSubscript]
    answer = await fetch(
        gateway.port,
        "POST",
        "/v1/messages",
        body=body,
        headers=[("authorization", f"Bearer {key}"), ("x-litellm-call-id", call_id)],
        timeout=300.0,
    )
    return answer.status


async def _settled(gateway: Gateway, call_id: str) -> None:
    """Wait until a call is in the ledger."""
    for _ in range(250):
        found = await gateway.get(f"/ledger?call_id={call_id}")
        if found.json["records"]:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{call_id} never came into the ledger")
