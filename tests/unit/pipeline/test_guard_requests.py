"""Requests before and beside their calls; plays stand in `test_guarding`."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import msgspec
import pytest

from support.cached import CHAT
from support.engine import served_by
from support.guards import GuardStage, PatternGuard, Watcher, plan_of
from support.jumping import play
from tiergate.base.errors import Refused
from tiergate.base.jsontypes import JsonObject
from tiergate.core.guard_options import Reaction
from tiergate.core.guard_plan import Stage
from tiergate.pipeline.guard_checks import Checks, Installed
from tiergate.pipeline.guard_choice import occasion_of
from tiergate.pipeline.guard_requests import Asked, asked_of, before, beside, body_of
from tiergate.ports import Inbound
from tiergate.wire.members import Members

PRE = Stage.PRE_CALL


def inbound(**more: object) -> Inbound:
    async def work() -> Inbound:
        return GuardStage([], (served_by("cheap", "a"),)).question({**CHAT, **more})[0]

    return play(work())


class Changing:
    """A class that changes the request."""

    streams = False

    def __init__(self, change) -> None:
        self._change = change

    async def request(self, body: JsonObject, occasion) -> JsonObject | None:
        del occasion
        return self._change(body)

    async def beside(self, body: JsonObject, occasion) -> None:
        del body, occasion


def through(asked: Inbound, *guards: Installed) -> Asked:
    async def work() -> Asked:
        checks = Checks(Watcher(), asyncio.get_running_loop().time)
        occasion = occasion_of(asked, 0, tools=False)
        found = asked_of(asked, texts=True)
        await beside(checks, [each for each in guards if each.call], found, occasion)
        return await before(checks, guards, found, occasion)

    return play(work())


def sent(asked: Asked) -> JsonObject:
    return json.loads(asked.inbound.members.body)


def test_a_class_changes_members_and_not_where_the_call_goes():
    def change(body: JsonObject) -> JsonObject:
        body["messages"] = [{"role": "user", "content": "other"}]
        body["model"] = "dearer"
        body["temperature"] = 0
        del body["max_tokens"]
        return body

    out = sent(through(inbound(), Installed(plan_of(PRE), call=Changing(change))))
    assert out["messages"][0]["content"] == "other"
    assert (out["model"], out["temperature"]) == ("cheap", 0)
    assert "max_tokens" not in out


def test_a_class_that_changes_nothing_leaves_every_byte():
    asked = inbound()
    for change in (lambda body: body, lambda body: None):
        done = through(asked, Installed(plan_of(PRE), call=Changing(change)))
        assert done.inbound.members.body == asked.members.body


def test_a_guard_after_a_class_sees_what_the_class_has_written():
    def change(body: JsonObject) -> JsonObject:
        return {**body, "messages": [{"role": "user", "content": "now a secret"}]}

    guard = PatternGuard("secret", Reaction.MASK)
    done = through(
        inbound(),
        Installed(plan_of(PRE), call=Changing(change)),
        Installed(plan_of(PRE), guard=guard),
    )
    assert sent(done)["messages"][0]["content"] == "now a <SECRET_1>"


def test_what_is_read_of_a_request_holds_for_the_masked_one():
    asked = inbound(messages=[{"role": "user", "content": "secret"}])
    done = through(asked, Installed(plan_of(PRE), guard=PatternGuard("secret", Reaction.MASK)))
    assert done.inbound.output is not None
    assert done.inbound.output.members is done.inbound.members
    assert done.inbound.call_id == asked.call_id


def test_members_for_the_gateway_are_not_shown_to_a_class():
    asked = inbound(num_retries=1)
    assert "num_retries" not in body_of(asked)
    assert "messages" in body_of(asked)


def test_a_broken_text_is_the_callers_fault():
    broken = Members(b"{}", {"messages": msgspec.Raw(b'[{"role":"user","content":"\\ud800"}]')})
    with pytest.raises(Refused) as end:
        asked_of(replace(inbound(), members=broken), texts=True)
    assert end.value.status == 400
