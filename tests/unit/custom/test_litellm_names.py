"""Modules that stand in for LiteLLM."""

from __future__ import annotations

import asyncio

from tiergate.custom import CustomGuardrail, CustomLogger
from tiergate.custom.litellm_names import (
    FASTAPI,
    LITELLM,
    HTTPException,
    log_guardrail_information,
    modules_of,
    should_proceed_based_on_metadata,
)


def test_every_module_is_found_in_the_one_above_it():
    modules = modules_of(LITELLM)
    for name, module in modules.items():
        above, _, last = name.rpartition(".")
        if above:
            assert getattr(modules[above], last) is module


def test_base_classes_and_types_stand_where_litellm_has_them():
    modules = modules_of(LITELLM)
    assert modules["litellm.integrations.custom_guardrail"].CustomGuardrail is CustomGuardrail
    assert modules["litellm.integrations.custom_logger"].CustomLogger is CustomLogger
    assert modules["litellm"].ModelResponse is modules["litellm.types.utils"].ModelResponse
    assert modules["litellm.types.guardrails"].GuardrailEventHooks.pre_call == "pre_call"


def test_fastapis_error_has_status_and_detail():
    error = modules_of(FASTAPI)["fastapi"].HTTPException(status_code=403, detail={"error": "no"})
    assert isinstance(error, HTTPException)
    assert (error.status_code, error.detail) == (403, {"error": "no"})


def test_helpers_change_nothing():
    def function() -> int:
        return 1

    assert log_guardrail_information(function) is function
    assert asyncio.run(should_proceed_based_on_metadata({}, "x")) is True
