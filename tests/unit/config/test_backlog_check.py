"""Both files side by side: which settings differ, and who wins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.config_world import KEY, MODELS, said, small_world
from tiergate.config.backlog_check import Toolkit
from tiergate.config.load import Loaded, load

ENVIRON = {"ANTHROPIC_API_KEY": "k-anthropic", "OPENAI_API_KEY": "k-openai"}
MASTER = KEY.partition("master_key: ")[2].rstrip("}\n")


def loaded(
    folder: Path, ops: object, rest: str = KEY, *, port: int = 4000, env: bool = True, **variables
) -> Loaded:
    config, backlog = folder / "config.yaml", folder / "backlog.config.json"
    config.write_text(MODELS + rest)
    backlog.write_text(json.dumps({"llmOps": ops}, indent=2))
    return load(
        [config],
        {**ENVIRON, **variables},
        known=small_world(),
        env=env,
        toolkit=Toolkit(None, port),
    )


# ------------------------------------------------------------------ one setting in two files


@pytest.mark.parametrize(
    ("policy", "yaml", "path"),
    [
        ({"responseCache": {"enabled": False}}, "cache: true", "responseCache.enabled"),
        (
            {"responseCache": {"ttlSeconds": 60}},
            "cache_params: {ttl: 3600}",
            "responseCache.ttlSeconds",
        ),
        (
            {"responseCache": {"backend": "redis"}},
            "cache_params: {type: local}",
            "responseCache.backend",
        ),
        (
            {"responseCache": {"namespace": "other"}},
            "cache_params: {namespace: backlog}",
            "responseCache.namespace",
        ),
        (
            {"semanticCache": {"threshold": 0.8}},
            "cache_params: {similarity_threshold: 0.9}",
            "semanticCache.threshold",
        ),
    ],
)
def test_two_values_are_a_warning_that_names_both_places(tmp_path, policy, yaml, path):
    found = loaded(tmp_path, {"cachePolicy": policy}, f"{KEY}litellm_settings: {{{yaml}}}\n")
    (hit,) = (each for each in found.findings if each.code == "conflicting-files")
    assert hit.severity.value == "warning"
    assert hit.path == f"llmOps.cachePolicy.{path}"
    assert hit.position.file.endswith("backlog.config.json")
    assert hit.position.line == 5
    assert "config.yaml:6" in hit.message
    assert "which wins" in hit.message


def test_one_value_in_both_files_is_no_conflict(tmp_path):
    policy = {"responseCache": {"enabled": True, "ttlSeconds": 3600}}
    rest = f"{KEY}litellm_settings: {{cache: true, cache_params: {{ttl: 3600}}}}\n"
    assert said(loaded(tmp_path, {"cachePolicy": policy}, rest), "conflicting-files") == []


@pytest.mark.parametrize("policy", [5, {"responseCache": 5}, {}])
def test_what_is_no_mapping_is_compared_with_nothing(tmp_path, policy):
    rest = f"{KEY}litellm_settings: {{cache: true}}\n"
    assert said(loaded(tmp_path, {"cachePolicy": policy}, rest), "conflicting-files") == []


# ------------------------------------------------------------------ the address


def address(folder: Path, url: str, rest: str = KEY, port: int = 4000) -> list[str]:
    return said(loaded(folder, {"gateway": {"baseURL": url}}, rest, port=port), "base-url-differs")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:4000",
        "http://127.0.0.1:4000/v1",
        "http://[::1]:4000",
        "https://gateway.example",
        "http://gateway.example:9",
    ],
)
def test_an_address_that_may_lead_here_is_good(tmp_path, url):
    assert address(tmp_path, url) == []


def test_another_port_is_told_with_both(tmp_path):
    (hit,) = address(tmp_path, "http://localhost:4001")
    assert "calls port 4001" in hit
    assert "listens on port 4000" in hit


def test_an_address_without_a_port_means_the_usual_one(tmp_path):
    assert "calls port 80," in address(tmp_path, "http://localhost")[0]
    assert address(tmp_path, "http://localhost", port=80) == []


def test_any_port_is_compared_with_nothing(tmp_path):
    assert address(tmp_path, "http://localhost:4001", port=0) == []


def test_the_gateway_speaks_no_https_itself(tmp_path):
    assert "https" in address(tmp_path, "https://localhost:4000")[0]


def test_without_a_master_key_nobody_else_can_call(tmp_path):
    (hit,) = address(tmp_path, "http://gateway.example:4000", rest="")
    assert "listens on loopback only" in hit


@pytest.mark.parametrize("url", ["localhost:4000", "ftp://localhost", "http://", "http://h:99999"])
def test_what_is_no_address_is_refused(tmp_path, url):
    found = loaded(tmp_path, {"gateway": {"baseURL": url}})
    assert found.settings is None
    assert "is no address of a gateway" in said(found, "wrong-type")[0]


def test_an_empty_address_is_the_toolkits_default_and_says_nothing(tmp_path):
    found = loaded(tmp_path, {"gateway": {"baseURL": "", "apiKeyEnv": ""}})
    assert found.settings is not None
    assert not [each for each in found.findings if "gateway" in each.path]


# ------------------------------------------------------------------ the key


def key(folder: Path, rest: str = KEY, *, env: bool = True, **variables) -> list[str]:
    found = loaded(folder, {"gateway": {"apiKeyEnv": "GATE_KEY"}}, rest, env=env, **variables)
    assert all(MASTER not in str(each) for each in found.findings)
    assert all("sk-other" not in str(each) for each in found.findings)
    return [
        f"{each.severity.value} {each.message}"
        for each in found.findings
        if each.code in ("api-key-differs", "key-not-compared")
    ]


def test_the_master_key_is_good(tmp_path):
    assert key(tmp_path, GATE_KEY=MASTER) == []


def test_another_key_is_a_warning_that_shows_neither(tmp_path):
    (hit,) = key(tmp_path, GATE_KEY="sk-other-key-of-somebody")
    assert hit.startswith("warning GATE_KEY holds another key")


def test_a_variable_that_is_not_set_here_cannot_be_compared(tmp_path):
    assert key(tmp_path)[0].startswith("notice the variable GATE_KEY is not set")


def test_a_gateway_without_a_key_needs_none(tmp_path):
    assert key(tmp_path, rest="") == []
    assert "asks for none" in key(tmp_path, rest="", GATE_KEY="sk-other-key")[0]


def test_nothing_is_compared_where_variables_are_not_looked_up(tmp_path):
    assert key(tmp_path, env=False, GATE_KEY="sk-other-key-of-somebody") == []
