from __future__ import annotations

from pathlib import Path

from support.config_world import MODELS, Bench, load_rest, said

MORE = MODELS + "  - {model_name: frontier, litellm_params: {model: openai/gpt-5}}\n"


def rings(folder: Path, rules: str) -> list[str]:
    return said(Bench(folder).load(MORE, f"router_settings: {{{rules}}}\n"), "fallback-cycle")


def test_a_ring_of_two_is_named_with_both_aliases(tmp_path: Path) -> None:
    (text,) = rings(tmp_path, "fallbacks: [{cheap: [balanced]}, {balanced: [cheap]}]")

    assert "cycle: cheap -> balanced -> cheap" in text
    assert text.startswith("warning router_settings.fallbacks[0].cheap")


def test_a_ring_of_three_is_named_once(tmp_path: Path) -> None:
    (text,) = rings(
        tmp_path, "fallbacks: [{cheap: [balanced]}, {balanced: [frontier]}, {frontier: [cheap]}]"
    )

    assert "cheap -> balanced -> frontier -> cheap" in text


def test_each_ring_is_told(tmp_path: Path) -> None:
    found = rings(
        tmp_path,
        "fallbacks: [{cheap: [balanced, frontier]}, {balanced: [cheap]}, {frontier: [balanced]}]",
    )

    assert len(found) == 2


def test_chains_that_share_a_target_form_no_ring(tmp_path: Path) -> None:
    assert (
        rings(tmp_path, "fallbacks: [{cheap: [balanced, frontier]}, {balanced: [frontier]}]") == []
    )


def test_a_step_of_another_kind_closes_no_ring(tmp_path: Path) -> None:
    rules = "fallbacks: [{cheap: [balanced]}], content_policy_fallbacks: [{balanced: [cheap]}]"

    assert rings(tmp_path, rules) == []


def test_a_short_time_limit_is_warned_of_and_stream_timeout_named(tmp_path: Path) -> None:
    loaded = load_rest(tmp_path, "litellm_settings: {request_timeout: 30}\n")

    assert len(said(loaded, "short-timeout")) == 1
    assert "stream_timeout" in loaded.findings[0].advice


def test_a_long_limit_or_one_for_streams_needs_no_word(tmp_path: Path) -> None:
    for rest in ("request_timeout: 120", "request_timeout: 30, stream_timeout: 60"):
        assert load_rest(tmp_path, f"litellm_settings: {{{rest}}}\n").findings == ()


def test_deployments_with_limits_of_their_own_need_no_word(tmp_path: Path) -> None:
    text = MODELS.replace("}, model_info", ", timeout: 300}, model_info")
    loaded = Bench(tmp_path).load(text, "litellm_settings: {request_timeout: 30}\n")

    assert said(loaded, "short-timeout") == []


def test_a_deployment_for_another_environment_is_off_and_said(tmp_path: Path) -> None:
    text = MODELS.replace("id: a", "id: a, supported_environments: [production]")
    loaded = Bench(tmp_path).load(text)

    (line,) = said(loaded, "deployment-off")
    assert 'nothing serves "cheap" then' in line
    assert loaded.settings is not None
    assert loaded.settings.deployments[0].off is not None


def test_tags_without_tag_filtering_are_warned_of(tmp_path: Path) -> None:
    text = MODELS.replace("gpt-4o}", "gpt-4o, tags: [eu]}")

    assert len(said(Bench(tmp_path).load(text), "idle-tags")) == 1
    on = Bench(tmp_path).load(text, "router_settings: {enable_tag_filtering: true}\n")
    assert said(on, "idle-tags") == []
