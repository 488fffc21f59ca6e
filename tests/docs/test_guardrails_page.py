"""The reference of guardrails names everything that can be written, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tiergate.config.guard_options import KINDS
from tiergate.config.keys import load_key_table
from tiergate.guards.detected_secrets import NOISY
from tiergate.guards.known_patterns import KNOWN, OTHER_NAMES
from tiergate.guards.pii_patterns import ENTITIES, USUAL

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "guardrails.md"
TEXT = PAGE.read_text(encoding="utf-8")
WORDS = set(re.findall(r"`([^`\n]+)`", TEXT))

IN_THE_GUIDE = {
    "guardrail",
    "mode",
    "default_on",
    "unreachable_fallback",
    "fail_on_error",
    "mask_pii_fail_closed",
    "skip_system_message_in_guardrail",
    "skip_tool_message_in_guardrail",
    "scan_only_tool_results",
    "only_scan_new_messages",
}
"""Keys that all kinds have in common; the guide tells of them."""


@pytest.mark.parametrize(
    "names",
    [KINDS, frozenset(KNOWN), frozenset(OTHER_NAMES), frozenset(ENTITIES), NOISY],
    ids=["kinds", "patterns", "other names", "entities", "detectors"],
)
def test_every_name_that_can_be_written_is_told(names):
    unofficial = {"hide_secrets", "detect_prompt_injection", "openai_moderations", "http"}
    assert names - WORDS <= unofficial


def test_what_is_looked_for_only_by_name_is_told_apart():
    line = next(line for line in TEXT.splitlines() if line.startswith("Only if named:"))
    assert set(re.findall(r"`([^`]+)`", line)) == set(ENTITIES) - USUAL


def test_every_option_that_acts_is_told():
    options = {
        entry.parts[3]
        for entry in load_key_table().all()
        if entry.parts[:3] == ("guardrails", "*", "litellm_params")
        and len(entry.parts) == 4
        and entry.acts
    }
    told = {word.split(":")[0] for word in WORDS} | set(
        re.findall(r"^ +(\w+):", TEXT, re.MULTILINE)
    )
    assert options - told - IN_THE_GUIDE == set()
    assert options >= IN_THE_GUIDE
