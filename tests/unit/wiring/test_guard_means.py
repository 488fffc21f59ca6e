"""Guards are built with the libraries that they ask for."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from support.guarded import look
from tiergate.core.guard_options import (
    FilterOptions,
    PatternRule,
    PiiEngine,
    PiiOptions,
    Reaction,
    SecretsOptions,
)
from tiergate.core.guard_plan import GuardPlan, Modes, Stage
from tiergate.ports.guarding import GuardError
from tiergate.wiring.guard_means import detectors, make_guard, presidio


async def nowhere(url, headers, body, limit):
    raise ConnectionRefusedError


def plan(options: object) -> GuardPlan:
    modes = Modes(frozenset({Stage.PRE_CALL}))
    return GuardPlan(name="mine", kind="it", modes=modes, options=options)


async def test_a_plan_becomes_a_guard_that_looks():
    options = FilterOptions(patterns=(PatternRule(name="email", reaction=Reaction.MASK),))
    guard = make_guard(plan(options), nowhere, time.monotonic)
    assert (await look(guard, "a@example.com")).found


def test_a_plan_that_cannot_be_built_is_an_error():
    options = PiiOptions(engine=PiiEngine.PRESIDIO, model="xx_none")
    with pytest.raises(GuardError, match="the guardrail mine cannot be built: the spaCy model"):
        make_guard(plan(options), nowhere, time.monotonic)


async def test_detectors_are_those_of_detect_secrets():
    found = detectors(SecretsOptions(plugins=()), time.monotonic)
    assert await found.find(["nothing here"]) == []


def test_presidio_is_presidio():
    with pytest.raises(ValueError, match="spaCy model xx_none"):
        presidio(PiiOptions(engine=PiiEngine.PRESIDIO, model="xx_none"))


def test_a_start_without_guards_imports_none_of_their_libraries():
    program = (
        "import sys, tiergate.wiring.build; "
        "print(*sorted({'regex', 'spacy', 'detect_secrets'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "")
