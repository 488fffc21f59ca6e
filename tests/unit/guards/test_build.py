"""Plans become guards."""

from __future__ import annotations

import time

import pytest

from support.guarded import look
from tiergate.core.guard_options import (
    FilterOptions,
    InjectionOptions,
    LengthOptions,
    ModerationOptions,
    PatternRule,
    PiiEngine,
    PiiOptions,
    Reaction,
    RemoteOptions,
    SecretsOptions,
    ToolOptions,
    ToolRule,
)
from tiergate.core.guard_plan import GuardPlan, Modes, Stage
from tiergate.guards.build import GuardMeans, build_guard
from tiergate.guards.content_filter import ContentFilter
from tiergate.guards.injection import InjectionGuard
from tiergate.guards.length import LengthGuard
from tiergate.guards.moderation import ModerationGuard
from tiergate.guards.pii import PiiGuard
from tiergate.guards.remote import RemoteGuard
from tiergate.guards.secrets import SecretsGuard
from tiergate.guards.tools import ToolGuard
from tiergate.ports.guarding import CLEAN, GuardError
from tiergate.wiring.guard_means import detectors, presidio


async def nowhere(url, headers, body, limit):
    raise ConnectionRefusedError


MEANS = GuardMeans(nowhere, time.monotonic, presidio=presidio, detectors=detectors)


def plan(options: object) -> GuardPlan:
    return GuardPlan(
        name="mine", kind="it", modes=Modes(frozenset({Stage.PRE_CALL})), options=options
    )


@pytest.mark.parametrize(
    ("options", "made"),
    [
        (
            FilterOptions(patterns=(PatternRule(name="email", reaction=Reaction.LOG),)),
            ContentFilter,
        ),
        (SecretsOptions(), SecretsGuard),
        (SecretsOptions(plugins=()), SecretsGuard),
        (PiiOptions(engine=PiiEngine.PATTERNS), PiiGuard),
        (PiiOptions(engine=PiiEngine.SERVICE, address="http://127.0.0.1:1"), PiiGuard),
        (LengthOptions(tokens=10), LengthGuard),
        (InjectionOptions(), InjectionGuard),
        (ModerationOptions(address="http://127.0.0.1:1/moderations"), ModerationGuard),
        (RemoteOptions(address="http://127.0.0.1:1"), RemoteGuard),
        (ToolOptions(), ToolGuard),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else type(value).__name__,
)
def test_options_of_a_kind_become_its_guard(options, made):
    assert isinstance(build_guard(plan(options), MEANS), made)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            FilterOptions(patterns=(PatternRule(name="x", reaction=Reaction.LOG, pattern="["),)),
            "is no regular expression",
        ),
        (ToolOptions(rules=(ToolRule(id="r", tool="[", allow=True),)), "is no regular expression"),
        (SecretsOptions(plugins=({"name": "Nope"},)), "detect-secrets has no detector Nope"),
        (PiiOptions(engine=PiiEngine.PRESIDIO, model="xx_none"), "spaCy model xx_none"),
    ],
)
def test_what_cannot_be_built_says_why(options, said):
    with pytest.raises(GuardError) as failed:
        build_guard(plan(options), MEANS)
    assert str(failed.value).startswith("the guardrail mine cannot be built: ")
    assert said in str(failed.value)


def test_options_of_no_kind_are_an_error():
    with pytest.raises(GuardError, match="there is no guardrail of the kind it"):
        build_guard(plan(None), MEANS)


async def test_a_built_guard_looks():
    options = FilterOptions(patterns=(PatternRule(name="email", reaction=Reaction.MASK),))
    guard = build_guard(plan(options), MEANS)
    assert (await look(guard, "a@example.com")).found
    assert await look(guard, "nothing") is CLEAN
