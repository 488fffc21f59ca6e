"""Troubles of a gateway reach the addresses that its configuration names."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from support.attempts import deployments, failure, settings
from support.jumping import play
from tiergate.core.alarms import AlarmKind
from tiergate.core.alerts import BudgetAlert
from tiergate.core.catalog import ScopeKind
from tiergate.core.drift import Change, Difference, Part
from tiergate.core.sink_plan import AlertPlan, SinkPlans
from tiergate.stores.documents_memory import MemoryDocuments
from tiergate.telemetry.counts import Counts
from tiergate.wiring.alarms import AlarmBell

ALERT = BudgetAlert(
    ScopeKind.ALIAS, "cheap", "80", 8_000_000_000, 10_000_000_000, None, "1d", None
)
DRIFT = Difference(Part.TOOL, 2, Change.ADDED)


class Post:
    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.sent: list[tuple[str, dict]] = []

    async def __call__(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> int:
        self.sent.append((url, json.loads(body)))
        return self.status


def chats(url: str, *kinds: AlarmKind) -> Mapping[AlarmKind, tuple[str, ...]]:
    return MappingProxyType(dict.fromkeys(kinds or AlarmKind, (url,)))


def at(post: Post, plan: AlertPlan | None, work) -> Counts:
    counts = Counts()

    async def whole() -> None:
        clock = asyncio.get_running_loop().time
        bell = AlarmBell(post, counts, MemoryDocuments(), clock)
        sinks = SinkPlans(alerts=plan)
        bell.configure(settings(deployments(cheap="a b"), sinks=sinks), lambda _: None)
        await bell.start()
        await work(bell)
        await asyncio.sleep(10)
        await bell.aclose()

    play(whole())
    return counts


def test_what_happens_together_is_one_message():
    post = Post()
    one, two = deployments(cheap="a b")

    async def work(bell: AlarmBell) -> None:
        assert bell.on
        bell.alarms.cooled(one, failure("500"), 5.0)
        bell.alarms.cooled(two, failure("500"), 5.0)
        bell.budget(ALERT)
        bell.drifted(("hash", "cheap", "draft"), "ci", DRIFT)

    at(post, AlertPlan(chats=chats("http://chat/")), work)

    ((url, body),) = post.sent
    assert url == "http://chat/"
    lines = body["text"].splitlines()
    assert len(lines) == 4
    assert sorted(line.split("*")[1] for line in lines) == [
        "Budget",
        "Cooldown",
        "Outage",
        "Prompt prefix",
    ]
    assert any("80 % of its budget: 8 USD" in line for line in lines)


def test_each_kind_goes_to_its_address():
    post = Post()

    async def work(bell: AlarmBell) -> None:
        bell.budget(ALERT)
        bell.drifted(("hash", "cheap", ""), "ci", DRIFT)

    at(post, AlertPlan(chats=chats("http://money/", AlarmKind.BUDGET)), work)
    assert [url for url, _ in post.sent] == ["http://money/"]


def test_budgets_as_json_have_litellms_members():
    post = Post()

    async def work(bell: AlarmBell) -> None:
        bell.budget(ALERT)
        bell.drifted(("hash", "cheap", ""), "ci", DRIFT)

    at(post, AlertPlan(address="http://json/"), work)

    by_event = {body["event"]: body for _, body in post.sent}
    assert by_event.keys() == {"threshold_crossed", "prefix_drift"}
    assert by_event["threshold_crossed"]["spend"] == 8.0
    assert by_event["threshold_crossed"]["subject"] == "alias cheap"


def test_without_alerting_nothing_is_watched():
    post = Post()

    async def work(bell: AlarmBell) -> None:
        assert not bell.on
        bell.budget(ALERT)
        bell.drifted(("hash", "cheap", ""), "ci", DRIFT)

    at(post, None, work)
    assert post.sent == []


def test_a_chat_that_is_away_is_counted():
    async def work(bell: AlarmBell) -> None:
        bell.budget(ALERT)

    counts = at(Post(404), AlertPlan(chats=chats("http://chat/")), work)
    assert counts.callback_failures == {"slack": 1}
    assert counts.callback_drops == {"slack": 1}
