"""The wordings: each is a bounded pattern of a known kind."""

from __future__ import annotations

import pytest

from support.guarded import INNOCENT
from support.injection_examples import ATTACKS, HARMLESS
from tiergate.core.guard_options import Sensitivity
from tiergate.guards.injection_rules import RULES
from tiergate.guards.matching import compiled
from tiergate.guards.probing import runaway
from tiergate.guards.width import widest


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.kind}-{rule.sensitivity.value}")
def test_every_wording_is_a_bounded_pattern_that_does_not_run_away(rule):
    assert compiled(rule.pattern, ignore_case=True)
    assert (widest(rule.pattern) or 9999) <= 512
    assert runaway(rule.pattern) == ""


def test_every_sensitivity_has_wordings():
    assert {rule.sensitivity for rule in RULES} == set(Sensitivity)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.kind}-{rule.sensitivity.value}")
def test_a_text_without_the_needed_words_has_no_finding(rule):
    pattern = compiled(rule.pattern, ignore_case=True)
    for text in (*ATTACKS, *HARMLESS, *INNOCENT):
        if rule.needs and pattern.search(text):
            assert any(word in text.casefold() for word in rule.needs), text
        assert all(word == word.casefold() for word in rule.needs)
