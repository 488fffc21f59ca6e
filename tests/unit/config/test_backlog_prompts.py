"""The toolkit's file switches the breakpoints of prompt caches where the YAML says nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.config_world import KEY, MODELS, Bench, Loaded
from tiergate.config.backlog_prompts import with_prompts
from tiergate.config.backlog_text import parse_json
from tiergate.config.findings import Findings
from tiergate.config.tree import MapNode, to_json


def tree(value: object) -> MapNode:
    node = parse_json(json.dumps(value), "backlog.config.json", Findings())
    assert isinstance(node, MapNode)
    return node


def merged(yaml: object, policy: object) -> object:
    return to_json(with_prompts(tree(yaml), tree({"cachePolicy": policy})))


def loaded(folder: Path, policy: object, rest: str = "") -> Loaded:
    text = json.dumps({"llmOps": {"cachePolicy": policy}}, indent=2)
    return Bench(folder).load(MODELS + KEY + rest, files={"backlog.config.json": text})


FULL = {"providerPromptCaching": True, "stablePrefixMinTokens": 6000}


def test_what_the_yaml_does_not_say_is_filled_in() -> None:
    assert merged({}, FULL) == {
        "litellm_settings": {
            "enable_anthropic_prompt_caching": True,
            "prompt_caching_min_tokens": 6000,
        }
    }


def test_the_yamls_own_word_wins() -> None:
    yaml = {
        "litellm_settings": {
            "enable_anthropic_prompt_caching": True,
            "prompt_caching_min_tokens": 9000,
        }
    }
    assert merged(yaml, {**FULL, "providerPromptCaching": False}) == yaml


@pytest.mark.parametrize(
    "policy", [{"providerPromptCaching": False, "stablePrefixMinTokens": 5}, {}, {"x": 1}]
)
def test_the_length_is_not_filled_in_where_the_breakpoints_stay_off(policy: object) -> None:
    found = merged({}, policy)
    assert isinstance(found, dict)
    assert "prompt_caching_min_tokens" not in found.get("litellm_settings", {})


def test_it_acts_on_claude_and_on_nobody_else(tmp_path: Path) -> None:
    found = loaded(tmp_path, FULL)
    assert found.settings is not None
    marked = {d.model for d in found.settings.deployments if d.breakpoints is not None}
    assert marked == {d.model for d in found.settings.deployments if "claude" in d.model}
    assert marked
    assert {d.breakpoints.least for d in found.settings.deployments if d.breakpoints} == {6000}
    assert not [f for f in found.findings if f.code == "not-acting-yet"]


@pytest.mark.parametrize(
    ("policy", "key"),
    [
        ({"providerPromptCaching": "often"}, "providerPromptCaching"),
        ({"stablePrefixMinTokens": 0}, "stablePrefixMinTokens"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(
    tmp_path: Path, policy: object, key: str
) -> None:
    (finding,) = (f for f in loaded(tmp_path, policy).findings if f.code == "wrong-type")
    assert finding.path == f"llmOps.cachePolicy.{key}"


def test_two_files_that_contradict_each_other_are_told(tmp_path: Path) -> None:
    rest = "litellm_settings: {enable_anthropic_prompt_caching: false}\n"
    codes = [f.code for f in loaded(tmp_path, FULL, rest).findings]
    assert "conflicting-files" in codes
