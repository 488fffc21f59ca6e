"""Two tenants who ask the same never get each other's bytes, whoever they are."""

from __future__ import annotations

import asyncio
import random

from support.attempts import deployment
from support.cached import CHAT, stored
from support.engine import WALL, Stage
from support.money import drive
from tiergate.base.values import AliasName
from tiergate.core.caching import CachePolicy
from tiergate.core.caller import LOCAL, MASTER, Caller
from tiergate.core.catalog import Settings
from tiergate.core.plan import Wish
from tiergate.pipeline.cache_key import CacheKeys
from tiergate.ports import Inbound
from tiergate.stores.answers_memory import MemoryAnswers

PAIRS = 10_000
NAMES = ("", "a", "b", "ab", "a:b", "team:a", "key:a", "user:a", "\ud800", "ü")


def tenant(caller: Caller, user: str) -> tuple[str, ...]:
    """Who may share: the team, else the user, else the key; and the request's user."""
    widest = next(
        ((kind, name) for kind in ("team", "user", "key") if (name := getattr(caller, kind))), ()
    )
    return (*widest, "for", user)


def drawn(dice: random.Random) -> tuple[Caller, str]:
    if dice.random() < 0.1:
        return dice.choice((MASTER, LOCAL)), dice.choice(NAMES)
    caller = Caller(
        name="n",
        key=dice.choice(NAMES),
        user=dice.choice(NAMES),
        team=dice.choice(NAMES),
    )
    return caller, dice.choice(NAMES)


def test_ten_thousand_pairs_share_exactly_what_one_tenant_may():
    asyncio.run(_pairs())


async def _pairs() -> None:
    stage = Stage((deployment("cheap", "a"),))
    keys = CacheKeys(CachePolicy(), Settings(deployments=(deployment("cheap", "a"),)))
    wish = Wish(alias=AliasName("cheap"))
    dice = random.Random(20261130)
    template, _ = stage.read(CHAT)

    def key(caller: Caller, user: str) -> str:
        asked: Inbound = template
        asked.caller, asked.user = caller, user or None
        return keys.of(asked, wish)

    store = MemoryAnswers(10_000_000, lambda: WALL)
    alike = 0
    for _ in range(PAIRS):
        one, two = drawn(dice), drawn(dice)
        await store.clear("tiergate-answers")
        await store.put(key(*one), stored(repr(tenant(*one)).encode()))
        found = await store.get(key(*two))
        if tenant(*one) == tenant(*two):
            alike += 1
            assert found is not None
        else:
            assert found is None, (one, two)
    assert alike > 50, "the draw has to have both cases"
    assert drive(store.figures()).entries == 1
