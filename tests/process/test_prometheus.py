"""A real Prometheus scrapes a gateway of two workers: right sums, examples, rules, the board."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from support.gateway import KEY
from support.openai_wire import error_reply
from support.prometheus import Prometheus, running_prometheus
from support.shapes import CHAT, MESSAGES, minimal
from support.stage import ANTHROPIC_ALIAS, OPENAI_ALIAS, Providers, Stage, gateway_of, usual

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "rules.yml"
BOARD = DEPLOY / "grafana" / "tiergate.json"
TWO = ("--num_workers", "2")
TOTAL = "litellm_proxy_total_requests_metric_total"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def watched(
    providers: Providers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Stage, Prometheus]]:
    """A gateway of two workers, and a Prometheus that looks at it every second."""
    folder = tmp_path_factory.mktemp("watched")
    async with (
        gateway_of(usual(providers), folder / "gateway", arguments=TWO) as gateway,
        running_prometheus(folder / "p", gateway.port, KEY, RULES) as prometheus,
    ):
        await prometheus.becomes("up", {"": 1.0})
        yield Stage(gateway, providers), prometheus


async def test_the_sums_are_those_of_all_workers_and_do_not_fall_when_one_dies(
    watched: tuple[Stage, Prometheus],
) -> None:
    stage, prometheus = watched
    gateway = stage.gateway
    made = await gateway.post("/key/generate", {"key_alias": "bot", "max_budget": 50})
    key = made.json["key"]
    for number in range(24):
        bearer = key if number % 2 else KEY
        answer = await gateway.post(CHAT, minimal(CHAT, OPENAI_ALIAS), key=bearer)
        assert answer.status == 200
    stage.providers.openai.script(error_reply(500, "server_error", "down"))
    for _ in range(6):
        answer = await gateway.post(CHAT, minimal(CHAT, OPENAI_ALIAS), key=key)
        assert answer.status >= 500
    stage.providers.reset()

    await prometheus.becomes(f"sum by (status_code) ({TOTAL})", {"200": 24.0, "500": 6.0})
    by_key = f"sum by (api_key_alias) ({TOTAL})"
    await prometheus.becomes(by_key, {"": 12.0, "bot": 18.0})
    await prometheus.becomes(
        "sum by (model_group) (litellm_deployment_failure_responses_total)", {OPENAI_ALIAS: 6.0}
    )
    counted = "sum(litellm_request_total_latency_metric_count)"
    await prometheus.becomes(counted, {"": 24.0})
    await prometheus.becomes('sum(tiergate_workers{state="serving"})', {"": 2.0})
    spend = (await gateway.get("/spend")).json["spend"]
    found = await prometheus.values("sum(litellm_spend_metric_total)")
    assert found[""] == pytest.approx(spend)
    assert spend > 0
    of_key = (await prometheus.values('sum(litellm_spend_metric_total{api_key_alias="bot"})'))[""]
    left = await prometheus.values("sum(litellm_remaining_api_key_budget_metric)")
    assert left[""] == pytest.approx(50 - of_key)

    worker = _workers(gateway.pid)[0]
    os.kill(worker, signal.SIGKILL)
    await gateway.said("ended=SIGKILL")
    for _ in range(6):
        assert (await gateway.post(CHAT, minimal(CHAT, OPENAI_ALIAS), key=key)).status == 200
    await prometheus.becomes(by_key, {"": 12.0, "bot": 24.0})
    assert await prometheus.values(f"max(resets({TOTAL}[5m]))") == {"": 0.0}


async def test_a_slow_bucket_leads_to_a_call(watched: tuple[Stage, Prometheus]) -> None:
    stage, prometheus = watched
    ids = set()
    for _ in range(6):
        answer = await stage.gateway.post(MESSAGES, minimal(MESSAGES, ANTHROPIC_ALIAS))
        ids.add(answer.header("x-litellm-call-id"))
    metric = "litellm_request_total_latency_metric_bucket"
    series = f'{metric}{{requested_model="{ANTHROPIC_ALIAS}"}}'
    await prometheus.becomes(f"max({metric.replace('_bucket', '_count')}) > bool 0", {"": 1.0})
    found: set[str] = set()
    deadline = time.monotonic() + 20
    while not found & ids:
        assert time.monotonic() < deadline, f"no example of {ids} among {found}"
        await asyncio.sleep(0.1)
        found = await _examples(prometheus, series)


async def _examples(prometheus: Prometheus, series: str) -> set[str]:
    """The calls that Prometheus has kept as examples of the last minutes."""
    now = time.time()
    data = await prometheus.ask(
        "/api/v1/query_exemplars", query=series, start=str(now - 300), end=str(now + 60)
    )
    return {each["labels"]["call_id"] for row in data for each in row["exemplars"]}


async def test_the_rules_are_loaded_and_well(watched: tuple[Stage, Prometheus]) -> None:
    _, prometheus = watched
    groups = (await prometheus.ask("/api/v1/rules"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) >= 15
    await prometheus.becomes('count(ALERTS{severity="critical"}) or vector(0)', {"": 0.0})
    groups = (await prometheus.ask("/api/v1/rules"))["groups"]
    told = {(rule["name"], rule.get("lastError", "")) for g in groups for rule in g["rules"]}
    assert {error for _, error in told} == {""}


async def test_every_query_of_the_board_is_answered(watched: tuple[Stage, Prometheus]) -> None:
    _, prometheus = watched
    answered = 0
    for panel in json.loads(BOARD.read_text("utf-8"))["panels"]:
        for target in panel.get("targets", ()):
            expr = target["expr"].replace("$__rate_interval", "1m").replace("$__range", "10m")
            answered += bool(await prometheus.values(expr.replace("$alias", ".*")))
    assert answered >= 20, "most of the panels have something to show after a few calls"


def _workers(pid: int) -> list[int]:
    """The children of the supervisor."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    return [int(child) for child in children.split()]
