"""The toolkit's file switches and tunes the response cache where the YAML says nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.config_world import KEY, MODELS, Bench, Loaded
from tiergate.config.backlog_cache import KEYS, with_cache
from tiergate.config.backlog_text import parse_json
from tiergate.config.findings import Findings, Severity
from tiergate.config.tree import MapNode, to_json

FULL = {"enabled": True, "ttlSeconds": 60, "backend": "disk", "namespace": "b"}


def tree(text: str) -> MapNode:
    node = parse_json(text, "backlog.config.json", Findings())
    assert isinstance(node, MapNode)
    return node


def merged(yaml: object, response: object) -> object:
    ops = tree(json.dumps({"cachePolicy": {"responseCache": response}}))
    return to_json(with_cache(tree(json.dumps(yaml)), ops))


def loaded(folder: Path, response: object, rest: str = "") -> Loaded:
    text = json.dumps({"llmOps": {"cachePolicy": {"responseCache": response}}}, indent=2)
    return Bench(folder).load(MODELS + KEY + rest, files={"backlog.config.json": text})


def test_what_the_yaml_does_not_say_is_filled_in():
    assert merged({"model_list": []}, FULL) == {
        "model_list": [],
        "litellm_settings": {
            "cache": True,
            "cache_params": {"type": "disk", "ttl": 60, "namespace": "b"},
        },
    }


def test_the_yamls_own_word_wins_key_by_key():
    yaml = {"litellm_settings": {"x": 1, "cache": True, "cache_params": {"ttl": 5}, "y": 2}}
    assert merged(yaml, {**FULL, "enabled": False}) == {
        "litellm_settings": {
            "x": 1,
            "cache": True,
            "cache_params": {"ttl": 5, "type": "disk", "namespace": "b"},
            "y": 2,
        }
    }


@pytest.mark.parametrize(
    ("yaml", "response"),
    [
        ({}, {"enabled": False, "ttlSeconds": 60}),
        ({}, {"ttlSeconds": 60}),
        ({}, {"enabled": "yes"}),
        ({}, 5),
        ({}, {}),
        ({"litellm_settings": {"cache": False}}, FULL),
        ({"router_settings": {"cache_responses": False}}, FULL),
    ],
)
def test_where_the_cache_stays_off_nothing_is_filled_in(yaml, response):
    assert merged(yaml, response) == yaml


def test_the_other_name_of_the_switch_counts_too():
    found = merged({"router_settings": {"cache_responses": True}}, {"ttlSeconds": 60})
    assert found == {
        "router_settings": {"cache_responses": True},
        "litellm_settings": {"cache_params": {"ttl": 60}},
    }


def test_empty_places_are_filled_and_wrong_ones_left_to_their_reader():
    assert merged({"litellm_settings": None}, {"enabled": True}) == {
        "litellm_settings": {"cache": True}
    }
    yaml = {"litellm_settings": {"cache": True, "cache_params": None}}
    assert merged(yaml, FULL)["litellm_settings"]["cache_params"]["ttl"] == 60
    assert merged({"litellm_settings": 5}, FULL) == {"litellm_settings": 5}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ttlSeconds", 0),
        ("ttlSeconds", True),
        ("ttlSeconds", 1.5),
        ("backend", ""),
        ("namespace", 1),
    ],
)
def test_a_value_that_does_not_fit_is_not_filled_in(key, value):
    assert merged({}, {"enabled": True, key: value}) == {"litellm_settings": {"cache": True}}


def test_it_acts_with_the_place_where_it_stands(tmp_path):
    found = loaded(tmp_path, FULL)
    assert found.settings is not None, found.findings
    cache = found.settings.cache
    assert cache is not None
    assert (cache.kind.value, cache.policy.ttl, cache.policy.namespace) == ("disk", 60, "b")
    rows = {row.path: row for row in found.report}
    assert rows["litellm_settings.cache"].origin == f"{tmp_path}/backlog.config.json:5"
    assert not [f for f in found.findings if f.code == "not-acting-yet"]


def test_without_a_word_of_either_file_there_is_none(tmp_path):
    found = loaded(tmp_path, {"enabled": False, "ttlSeconds": 60})
    assert found.settings is not None
    assert found.settings.cache is None


@pytest.mark.parametrize(
    ("response", "path", "code"),
    [
        ({"enabled": "maybe"}, "responseCache.enabled", "wrong-type"),
        ({"enabled": True, "ttlSeconds": 0}, "responseCache.ttlSeconds", "wrong-type"),
        ({"enabled": True, "namespace": 5}, "responseCache.namespace", "wrong-type"),
        ({"enabled": True, "backend": ""}, "responseCache.backend", "empty-text"),
        ({"enabled": True, "ttlSecond": 5}, "responseCache.ttlSecond", "unknown-key"),
        (5, "responseCache", "wrong-type"),
    ],
)
def test_what_does_not_fit_is_refused_once_with_its_place(tmp_path, response, path, code):
    errors = [f for f in loaded(tmp_path, response).findings if f.severity is Severity.ERROR]
    assert [(f.path, f.code) for f in errors] == [(f"llmOps.cachePolicy.{path}", code)]
    assert errors[0].position.file.endswith("backlog.config.json")


def test_a_backend_that_does_not_exist_is_refused_where_it_stands(tmp_path):
    errors = [
        f
        for f in loaded(tmp_path, {"enabled": True, "backend": "tape"}).findings
        if f.severity is Severity.ERROR
    ]
    assert [f.position.file.rpartition("/")[2] for f in errors] == ["backlog.config.json"]
    assert errors[0].position.line == 6


def test_the_keys_are_those_that_the_tuning_knows():
    assert KEYS == ("enabled", "backend", "ttlSeconds", "namespace")
