from __future__ import annotations

from pathlib import Path

from support.config_world import KEY, MODELS, Bench, key_table, load_rest
from tiergate.cli.check_report import explanation, json_report, show_address, text_report


def test_an_address_is_shown_without_its_password() -> None:
    assert show_address("https://user:pass@h:1/v1") == "https://***@h:1/v1"
    assert show_address("https://h/v1") == "https://h/v1"
    assert show_address("http://[") == "?"


def test_deployments_are_told_with_where_their_key_comes_from(tmp_path: Path) -> None:
    report = json_report(load_rest(tmp_path, ""))
    deployments = report["deployments"]

    assert isinstance(deployments, list)
    assert deployments[0] == {
        "id": "a",
        "alias": "cheap",
        "provider": "anthropic",
        "model": "claude-sonnet-4-5",
        "api_base": "https://api.anthropic.com",
        "key_from": "ANTHROPIC_API_KEY",
        "environments": [],
        "tags": [],
        "off": None,
        "file": str(tmp_path / "a.yaml"),
        "line": 3,
    }


def test_fallbacks_are_told_by_kind(tmp_path: Path) -> None:
    rest = (
        "router_settings: {fallbacks: [{cheap: [balanced]}], default_fallbacks: [balanced], "
        "context_window_fallbacks: [{cheap: [balanced]}], "
        "budget_fallbacks: [{balanced: [cheap]}]}\n"
    )
    loaded = load_rest(tmp_path, rest)

    assert json_report(loaded)["fallbacks"] == {
        "general": {"cheap": ["balanced"]},
        "context_window": {"cheap": ["balanced"]},
        "content_policy": {},
        "budget": {"balanced": ["cheap"]},
        "default": ["balanced"],
    }
    assert "all others -> balanced" in text_report(loaded)


def test_environments_tags_and_switched_off_deployments_are_shown(tmp_path: Path) -> None:
    text = MODELS.replace("gpt-4o}", "gpt-4o, tags: [eu]}").replace(
        "id: b", "id: b, supported_environments: [staging, offline]"
    )
    page = text_report(Bench(tmp_path).load(text + KEY))

    assert "for offline; tags eu; off" in page


def test_a_file_that_cannot_be_read_shows_its_findings_only(tmp_path: Path) -> None:
    loaded = Bench(tmp_path).load("a: [")
    page = text_report(loaded)

    assert "Aliases" not in page
    assert page.endswith("Not usable (1 error).")
    assert json_report(loaded)["deployments"] == []


def test_colours_mark_the_severity_alone(tmp_path: Path) -> None:
    loaded = load_rest(tmp_path, "litellm_settings: {request_timeout: 30}\n")

    assert " warning: " in text_report(loaded)
    assert "\x1b[33m\x1b[1m warning: \x1b[0m" in text_report(loaded, color=True)


def test_an_explanation_says_verdict_form_default_and_what_else_to_know() -> None:
    text = explanation(key_table().explain("router_settings.routing_strategy"))

    assert text.startswith("router_settings.routing_strategy\n  honoured")
    assert "one of simple-shuffle" in text
    assert "default: simple-shuffle" in text


def test_a_long_explanation_is_cut() -> None:
    text = explanation(key_table().all())

    assert text.endswith("more keys; ask more exactly.")
