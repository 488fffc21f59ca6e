"""The toolkit's file switches and tunes the semantic cache; the YAML's own word wins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.config_world import small_world
from tiergate.config.load import Loaded, load
from tiergate.core.cache_plan import CacheKind, CachePlan
from tiergate.core.meaning_plan import MeaningKind

MODELS = """
model_list:
  - {model_name: cheap, litellm_params: {model: openai/gpt-4o, api_key: k}}
  - {model_name: embed, litellm_params: {model: openai/text-embedding-3-small, api_key: k}}
general_settings: {master_key: 7f3kQ9xV2mZp8LwR4tYb}
"""


def loaded(folder: Path, semantic: object, yaml: str = "") -> Loaded:
    (folder / "a.yaml").write_text(MODELS + yaml)
    policy = {"llmOps": {"cachePolicy": {"semanticCache": semantic}}}
    (folder / "backlog.config.json").write_text(json.dumps(policy))
    return load([folder / "a.yaml"], {}, known=small_world())


def plan(folder: Path, semantic: object, yaml: str = "") -> CachePlan | None:
    found = loaded(folder, semantic, yaml)
    assert found.settings is not None, [str(f) for f in found.findings]
    return found.settings.cache


def test_it_switches_the_cache_on_with_its_backend_threshold_and_model(tmp_path):
    ours = {"enabled": True, "backend": "embedded", "threshold": 0.9, "embeddingModel": "embed"}
    found = plan(tmp_path, ours)
    assert found is not None
    assert found.meaning is not None
    assert (found.kind, found.meaning.kind) == (CacheKind.DISK, MeaningKind.EMBEDDED)
    assert (found.meaning.policy.threshold, found.meaning.embedding) == (0.9, "embed")


def test_it_adds_to_the_type_that_the_yaml_names(tmp_path):
    yaml = "litellm_settings: {cache: true, cache_params: {type: local, threshold: 0.8}}\n"
    ours = {"enabled": True, "backend": "redis-vss", "threshold": 0.9, "embeddingModel": "embed"}
    found = plan(tmp_path, ours, yaml)
    assert found is not None
    assert found.meaning is not None
    assert (found.kind, found.meaning.kind) == (CacheKind.LOCAL, MeaningKind.REDIS)
    assert found.meaning.policy.threshold == 0.8
    assert found.redis is not None


@pytest.mark.parametrize(
    ("semantic", "yaml"),
    [
        ({"enabled": False, "backend": "qdrant"}, ""),
        ({"backend": "qdrant"}, ""),
        ({"enabled": True, "backend": "qdrant"}, "litellm_settings: {cache: false}\n"),
    ],
)
def test_it_is_off_where_either_file_says_so(tmp_path, semantic, yaml):
    assert plan(tmp_path, semantic, yaml) is None


@pytest.mark.parametrize(
    ("semantic", "path", "code"),
    [
        ({"enabled": "sometimes"}, "semanticCache.enabled", "wrong-type"),
        ({"threshold": "high"}, "semanticCache.threshold", "wrong-type"),
        ({"backend": 5}, "semanticCache.backend", "wrong-type"),
        ({"thresholds": 0.9}, "semanticCache.thresholds", "unknown-key"),
    ],
)
def test_what_does_not_fit_is_said_with_its_place(tmp_path, semantic, path, code):
    found = [f for f in loaded(tmp_path, semantic).findings if f.severity.value == "error"]
    assert [(f.path, f.code) for f in found] == [(f"llmOps.cachePolicy.{path}", code)]
