"""Which deployments get breakpoints, how long a prefix must be, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import KEY, Bench, Loaded
from tiergate.core.breakpoints import Part
from tiergate.core.catalog import Deployment

ON = "litellm_settings: {enable_anthropic_prompt_caching: true%s}\n"
MODELS = """
model_list:
  - {model_name: a, litellm_params: {model: anthropic/claude-haiku-4-5, api_key: k1}}
  - {model_name: b, litellm_params: {model: anthropic/claude-sonnet-4-5, api_key: k2}}
  - {model_name: c, litellm_params: {model: openai/gpt-4o, api_key: k3}}
"""


def load(folder: Path, rest: str, environ: dict[str, str] | None = None) -> Loaded:
    return Bench(folder).load(MODELS + KEY + rest, environ=environ)


def deployment(loaded: Loaded, alias: str) -> Deployment:
    assert loaded.draft is not None
    return next(d for d in loaded.draft.deployments if d.alias == alias)


def test_nothing_is_added_where_nobody_asks(tmp_path: Path) -> None:
    loaded = load(tmp_path, "")
    assert [deployment(loaded, alias).breakpoints for alias in "abc"] == [None] * 3


def test_each_model_has_its_own_minimum(tmp_path: Path) -> None:
    loaded = load(tmp_path, ON % "")
    marks = [deployment(loaded, alias).breakpoints for alias in "abc"]
    assert [None if each is None else each.least for each in marks] == [4096, 1024, None]


def test_the_files_length_counts_where_it_is_longer(tmp_path: Path) -> None:
    loaded = load(tmp_path, ON % ", prompt_caching_min_tokens: 2000")
    marks = [deployment(loaded, alias).breakpoints for alias in "ab"]
    assert [each and each.least for each in marks] == [4096, 2000]


def test_a_length_below_a_models_minimum_is_warned_of(tmp_path: Path) -> None:
    loaded = load(tmp_path, ON % ", prompt_caching_min_tokens: 1024")
    (finding,) = (
        f for f in loaded.findings if f.code == "prefix-minimum" and f.severity.value == "warning"
    )
    assert finding.path == "litellm_settings.prompt_caching_min_tokens"
    assert "claude-haiku-4-5 from 4096" in finding.message
    assert "sonnet-4-5" not in finding.message


def test_an_hour_is_asked_for_by_the_ttl(tmp_path: Path) -> None:
    marks = deployment(load(tmp_path, ON % ", anthropic_prompt_caching_ttl: 1h"), "a").breakpoints
    assert marks is not None
    assert all(place.one_hour for place in marks.places)


def test_the_environment_switches_where_the_file_says_nothing(tmp_path: Path) -> None:
    environ = {
        "LITELLM_ENABLE_ANTHROPIC_PROMPT_CACHING": "true",
        "LITELLM_ANTHROPIC_PROMPT_CACHING_TTL": "1h",
    }
    marks = deployment(load(tmp_path, "", environ), "a").breakpoints
    assert marks is not None
    assert marks.places[0].one_hour
    off = load(tmp_path, "litellm_settings: {enable_anthropic_prompt_caching: false}\n", environ)
    assert deployment(off, "a").breakpoints is None


def test_a_deployments_own_places_win(tmp_path: Path) -> None:
    own = "\ncache_control_injection_points: [{location: message, role: system}]"
    text = MODELS.replace("api_key: k1", f"api_key: k1,{own.strip()}")
    loaded = Bench(tmp_path).load(text + KEY + ON % "")
    marks = deployment(loaded, "a").breakpoints
    assert marks is not None
    assert [place.part for place in marks.places] == [Part.SYSTEM]
    assert marks.least == 4096


@pytest.mark.parametrize("ttl", ["2h", "[1h]"])
def test_an_unknown_life_is_refused(tmp_path: Path, ttl: str) -> None:
    assert load(tmp_path, ON % f", anthropic_prompt_caching_ttl: {ttl}").settings is None
