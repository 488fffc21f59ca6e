"""Who passes which guards; what they are told of the call. Plays stand in `test_guarding`."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from support.cached import CHAT
from support.engine import served_by
from support.guards import GuardStage, PatternGuard, plan_of
from support.jumping import play
from tiergate.base.errors import Refused
from tiergate.core.caller import MASTER
from tiergate.core.guard_plan import Stage
from tiergate.pipeline.guard_checks import Installed
from tiergate.pipeline.guard_choice import choose, occasion_of
from tiergate.ports import Inbound
from tiergate.wire.members import Members

PRE, DURING, POST, LATER = Stage


def inbound(**more: object) -> Inbound:
    async def work() -> Inbound:
        return GuardStage([], (served_by("cheap", "a"),)).question(CHAT)[0]

    return replace(play(work()), **more)


def installed(*plans) -> list[Installed]:
    return [Installed(plan, guard=PatternGuard("x")) for plan in plans]


def test_guards_stand_at_their_stages_in_the_order_of_the_file():
    guards = installed(plan_of(PRE, POST, name="a"), plan_of(POST, name="b"), plan_of(name="c"))
    chosen = choose(guards, inbound(), {"a", "b", "c"})
    assert [each.plan.name for each in chosen.at(POST)] == ["a", "b"]
    assert [each.plan.name for each in chosen.at(PRE)] == ["a"]
    assert chosen.at(DURING) == ()
    assert chosen.names == ("a", "b")
    assert chosen.header == ("x-litellm-applied-guardrails", "a,b")


def test_a_guard_that_is_off_binds_those_who_name_it_and_their_keys():
    guards = installed(plan_of(PRE, name="a", on=False))
    keyed = replace(MASTER, guardrails=("a",))
    assert choose(guards, inbound(), {"a"}).names == ()
    assert choose(guards, inbound(guardrails=("a",)), {"a"}).names == ("a",)
    assert choose(guards, inbound(caller=keyed), {"a"}).names == ("a",)


def test_a_key_with_a_guard_that_is_gone_is_refused():
    keyed = replace(MASTER, guardrails=("a",))
    with pytest.raises(Refused, match="demands the guardrail a"):
        choose([], inbound(caller=keyed), ())


def test_a_guard_is_told_of_the_call_what_guards_ask_for():
    tools = [{"function": {"name": "f"}}, {"name": "g"}, "odd", {"type": "x"}]
    members = Members.read(json.dumps({**CHAT, "tools": tools}).encode())
    asked = inbound(members=members, headers={"x-team": "blue", "cookie": "no"}, tags=("t",))
    told = occasion_of(asked, 7, tools=True, headers={"x-team", "x-none"})
    assert (told.tools, told.headers) == (("f", "g"), (("x-team", "blue"),))
    assert (told.prompt_tokens, told.tags, told.stage) == (7, ("t",), PRE)
    assert occasion_of(asked, 0, tools=False).tools == ()
