"""Cost headers, spend, metrics and budgets agree, and a spent budget refuses the next call."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path

import openai
import pytest
import pytest_asyncio

from support import anthropic_wire, dialects, openai_wire
from support.clients import async_openai
from support.exchange import Gate, Reply, json_reply, stream_reply
from support.http_client import Answer
from support.shapes import CHAT, DOORS, MESSAGES, minimal, told
from support.stage import (
    ALIASES,
    ANTHROPIC_ALIAS,
    OPENAI_ALIAS,
    Providers,
    Stage,
    gateway_of,
    usual,
)
from tiergate.base.jsontypes import JsonObject

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

INPUT, OUTPUT = 1_000, 200
PRICES = {ANTHROPIC_ALIAS: (3, 15), OPENAI_ALIAS: (2, 8)}
"""USD for a million tokens in and out; written into the configuration."""
COST = {
    alias: (Decimal(INPUT * per_in) + Decimal(OUTPUT * per_out)) / 1_000_000
    for alias, (per_in, per_out) in PRICES.items()
}

doors = pytest.mark.parametrize("path", DOORS)


def priced(providers: Providers, **sections: JsonObject) -> JsonObject:
    """The usual configuration with prices of its own, and more sections."""

    def price(alias: str) -> JsonObject:
        per_in, per_out = PRICES[alias]
        return {
            "input_cost_per_token": per_in / 1_000_000,
            "output_cost_per_token": per_out / 1_000_000,
        }

    config = usual(providers)
    config["model_list"] = [
        providers.at_anthropic(ANTHROPIC_ALIAS, **price(ANTHROPIC_ALIAS)),
        providers.at_openai(OPENAI_ALIAS, **price(OPENAI_ALIAS)),
    ]
    config.update(sections)
    return config


def answer_of(alias: str) -> Reply:
    if alias == ANTHROPIC_ALIAS:
        counts = anthropic_wire.usage(INPUT, OUTPUT)
        return json_reply(anthropic_wire.message("hello", counts=counts))
    return json_reply(openai_wire.completion("hello", counts=openai_wire.usage(INPUT, OUTPUT)))


def events_of(alias: str) -> list[bytes]:
    if alias == ANTHROPIC_ALIAS:
        opened = anthropic_wire.message_start(counts=anthropic_wire.usage(INPUT, 1))
        events = anthropic_wire.text_events("hello", counts={"output_tokens": OUTPUT})
        return [opened, *events[1:]]
    events = openai_wire.text_events("hello", with_usage=False)
    usage = openai_wire.usage_chunk(openai_wire.usage(INPUT, OUTPUT))
    return [*events[:-1], usage, events[-1]]


def metric(text: str, name: str) -> Decimal:
    """The sum of a metric over its labels."""
    found = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
    return sum((Decimal(value) for value in found), Decimal(0))


async def spend_of(stage: Stage) -> Decimal:
    nano = (await stage.gateway.get("/global/spend")).json["spend_nano_usd"]
    assert isinstance(nano, int)
    return Decimal(nano) / 10**9


@pytest_asyncio.fixture(loop_scope="module")
async def till(providers: Providers, folder: Path) -> AsyncIterator[Stage]:
    """A gateway that has spent nothing yet."""
    providers.reset()
    async with gateway_of(priced(providers), folder) as gateway:
        yield Stage(gateway, providers)
    providers.reset()


async def test_headers_spend_and_metrics_agree(till: Stage) -> None:
    headers = Decimal(0)
    expected = Decimal(0)
    for alias in ALIASES:
        for path in DOORS:
            till.of(alias).script(answer_of(alias))
            plain = await till.gateway.post(path, minimal(path, alias))
            cost = Decimal(plain.header("x-litellm-response-cost") or "0")
            assert cost == COST[alias]
            till.of(alias).script(stream_reply(*events_of(alias)))
            streamed = await till.gateway.post(path, minimal(path, alias, stream=True))
            assert dialects.ends_well(streamed, path)
            headers += cost
            expected += 2 * COST[alias]
    assert headers * 2 == expected == await spend_of(till)
    page = (await till.gateway.get("/metrics")).text
    assert abs(metric(page, "litellm_spend_metric_total") - expected) < Decimal("1e-12")
    assert metric(page, "litellm_input_tokens_metric_total") == 8 * INPUT
    assert metric(page, "litellm_output_tokens_metric_total") == 8 * OUTPUT
    assert metric(page, "litellm_proxy_total_requests_metric_total") == 8
    assert metric(page, "litellm_in_flight_requests") == 0


async def test_a_failed_call_costs_nothing(till: Stage) -> None:
    till.of(OPENAI_ALIAS).script(openai_wire.error_reply(500, "server_error", "Oh."))
    answer = await till.gateway.post(CHAT, minimal(CHAT, OPENAI_ALIAS))
    assert answer.status == 500
    assert await spend_of(till) == 0
    page = (await till.gateway.get("/metrics")).text
    assert metric(page, "litellm_proxy_failed_requests_metric_total") == 1
    assert metric(page, "litellm_deployment_failure_responses_total") == 1


@doors
async def test_a_broken_stream_costs_what_the_provider_has_told(till: Stage, path: str) -> None:
    gate = Gate()
    events = events_of(ANTHROPIC_ALIAS)[:5]
    broken = dialects.error_event(ANTHROPIC_ALIAS)
    till.of(ANTHROPIC_ALIAS).script(stream_reply(*events, gate, broken))
    body = minimal(path, ANTHROPIC_ALIAS, stream=True)
    async with till.gateway.posting(path, body) as exchange:
        await exchange.head()
        gate.open()
        answer = await exchange.rest()
    assert dialects.ends_in_error(answer, path)
    per_in, _ = PRICES[ANTHROPIC_ALIAS]
    assert await spend_of(till) >= Decimal(INPUT * per_in) / 1_000_000


# Budgets. Each test has a gateway of its own, since what is spent stays spent.

LIMIT = Decimal("0.009")
"""Bears one call of the Anthropic alias (0.006 USD) and not a second one."""

MONTHLY: JsonObject = {"budget_duration": "monthly"}


@pytest_asyncio.fixture(loop_scope="module")
async def capped(providers: Providers, folder: Path) -> AsyncIterator[Stage]:
    """A gateway with a budget for the Anthropic alias, and a fallback to the other one."""
    providers.reset()
    config = priced(providers, litellm_settings=MONTHLY)
    config["model_max_budget"] = {ANTHROPIC_ALIAS: float(LIMIT)}
    config["router_settings"] = {
        "num_retries": 2,
        "fallbacks": [{ANTHROPIC_ALIAS: [OPENAI_ALIAS]}],
    }
    async with gateway_of(config, folder) as gateway:
        yield Stage(gateway, providers)
    providers.reset()


def asking(path: str) -> JsonObject:
    return minimal(path, ANTHROPIC_ALIAS, max_tokens=OUTPUT * 2)


def assert_over_budget(answer: Answer, path: str) -> None:
    error = told(answer, path)
    assert (error.status, error.kind, error.code) == (429, "budget_exceeded", "budget_exceeded")
    assert answer.header("x-should-retry") == "false"
    assert answer.error["scope"] == "alias"
    assert answer.error["name"] == ANTHROPIC_ALIAS
    assert answer.error["limit_usd"] == float(LIMIT)


@doors
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_the_second_call_is_refused_and_not_moved_to_a_dearer_alias(
    capped: Stage, path: str, stream: bool
) -> None:
    upstream = capped.of(ANTHROPIC_ALIAS)
    whole = stream_reply(*events_of(ANTHROPIC_ALIAS)) if stream else answer_of(ANTHROPIC_ALIAS)
    upstream.script(whole)
    first = await capped.gateway.post(path, {**asking(path), "stream": stream})
    assert first.status == 200
    second = await capped.gateway.post(path, {**asking(path), "stream": stream})
    assert_over_budget(second, path)
    assert second.error["spent_usd"] == float(COST[ANTHROPIC_ALIAS])
    assert (len(upstream.requests), len(capped.of(OPENAI_ALIAS).requests)) == (1, 0)
    other = await capped.gateway.post(path, minimal(path, OPENAI_ALIAS))
    assert other.status == 200


async def test_of_calls_at_once_only_those_that_fit_are_made(capped: Stage) -> None:
    gate = Gate()
    whole = answer_of(ANTHROPIC_ALIAS)
    held = Reply(whole.steps, whole.status, whole.headers, before=(gate,))
    capped.of(ANTHROPIC_ALIAS).script(held)
    calls = [asyncio.ensure_future(capped.gateway.post(CHAT, asking(CHAT))) for _ in range(6)]
    await capped.of(ANTHROPIC_ALIAS).received()
    await gate.reached()
    (row,) = await budgets_of(capped)
    held_usd = row["held_usd"]
    assert isinstance(held_usd, float)
    assert 0 < held_usd <= LIMIT
    gate.open()
    answers = await asyncio.gather(*calls)
    statuses = sorted(answer.status for answer in answers)
    assert statuses == [200, 429, 429, 429, 429, 429]
    assert len(capped.of(ANTHROPIC_ALIAS).requests) == 1


async def budgets_of(stage: Stage) -> Sequence[JsonObject]:
    rows = (await stage.gateway.get("/budgets")).json["budgets"]
    assert isinstance(rows, list)
    return [row for row in rows if isinstance(row, dict)]


async def test_the_budget_page_and_the_metrics_show_the_same(capped: Stage) -> None:
    capped.of(ANTHROPIC_ALIAS).script(answer_of(ANTHROPIC_ALIAS))
    await capped.gateway.post(MESSAGES, asking(MESSAGES))
    (row,) = await budgets_of(capped)
    page = (await capped.gateway.get("/metrics")).text
    for name in ("limit", "spent", "held"):
        shown = row[f"{name}_usd"]
        assert isinstance(shown, float | int)
        assert metric(page, f"tiergate_budget_{name}_usd") == Decimal(str(shown))
    assert row["spent_usd"] == float(COST[ANTHROPIC_ALIAS])
    assert (row["held_usd"], row["window"], row["scope"]) == (0, "monthly", "alias")


async def test_a_failed_call_gives_its_hold_back(capped: Stage) -> None:
    capped.of(ANTHROPIC_ALIAS).script(
        anthropic_wire.error_reply(400, "invalid_request_error", "No.")
    )
    for _ in range(5):
        assert (await capped.gateway.post(CHAT, asking(CHAT))).status == 400
    (row,) = await budgets_of(capped)
    assert (row["spent_usd"], row["held_usd"]) == (0, 0)


async def test_a_caller_that_leaves_leaves_no_hold(capped: Stage) -> None:
    whole = answer_of(ANTHROPIC_ALIAS)
    capped.of(ANTHROPIC_ALIAS).script(Reply(whole.steps, before=(Gate(),)))
    async with capped.gateway.posting(CHAT, asking(CHAT)):
        recorded = await capped.of(ANTHROPIC_ALIAS).received()
    await recorded.ended()
    (row,) = await budgets_of(capped)
    assert row["held_usd"] == 0


async def test_the_official_client_does_not_try_again(capped: Stage) -> None:
    capped.of(ANTHROPIC_ALIAS).script(answer_of(ANTHROPIC_ALIAS))
    async with async_openai(capped.gateway) as plain:
        client = plain.with_options(max_retries=3)
        await ask(client)
        with pytest.raises(openai.RateLimitError) as caught:
            await ask(client)
    assert caught.value.code == "budget_exceeded"
    page = (await capped.gateway.get("/metrics")).text
    assert metric(page, "litellm_proxy_total_requests_metric_total") == 2


async def ask(client: openai.AsyncOpenAI) -> None:
    await client.chat.completions.create(
        model=ANTHROPIC_ALIAS,
        max_tokens=OUTPUT * 2,
        messages=[{"role": "user", "content": "hi"}],
    )


async def test_nothing_may_be_spent_on_zero(providers: Providers, folder: Path) -> None:
    providers.reset()
    config = priced(providers, litellm_settings=MONTHLY)
    config["model_max_budget"] = {ANTHROPIC_ALIAS: 0}
    async with gateway_of(config, folder) as gateway:
        answer = await gateway.post(CHAT, asking(CHAT))
    assert told(answer, CHAT).code == "budget_exceeded"
    assert providers.calls == 0


async def test_a_provider_over_its_budget_is_skipped(providers: Providers, folder: Path) -> None:
    providers.reset()
    config = priced(providers)
    config["model_list"] = [
        providers.at_anthropic("tier", input_cost_per_token=3e-6, output_cost_per_token=15e-6),
        providers.at_openai("tier", input_cost_per_token=2e-6, output_cost_per_token=8e-6),
    ]
    config["provider_budget_config"] = {
        "anthropic": {"budget_limit": 0, "time_period": "1mo"},
    }
    async with gateway_of(config, folder) as gateway:
        for _ in range(6):
            answer = await gateway.post(CHAT, minimal(CHAT, "tier", max_tokens=50))
            assert answer.header("x-tiergate-served") == "tier/openai/gpt-4o"
    assert providers.anthropic.requests == []
