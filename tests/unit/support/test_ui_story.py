"""The story that the dashboard's pages are looked at with is the same at every hour and month."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from support.stage import Providers
from support.ui_story import config, history

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("minute", [0, 479, 480, 720, 1439])
def test_no_call_of_the_history_is_of_today(minute):
    midnight = NOON.replace(hour=0)
    now = (midnight + timedelta(minutes=minute)).timestamp()

    assert max(entry.wall for entry in history(now)) < midnight.timestamp()


async def test_a_month_of_it_is_within_every_budget():
    async with Providers() as providers:
        made = config(providers)
    limits = {f"alias {name}": limit for name, limit in made["model_max_budget"].items()}
    for name, budget in made["provider_budget_config"].items():
        limits[f"provider {name}"] = budget["budget_limit"]
    limits["gateway"] = made["litellm_settings"]["max_budget"]
    for day in range(365):
        now = NOON + timedelta(days=day)
        month = now.replace(day=1, hour=0).timestamp()
        spent: Counter[str] = Counter()
        for entry in history(now.timestamp()):
            if entry.wall >= month:
                for scope in (f"alias {entry.asked}", f"provider {entry.provider}", "gateway"):
                    spent[scope] += entry.cost
        for scope, cost in spent.items():
            assert cost < 0.95 * limits[scope] * 1_000_000_000, (now, scope)
