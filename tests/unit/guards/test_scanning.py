"""Short looks in the loop, long ones in a thread."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from support.guarded import cut
from tiergate.core.guard_options import Reaction
from tiergate.guards.matching import Rule, compiled
from tiergate.guards.scanning import AT_ONCE, Scanner
from tiergate.ports.guarding import GuardError


def rule(pattern: str, **more: object) -> Rule:
    return Rule(name="it", pattern=compiled(pattern), reaction=Reaction.LOG, reach=7, **more)


def where(names: list[str]) -> Rule:
    """A rule that notes the thread it is looked for in."""

    def note(text: str) -> int:
        names.append(threading.current_thread().name)
        return len(text)

    return rule("x", measure=note)


async def test_a_short_text_is_looked_at_in_the_loop_itself():
    names: list[str] = []
    scanner = Scanner([where(names)], 1.0, time.monotonic)
    assert cut(await scanner.find(["axb"]), "axb") == [("it", "x")]
    assert names == [threading.current_thread().name]


async def test_a_long_text_is_looked_at_in_a_thread():
    names: list[str] = []
    scanner = Scanner([where(names)], 5.0, time.monotonic)
    text = "a" * AT_ONCE + "x"
    assert cut(await scanner.find([text]), text) == [("it", "x")]
    assert [name.partition("_")[0] for name in names] == ["guard"]


async def test_a_pattern_that_runs_away_fails_its_look_and_holds_up_nobody():
    scanner = Scanner([rule(r"(a+)+$")], 0.3, time.monotonic)
    looking = asyncio.create_task(scanner.find(["a" * 4000 + "!"]))
    turns = 0
    while not looking.done():
        turns += 1
        await asyncio.sleep(0.001)
    with pytest.raises(GuardError, match=r"looking for it took longer than 0\.3 s"):
        await looking
    assert turns > 20


async def test_the_widest_rule_decides_about_the_reach():
    rules = [rule("x"), Rule(name="y", pattern=compiled("y"), reaction=Reaction.LOG, reach=9)]
    assert Scanner(rules, 1.0, time.monotonic).reach == 9
    assert Scanner([], 1.0, time.monotonic).reach == 1
