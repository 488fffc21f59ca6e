"""One look of one guard: time, errors, findings, what is counted and logged."""

from __future__ import annotations

import asyncio
import logging

import pytest

from support.guards import PatternGuard, ScriptedGuard, Watcher, away, plan_of
from support.jumping import play
from tiergate.base.errors import Refused
from tiergate.base.values import AliasName, Dialect
from tiergate.core.caller import MASTER
from tiergate.core.guard_options import Reaction
from tiergate.core.guard_plan import OnError, Scope, Stage
from tiergate.pipeline.guard_checks import LOOK_SECONDS, NOTHING, Checks, Installed, Looked
from tiergate.pipeline.guard_texts import Fixed, Part
from tiergate.ports.guarding import Blocked, Found, Occasion, Passage, Place, Verdict

PRE, DURING, POST, LATER = Stage


def part(text: str, place: Place = Place.USER, **more) -> Part:
    return Part(Passage(text, place), (), **more)


def occasion(stage: Stage = PRE) -> Occasion:
    return Occasion(
        call_id="c", alias=AliasName("a"), dialect=Dialect.OPENAI, stage=stage, caller=MASTER
    )


def look(installed: Installed, *parts: Part, stage: Stage = PRE, settled=None):
    """Look once; the result, and what was counted."""
    watcher = Watcher()

    async def work() -> Looked:
        checks = Checks(watcher, asyncio.get_running_loop().time)
        mark = lambda kind, value: f"<{kind}>"  # noqa: E731
        return await checks.look(installed, parts, occasion(stage), mark, settled)

    try:
        return play(work()), watcher
    except Refused as refused:
        return refused, watcher


def test_masks_come_back_by_part_and_are_counted():
    guard = Installed(plan_of(PRE), guard=PatternGuard("x", Reaction.MASK))
    looked, watcher = look(guard, part("axb"), part("c"), part("x"))
    _, new = looked.applied([part("axb"), part("c"), part("x")])
    assert new == {0: "a<secret>b", 2: "<secret>"}
    assert watcher.looks == [("guard", "pre_call", "guardrail_intervened")]
    assert watcher.acts == [("guard", "mask", 2)]


def test_a_guard_that_rewrites_texts_has_its_way():
    rewriting = ScriptedGuard(
        lambda passages: Verdict(texts=tuple(p.text.upper() for p in passages))
    )
    looked, watcher = look(Installed(plan_of(PRE), guard=rewriting), part("a"), part("B"))
    assert looked.texts == {0: "A"}
    assert watcher.acts == [("guard", "mask", 1)]


def test_the_words_of_a_guard_are_what_the_caller_is_told():
    saying = ScriptedGuard(lambda _: Verdict(blocked="because"))
    refused, _ = look(Installed(plan_of(PRE), guard=saying), part("a"))
    assert (refused.status, refused.message) == (400, "because")


@pytest.mark.parametrize("fixed", [Fixed.BLOCK, Fixed.LEAVE])
def test_a_text_that_cannot_be_changed_blocks_or_stays(fixed: Fixed):
    guard = Installed(plan_of(PRE), guard=PatternGuard("x", Reaction.MASK))
    result, watcher = look(guard, part("x", fixed=fixed))
    if fixed is Fixed.BLOCK:
        assert isinstance(result, Refused)
    else:
        assert (result.spans, watcher.acts) == ({}, [("guard", "log", 1)])


def test_findings_that_do_not_count_yet_do_nothing():
    guard = Installed(plan_of(POST), guard=PatternGuard("x"))
    looked, watcher = look(guard, part("x"), stage=POST, settled=lambda start, end: False)
    assert (looked.spans, watcher.looks, watcher.acts) == ({}, [], [])


def test_nothing_is_asked_where_nothing_is_to_be_seen():
    guard = Installed(plan_of(PRE, scope=Scope(skip_system=True)), guard=PatternGuard("x"))
    assert look(guard, part("x", Place.SYSTEM))[0] is NOTHING


def test_a_look_takes_no_longer_than_its_limit():
    slow = Installed(plan_of(PRE), guard=ScriptedGuard(seconds=LOOK_SECONDS + 1))
    refused, _ = look(slow, part("a"))
    assert "10 seconds" in refused.message
    quick = Installed(plan_of(PRE, timeout=2.0), guard=ScriptedGuard(seconds=3.0))
    assert "2 seconds" in look(quick, part("a"))[0].message


@pytest.mark.parametrize("fault", [away(), ZeroDivisionError()])
def test_a_fault_in_logging_only_stops_nothing(fault: Exception):
    guard = Installed(plan_of(LATER), guard=ScriptedGuard(fault=fault))
    assert look(guard, part("a"), stage=LATER)[0] is NOTHING


def test_a_fault_is_told_without_its_text_to_the_caller(caplog: pytest.LogCaptureFixture):
    guard = Installed(plan_of(PRE), guard=ScriptedGuard(fault=KeyError("the secret")))
    with caplog.at_level(logging.WARNING, "tiergate.guardrails"):
        refused, watcher = look(guard, part("a"))
    assert "KeyError" in refused.message
    assert "the secret" not in refused.message
    assert watcher.errors == [("guard", "bug")]


def test_an_exception_that_says_no_keeps_its_status():
    guard = Installed(plan_of(PRE), guard=ScriptedGuard(fault=Blocked("not you", 403)))
    refused, _ = look(guard, part("a"))
    assert (refused.status, refused.message) == (403, "not you")


def test_a_look_that_was_let_through_is_none_for_whoever_waits():
    async def work():
        checks = Checks(Watcher(), asyncio.get_running_loop().time)
        plan = plan_of(PRE, on_error=OnError.ALLOW)

        async def fail() -> str:
            raise away()

        async def well() -> str:
            return "fine"

        assert await checks.run(plan, occasion(), fail()) is None
        assert await checks.run(plan, occasion(), well()) == "fine"

    play(work())


def test_the_log_names_guard_and_kinds_and_no_text(caplog: pytest.LogCaptureFixture):
    found = ScriptedGuard(lambda _: Verdict((Found(0, 0, 2, "email", Reaction.LOG),)))
    with caplog.at_level(logging.WARNING, "tiergate.guardrails"):
        look(Installed(plan_of(PRE), guard=found), part("ann@example.com"))
    (record,) = caplog.records
    assert (record.guardrail, record.kinds, record.did) == ("guard", "email", "found")
    assert "ann" not in str(record.__dict__)
