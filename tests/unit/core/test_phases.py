"""Names of phases, and what the policy answers about them."""

from __future__ import annotations

import pytest

from tiergate.base.values import AliasName
from tiergate.core.phases import PhasePolicy, WorkPolicy, fold_phase, shown_phase

DRAFT = PhasePolicy(name="bulk-draft", alias=AliasName("cheap"))
LIMITED = PhasePolicy(name="review", max_output=10)
POLICY = WorkPolicy(phases={"bulkdraft": DRAFT, "review": LIMITED})


@pytest.mark.parametrize(
    "name", ["bulk-draft", "BulkDraft", "bulk_draft", " Bulk Draft ", "BULKDRAFT"]
)
def test_however_it_is_written_a_phase_is_found(name):
    assert POLICY.phase(name) is DRAFT


@pytest.mark.parametrize("name", ["", "draft", "bulk", "--"])
def test_another_name_is_another_phase(name):
    assert POLICY.phase(name) is None


@pytest.mark.parametrize(
    ("end", "shown"),
    [("Draft", "draft"), ("BulkRefine", "bulk-refine"), ("QA", "qa"), ("X", "x"), ("", "")],
)
def test_the_end_of_a_key_is_a_name_for_people(end, shown):
    assert shown_phase(end) == shown
    assert fold_phase(shown) == fold_phase(end)


def test_only_phases_with_an_alias_can_be_entered():
    assert POLICY.entered == (DRAFT,)


def test_a_policy_says_whether_it_limits_tokens():
    assert POLICY.limits_tokens
    assert not WorkPolicy(phases={"bulkdraft": DRAFT}).limits_tokens
    assert WorkPolicy(phases={"x": PhasePolicy(name="x", max_input=1)}).limits_tokens
    assert not WorkPolicy().limits_tokens
