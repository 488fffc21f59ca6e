"""Each file written from the other says the same, and nothing that was not said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from support.config_world import Bench, small_world
from tiergate.config.backlog import read_ops
from tiergate.config.backlog_check import Toolkit
from tiergate.config.backlog_init import MODELS, Written, backlog_of, named_aliases, yaml_of
from tiergate.config.backlog_text import parse_json
from tiergate.config.findings import Findings, Severity
from tiergate.config.load import load
from tiergate.config.source import read
from tiergate.config.tree import MapNode

MODEL_LIST = "".join(
    f"  - {{model_name: {name}, litellm_params: {{model: {model}}}}}\n"
    for name, model in MODELS.items()
)
YAML = f"""
model_list:
{MODEL_LIST}
router_settings:
  fallbacks: [{{cheap: [balanced, frontier]}}, {{balanced: [frontier]}}]
litellm_settings:
  max_budget: 1200
  budget_duration: monthly
  cache: true
  cache_params: {{type: redis, ttl: 3600, namespace: backlog}}
general_settings: {{master_key: os.environ/GATE_KEY}}
"""


def from_yaml(folder: Path, text: str = YAML, port: int = 4000) -> Written:
    path = folder / "config.yaml"
    path.write_text(text)
    loaded = load([path], {}, known=small_world(), env=False, toolkit=Toolkit(looked_for=False))
    root = read([path], Findings()).root
    assert root is not None
    assert loaded.settings is not None, loaded.findings
    return backlog_of(root, loaded.settings, port)


def ops_of(folder: Path, ops: object) -> MapNode:
    path = folder / "backlog.config.json"
    path.write_text(json.dumps({"llmOps": ops}))
    section = read_ops(path, Findings())
    assert section is not None
    return section.node


def from_json(folder: Path, ops: object) -> Written:
    return yaml_of(ops_of(folder, ops))


# ------------------------------------------------------------------ YAML -> JSON


def test_everything_that_has_a_place_is_carried_over(tmp_path):
    assert json.loads(from_yaml(tmp_path).text) == {
        "llmOps": {
            "registry": {"strictMode": True},
            "gateway": {"baseURL": "http://localhost:4000", "apiKeyEnv": "GATE_KEY"},
            "routing": {"entryModel": "cheap", "escalationModel": "frontier"},
            "cachePolicy": {
                "responseCache": {
                    "enabled": True,
                    "ttlSeconds": 3600,
                    "backend": "redis",
                    "namespace": "backlog",
                }
            },
        }
    }


def test_what_has_none_is_told(tmp_path):
    told = " ".join(from_yaml(tmp_path).told)
    assert "litellm_settings.max_budget stays in the YAML" in told
    assert "router_settings.fallbacks stays in the YAML" in told
    assert "knows no phases" in told
    assert "no maxEscalationsPerTicket" in told


def test_the_port_is_in_the_address(tmp_path):
    assert '"http://localhost:8080"' in from_yaml(tmp_path, port=8080).text


def test_a_key_that_is_written_out_is_never_copied(tmp_path):
    text = YAML.replace("os.environ/GATE_KEY", "sk-7f3kQ9xV2mZp8LwR4tYb")
    written = from_yaml(tmp_path, text)
    assert "7f3kQ9xV2mZp8LwR4tYb" not in written.text + " ".join(written.told)
    assert "apiKeyEnv" not in json.loads(written.text)["llmOps"]["gateway"]
    assert any("not copied" in sentence for sentence in written.told)


@pytest.mark.parametrize(
    ("fallbacks", "words"),
    [
        ("[]", "there is no chain"),
        ("[{cheap: [balanced]}, {frontier: [balanced]}]", ""),
        ("[{cheap: [balanced, frontier]}]", "end at balanced and frontier"),
    ],
)
def test_an_escalation_alias_is_written_only_where_it_is_clear(tmp_path, fallbacks, words):
    text = YAML.replace("[{cheap: [balanced, frontier]}, {balanced: [frontier]}]", fallbacks)
    written = from_yaml(tmp_path, text)
    routing = json.loads(written.text)["llmOps"]["routing"]
    assert ("escalationModel" in routing) == (not words)
    assert words in " ".join(written.told)


def test_a_cache_setting_that_the_other_file_cannot_say_is_told(tmp_path):
    text = YAML.replace("type: redis", "type: redis-semantic").replace("ttl: 3600", "ttl: 0.5")
    written = from_yaml(tmp_path, text)
    cache = json.loads(written.text)["llmOps"]["cachePolicy"]["responseCache"]
    assert cache == {"enabled": True, "namespace": "backlog"}
    assert sum("cache_params" in sentence for sentence in written.told) == 2


def test_without_a_cache_nothing_is_said_of_one(tmp_path):
    text = YAML.replace("  cache: true\n", "").replace("  cache_params", "  #")
    assert "cachePolicy" not in json.loads(from_yaml(tmp_path, text).text)["llmOps"]


def test_the_two_files_go_together(tmp_path):
    written = from_yaml(tmp_path)
    (tmp_path / "backlog.config.json").write_text(written.text)
    environ = {"ANTHROPIC_API_KEY": "k-anthropic", "GATE_KEY": "7f3kQ9xV2mZp8LwR4tYb"}
    loaded = load([tmp_path / "config.yaml"], environ, known=small_world())
    assert loaded.settings is not None
    assert loaded.settings.work is not None
    assert loaded.settings.work.auto
    mine = [f for f in loaded.findings if f.path.startswith("llmOps")]
    assert {f.code for f in mine} <= {"not-acting-yet"}


# ------------------------------------------------------------------ JSON -> YAML

OPS = {
    "routing": {
        "entryModel": "cheap",
        "entryModelDraft": "balanced",
        "escalationModel": "frontier",
        "maxEscalationsPerTicket": 1,
    },
    "gateway": {"baseURL": "http://localhost:8080", "apiKeyEnv": "GATE_KEY"},
    "cachePolicy": {
        "responseCache": {"enabled": True, "ttlSeconds": 60, "backend": "redis", "namespace": "b"}
    },
    "tokenPolicy": {"maxOutputByPhase": {"draft": 500}},
}


def test_aliases_key_and_cache_are_carried_over(tmp_path):
    written = from_json(tmp_path, OPS)
    found = yaml.safe_load(written.text)
    assert [entry["model_name"] for entry in found["model_list"]] == [
        "cheap",
        "balanced",
        "frontier",
    ]
    assert [e["litellm_params"]["model"] for e in found["model_list"]] == list(MODELS.values())
    assert found["general_settings"] == {"master_key": "os.environ/GATE_KEY"}
    assert found["litellm_settings"] == {
        "cache": True,
        "cache_params": {"type": "redis", "ttl": 60, "namespace": "b"},
    }


def test_what_stays_behind_and_what_was_chosen_is_told(tmp_path):
    told = " ".join(from_json(tmp_path, OPS).told)
    assert "llmOps.routing.maxEscalationsPerTicket stays in backlog.config.json" in told
    assert "llmOps.tokenPolicy stays" in told
    assert "--port 8080" in told
    assert "those in model_list are a choice" in told


def test_a_file_that_says_little_gives_the_usual_aliases(tmp_path):
    written = from_json(tmp_path, {})
    found = yaml.safe_load(written.text)
    assert [entry["model_name"] for entry in found["model_list"]] == list(MODELS)
    assert set(found) == {"model_list"}
    assert "names no alias" in " ".join(written.told)


def test_a_backend_that_the_yaml_does_not_know_is_told(tmp_path):
    policy = {"responseCache": {"enabled": False, "backend": "tape"}}
    written = from_json(tmp_path, {"cachePolicy": policy})
    assert yaml.safe_load(written.text)["litellm_settings"] == {"cache": False}
    assert "is none of local" in " ".join(written.told)


def test_the_yaml_can_be_served_with_the_file_it_came_from(tmp_path):
    written = from_json(tmp_path, OPS)
    text = json.dumps({"llmOps": OPS})
    loaded = Bench(tmp_path).load(
        written.text,
        environ={"ANTHROPIC_API_KEY": "k-anthropic", "GATE_KEY": "7f3kQ9xV2mZp8LwR4tYb"},
        files={"backlog.config.json": text},
    )
    assert loaded.settings is not None, loaded.findings
    assert not [f for f in loaded.findings if f.severity is Severity.ERROR]
    assert "conflicting-files" not in {f.code for f in loaded.findings}
    assert "unknown-model" not in {f.code for f in loaded.findings}


@given(st.text(min_size=1, max_size=20).filter(str.strip))
def test_any_name_of_an_alias_is_read_again_as_it_was(name):
    ops = {"routing": {"entryModel": name}}
    node = parse(ops)
    assert named_aliases(node) == (name,)
    entries = yaml.safe_load(yaml_of(node).text)["model_list"]
    assert [entry["model_name"] for entry in entries] == [name]


def parse(ops: object) -> MapNode:
    from_text = parse_json(json.dumps(ops), "f.json", Findings())
    assert isinstance(from_text, MapNode)
    return from_text
