"""What the gateway itself tells a caller."""

from __future__ import annotations

import pytest

from tiergate.base.errors import Failure, FailureClass, Refused
from tiergate.base.values import AliasName
from tiergate.core import told
from tiergate.core.catalog import ChainKind
from tiergate.core.moves import CONSEQUENCES


def test_an_unknown_alias_is_named_and_cut() -> None:
    refusal = told.unknown_alias(AliasName("x" * 500))

    assert (refusal.status, refusal.code) == (400, "model_not_found")
    assert refusal.anthropic_type == "not_found_error"
    assert len(refusal.message) < 200


@pytest.mark.parametrize(
    ("own", "kind"), [(True, FailureClass.CALLER_TIMEOUT), (False, FailureClass.TIMEOUT)]
)
def test_time_that_is_over_is_a_408(own: bool, kind: FailureClass) -> None:
    failure = told.no_time(callers_own=own)

    assert (failure.kind, failure.status, failure.type) == (kind, 408, "timeout_error")


@pytest.mark.parametrize(
    "kind", [ChainKind.GENERAL, ChainKind.CONTEXT_WINDOW, ChainKind.CONTENT_POLICY]
)
def test_a_drill_is_of_the_class_that_leads_to_its_chain(kind: ChainKind) -> None:
    failure = told.drilled(kind)

    assert isinstance(failure, Failure)
    assert CONSEQUENCES[failure.kind].chain is kind
    assert "mock_testing_" in failure.message


def test_a_budget_drill_says_what_a_budget_says() -> None:
    refusal = told.drilled(ChainKind.BUDGET)

    assert isinstance(refusal, Refused)
    assert told.is_budget(refusal)
    assert refusal.headers == (("x-should-retry", "false"),)


def test_drills_that_are_off_name_the_setting() -> None:
    setting = "general_settings.dangerously_allow_mock_testing_request_params"

    assert setting in told.drills_are_off().message


def test_a_budget_failure_is_one_too() -> None:
    assert told.is_budget(Failure(FailureClass.BUDGET, 429, "spent"))
    assert not told.is_budget(Failure(FailureClass.RATE_LIMIT, 429, "slow down"))
    assert not told.is_budget(Refused(429, "cooling", code="all_deployments_in_cooldown"))


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (Failure(FailureClass.RATE_LIMIT, 429, "slow down", retry_after=1.2), 2),
        (Failure(FailureClass.RATE_LIMIT, 429, "slow down"), None),
        (Refused(429, "cooling", headers=(("retry-after", "7"),)), 7),
        (Refused(429, "spent"), None),
        (Refused(429, "odd", headers=(("retry-after", "soon"),)), None),
    ],
)
def test_seconds_to_wait(error: Failure | Refused, seconds: int | None) -> None:
    assert told.seconds_to_wait(error) == seconds
