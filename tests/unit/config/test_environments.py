from __future__ import annotations

import pytest

from tiergate.config.environments import PROCESS_NAMES, process_environment, split
from tiergate.config.findings import Findings


def test_free_names_are_environments_of_requests() -> None:
    found = split(("interactive", "offline", "offline"), None)

    assert (found.of_requests, found.off) == (("interactive", "offline"), None)


@pytest.mark.parametrize("process", PROCESS_NAMES)
def test_a_deployment_of_this_process_is_on_and_of_another_off(process: str) -> None:
    assert split((process,), process).off is None
    others = tuple(name for name in PROCESS_NAMES if name != process)
    assert split(others, process).off is not None


def test_without_the_variable_a_deployment_for_production_is_off_and_says_why() -> None:
    off = split(("production", "offline"), None).off

    assert off == "it is for production, and TIERGATE_ENVIRONMENT is not set"


def test_process_names_are_no_environments_of_requests() -> None:
    assert split(("production", "offline"), "production").of_requests == ("offline",)


def test_the_own_variable_wins_over_that_of_litellm() -> None:
    environ = {"TIERGATE_ENVIRONMENT": "staging", "LITELLM_ENVIRONMENT": "production"}

    assert process_environment(environ, Findings()) == "staging"
    assert process_environment({"LITELLM_ENVIRONMENT": "production"}, Findings()) == "production"
    assert process_environment({"TIERGATE_ENVIRONMENT": " "}, Findings()) is None


def test_an_unknown_environment_is_kept_and_warned_of() -> None:
    findings = Findings()

    assert process_environment({"TIERGATE_ENVIRONMENT": "prod"}, findings) == "prod"
    assert [each.code for each in findings.result()] == ["unknown-environment"]
