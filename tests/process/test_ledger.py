"""The commands that read the books, over a gateway that serves, is killed, and serves again."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from support.gateway import KEY, Gateway
from support.stage import Providers
from tiergate.base.jsontypes import JsonObject

pytestmark = pytest.mark.process

CALLS = 12
ALIASES = ("frontier", "cheap")


def config_of(providers: Providers, folder: Path) -> JsonObject:
    prices = {"input_cost_per_token": 0.000003, "output_cost_per_token": 0.000015}
    return {
        "model_list": [
            providers.at_anthropic("frontier", **prices),
            providers.at_openai("cheap", **prices),
        ],
        "model_max_budget": {
            name: {"budget_limit": 50, "time_period": "monthly"} for name in ALIASES
        },
        "general_settings": {"master_key": KEY, "state_dir": str(folder / "books")},
    }


async def tiergate(gateway: Gateway, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command with the gateway's own configuration."""
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "tiergate", *words, "--config", str(gateway.config_path)],
        env={**os.environ, "HOME": str(gateway.folder), "TIERGATE_MASTER_KEY": KEY},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


async def call(gateway: Gateway, number: int) -> Decimal:
    """Make one call; return what its header says that it cost."""
    body: JsonObject = {
        "model": ALIASES[number % 2],
        "messages": [{"role": "user", "content": f"number {number}"}],
        "metadata": {"ticket_id": f"T-{number % 3}"},
    }
    answer = await gateway.post("/v1/chat/completions", body)
    assert answer.status == 200, answer.body
    return Decimal(dict(answer.headers)["x-litellm-response-cost"])


async def test_ledger_counters_metrics_and_headers_are_one_sum(
    tmp_path: Path,
) -> None:
    async with (
        Providers() as providers,
        Gateway(config_of(providers, tmp_path), tmp_path) as gateway,
    ):
        cost = sum(await asyncio.gather(*(call(gateway, n) for n in range(CALLS))))

        proof = await tiergate(gateway, "ledger", "verify", "--url", gateway.url, "--wait", "10")
        assert proof.returncode == 0, proof.stdout + proof.stderr
        assert "metric" in proof.stdout

        shown = await tiergate(gateway, "spend", "--by", "alias,ticket", "--json")
        report = json.loads(shown.stdout, parse_float=Decimal)
        assert report["total"]["cost_usd"] == cost
        assert report["total"]["calls"] == CALLS
        assert sum(row["cost_usd"] for row in report["rows"]) == cost
        assert {row["ticket"] for row in report["rows"]} == {"T-0", "T-1", "T-2"}

        lines = (await tiergate(gateway, "ledger", "export")).stdout.splitlines()
        records = [json.loads(line, parse_float=Decimal) for line in lines]
        assert sum(record["cost_usd"] for record in records) == cost


async def test_after_kill_9_the_books_agree_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    async with (
        Providers() as providers,
        Gateway(config_of(providers, tmp_path), tmp_path) as gateway,
    ):
        cost = sum(await asyncio.gather(*(call(gateway, n) for n in range(CALLS))))
        await gateway.restart(crash=True)
        cost += await call(gateway, 99)

        proof = await tiergate(gateway, "ledger", "verify", "--url", gateway.url, "--wait", "10")
        assert proof.returncode == 0, proof.stdout + proof.stderr

        shown = await tiergate(gateway, "spend", "--json")
        total = json.loads(shown.stdout, parse_float=Decimal)["total"]
        assert (total["cost_usd"], total["calls"]) == (cost, CALLS + 1)
