"""The page's budgets over the turn of a month and a restart: real SQLite, a hand-moved clock."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from support.attempts import deployment, settings
from support.money import nothing
from tiergate.base.values import AliasName, Dialect, NanoUsd, Operation, Position, Usage
from tiergate.core.catalog import BudgetRule, Deployment, ScopeKind
from tiergate.core.cost import Price, Rates
from tiergate.core.slices import Slices
from tiergate.pipeline.leasing import Leasing
from tiergate.pipeline.spend import Spend
from tiergate.pipeline.standings import Standings
from tiergate.ports import BudgetStop, Inbound, Pending
from tiergate.stores.sqlite import SqliteDocuments
from tiergate.wire.members import Members

USD = 10**9
PRICE = Price(Rates.of(0, USD * 10**6 * 50))
"""50 USD a token out, nothing for the prompt."""

ALIASES = ("cheap", "balanced", "frontier")
DEPLOYMENTS = tuple(deployment(name, name, provider="anthropic") for name in ALIASES)


def rule(scope: ScopeKind, name: str, usd: int) -> BudgetRule:
    return BudgetRule(
        scope=scope,
        name=name,
        limit=NanoUsd(usd * USD),
        window="monthly",
        period="calendar:month",
        source=Position("page.yaml", 1),
    )


RULES = (
    rule(ScopeKind.GATEWAY, "gateway", 1200),
    rule(ScopeKind.ALIAS, "cheap", 300),
    rule(ScopeKind.ALIAS, "balanced", 600),
    rule(ScopeKind.ALIAS, "frontier", 300),
    rule(ScopeKind.PROVIDER, "anthropic", 1000),
)


class Gateway:
    """One worker's money on a file; `wall` is moved by hand."""

    number = 0

    def __init__(self, path: Path, clock: list[float], zone: str) -> None:
        Gateway.number += 1
        self.documents = SqliteDocuments.open(path)
        slices = Slices(f"w{Gateway.number}", "source")
        self.clock = clock
        self.leasing = Leasing(slices, self.documents, nothing, self.wall)
        self.spend = Spend(self.leasing, lambda inbound, at: 100, self.wall)
        made = settings(DEPLOYMENTS, budgets=RULES, budget_timezone=zone)
        self.spend.configure(made, {d.id: PRICE for d in DEPLOYMENTS})

    def wall(self) -> float:
        return self.clock[0]

    async def call(self, alias: str) -> BudgetStop | int:
        """Spend 50 USD; the cost in USD, or the budget that refuses."""
        at = next(d for d in DEPLOYMENTS if d.alias == alias)
        held = await self.hold(at)
        if isinstance(held, BudgetStop):
            return held
        cost = self.spend.settle(held, at, Usage(10, 1), 0.0)
        assert cost is not None
        return cost // USD

    async def hold(self, at: Deployment):
        inbound = Inbound(
            call_id="id",
            received=0.0,
            wall=self.wall(),
            dialect=Dialect.OPENAI,
            operation=Operation.CHAT,
            asked=at.alias,
            alias=AliasName(at.alias),
            stream=False,
            include_usage=False,
            members=Members.read(b'{"max_tokens":1}'),
        )
        decision = self.spend.hold(inbound, at, 0.0)
        return await decision.wait() if isinstance(decision, Pending) else decision

    async def spent(self) -> dict[str, int]:
        rows = await Standings(self.leasing, self.wall).rows(self.spend.budgets)
        return {row.name: row.spent // USD for row in rows}

    async def stop(self) -> None:
        await self.leasing.aclose()
        await self.documents.aclose()


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
async def test_the_month_turns_and_all_go_on(zone: str, tmp_path: Path):
    turn = datetime(2026, 12, 1, tzinfo=ZoneInfo(zone)).timestamp()
    clock = [turn - 3600.0]
    path = tmp_path / "state.db"
    gateway = Gateway(path, clock, zone)

    assert [await gateway.call("frontier") for _ in range(6)] == [50] * 6
    assert (await gateway.call("frontier")).scope is ScopeKind.ALIAS
    assert [await gateway.call("balanced") for _ in range(12)] == [50] * 12
    await gateway.stop()

    gateway = Gateway(path, clock, zone)  # a restart changes nothing
    assert (await gateway.call("frontier")).scope is ScopeKind.ALIAS
    assert [await gateway.call("cheap") for _ in range(2)] == [50] * 2
    for alias in ALIASES:
        assert isinstance(await gateway.call(alias), BudgetStop)
    assert await gateway.spent() == {
        "gateway": 1000, "cheap": 100, "balanced": 600, "frontier": 300, "anthropic": 1000,
    }  # fmt: skip

    clock[0] = turn - 0.001
    assert isinstance(await gateway.call("cheap"), BudgetStop), "to the last instant"
    clock[0] = turn
    assert [await gateway.call(alias) for alias in ALIASES] == [50] * 3
    assert (await gateway.spent())["gateway"] == 150
    clock[0] = turn - 60.0
    assert [await gateway.call("cheap")] == [50], "a clock that goes back opens no month again"
    assert (await gateway.spent())["gateway"] == 200
    await gateway.stop()


async def test_a_call_over_the_turn_of_the_month_counts_in_the_old_one(tmp_path: Path):
    turn = datetime(2026, 12, 1, tzinfo=UTC).timestamp()
    clock = [turn - 10.0]
    gateway = Gateway(tmp_path / "state.db", clock, "UTC")
    held = await gateway.hold(DEPLOYMENTS[0])
    clock[0] = turn + 10.0
    assert [await gateway.call("cheap") for _ in range(6)] == [50] * 6
    gateway.spend.settle(held, DEPLOYMENTS[0], Usage(10, 1), 0.0)
    assert (await gateway.spent())["cheap"] == 300
    assert (await gateway.call("cheap")).scope is ScopeKind.ALIAS
    await gateway.stop()
