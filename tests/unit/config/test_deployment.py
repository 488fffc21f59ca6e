from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import KEY, Bench, Loaded, key_table, said
from tiergate.config.prices import PRICE_KEYS
from tiergate.config.request_fields import REQUEST_FIELDS
from tiergate.core.catalog import Deployment, FailureCounts


def load(folder: Path, params: str = "", info: str = "", rest: str = "", **how: bool) -> Loaded:
    text = (
        "model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o%s}, "
        "model_info: {%s}}]\n"
    )
    return Bench(folder).load(text % (f", {params}" if params else "", info) + rest + KEY, **how)


def made(loaded: Loaded) -> Deployment:
    assert loaded.settings is not None, [str(each) for each in loaded.findings]
    return loaded.settings.deployments[0]


@pytest.mark.parametrize(
    ("params", "field", "expected"),
    [
        ("organization: org", "organization", "org"),
        ("api_version: 2024-10-01", "api_version", "2024-10-01"),
        ("weight: 0.5", "weight", 0.5),
        ("rpm: 10", "rpm", 10),
        ("tpm: 10", "tpm", 10),
        ("order: 2", "order", 2),
        ("timeout: 5min", "timeout", 300.0),
        ("request_timeout: 7", "timeout", 7.0),
        ("stream_timeout: 9", "stream_timeout", 9.0),
        ("num_retries: 0", "num_retries", 0),
        ("cooldown_time: 3", "cooldown_time", 3.0),
        ("drop_params: true", "drop_params", True),
        ("additional_drop_params: [a]", "additional_drop_params", ("a",)),
        ("drop_betas: [b]", "drop_betas", ("b",)),
        ("default_max_tokens: 5", "default_max_tokens", 5),
        ("ssl_verify: /ca.pem", "verify", "/ca.pem"),
        ("ssl_verify: 'False'", "verify", False),
    ],
)
def test_settings_of_a_deployment(
    tmp_path: Path, params: str, field: str, expected: object
) -> None:
    assert getattr(made(load(tmp_path, params)), field) == expected


@pytest.mark.parametrize(
    ("info", "field", "expected"),
    [
        ("id: dep-1", "id", "dep-1"),
        ("id: 7", "id", "7"),
        ("rpm: 10", "rpm", 10),
        ("cooldown_time: 3", "cooldown_time", 3.0),
        ("allowed_fails: 0", "allowed_fails", 0),
        (
            "allowed_fails_policy: {TimeoutErrorAllowedFails: 1}",
            "allowed_fails_policy",
            FailureCounts(timeout=1),
        ),
        ("supported_environments: [x, x, y]", "environments", ("x", "y")),
    ],
)
def test_settings_in_model_info(tmp_path: Path, info: str, field: str, expected: object) -> None:
    assert getattr(made(load(tmp_path, "", info)), field) == expected


def test_request_fields_become_defaults(tmp_path: Path) -> None:
    found = made(
        load(
            tmp_path,
            "temperature: 0.2, thinking: {type: enabled, budget_tokens: 99}, stop: [a], "
            "extra_body: {provider_thing: {x: [1]}, top_k: 3}",
        )
    )

    assert dict(found.defaults) == {
        "temperature": 0.2,
        "thinking": {"type": "enabled", "budget_tokens": 99},
        "stop": ["a"],
        "provider_thing": {"x": [1]},
        "top_k": 3,
    }


def test_an_output_limit_is_a_default_and_the_figure_that_holds_count_with(
    tmp_path: Path,
) -> None:
    found = made(load(tmp_path, "max_tokens: 500"))

    assert (found.defaults["max_tokens"], found.default_max_tokens) == (500, 500)
    # What the file puts into every request is what the provider goes by.
    assert made(load(tmp_path, "max_tokens: 500, default_max_tokens: 9")).default_max_tokens == 500
    assert made(load(tmp_path, "default_max_tokens: 9")).default_max_tokens == 9


@pytest.mark.parametrize("field", ["model", "messages", "stream", "api_key"])
def test_the_file_cannot_speak_for_the_caller(tmp_path: Path, field: str) -> None:
    loaded = load(tmp_path, f"extra_body: {{{field}: x}}")

    assert len(said(loaded, "callers-field")) == 1


@pytest.mark.parametrize("value", [".nan", "[.inf]", "{x: 99999999999999999999}"])
def test_a_number_that_json_cannot_carry_is_an_error(tmp_path: Path, value: str) -> None:
    loaded = load(tmp_path, f"logit_bias: {value}")

    assert len(said(loaded, "bad-number")) == 1


def test_a_misspelt_field_is_an_error_with_what_was_meant(tmp_path: Path) -> None:
    loaded = load(tmp_path, "temperatre: 0.2")

    assert loaded.settings is None
    assert loaded.findings[0].advice == "Did you mean `temperature`?"


def test_headers_are_merged_without_regard_to_case(tmp_path: Path) -> None:
    found = made(load(tmp_path, "headers: {x-a: 1, X-B: b}, extra_headers: {X-A: 2}"))

    assert found.extra_headers == (("X-A", "2"), ("X-B", "b"))
    assert "X-B" not in repr(found)


@pytest.mark.parametrize("header", ["'bad name': x", "X: 'a\\nb'", "'': x", "X: [1]"])
def test_a_header_that_http_cannot_carry_is_an_error(tmp_path: Path, header: str) -> None:
    header = header.replace("'a\\nb'", '"a\\nb"')

    assert load(tmp_path, f"extra_headers: {{{header}}}").settings is None


def test_general_switches_hold_where_the_deployment_says_nothing(tmp_path: Path) -> None:
    rest = "litellm_settings: {drop_params: true, ssl_verify: /ca.pem}\n"

    assert made(load(tmp_path, rest=rest)).drop_params
    assert made(load(tmp_path, rest=rest)).verify == "/ca.pem"
    assert not made(load(tmp_path, "drop_params: false", rest=rest)).drop_params
    assert made(load(tmp_path, "ssl_verify: true", rest=rest)).verify is True


def test_unchecked_certificates_are_warned_of(tmp_path: Path) -> None:
    assert len(said(load(tmp_path, "ssl_verify: false"), "no-tls-check")) == 1


def test_the_rest_of_model_info_is_kept_for_lists(tmp_path: Path) -> None:
    found = made(load(tmp_path, "", "id: x, team: blue, base_model: gpt-4o, pricing: free"))

    assert dict(found.info) == {"team": "blue", "base_model": "gpt-4o", "pricing": "free"}


def test_one_run_shows_all_mistakes(tmp_path: Path) -> None:
    loaded = load(tmp_path, "model: nope/x, weight: x, rpm: y, timeout: z, tags: {}")

    assert len([f for f in loaded.findings if f.severity.value == "error"]) >= 4


OUTSIDE = {"model", "custom_llm_provider", "api_key", "api_base", "base_url", "extra_body"}
SAMPLES = {
    "boolean": "true",
    "integer": "1",
    "number": "1",
    "usd": "1",
    "duration": "30",
    "string": "text",
    "secret": "text",
    "enum": "free",
    "string_list": "[text]",
    "mapping": "{X-A: 1}",
    "any": "1",
    "list": "[{role: system}]",
}


def acting_keys() -> list[tuple[str, str]]:
    table = key_table()
    found: list[tuple[str, str]] = []
    for part in ("litellm_params", "model_info"):
        path = ("model_list", "0", part)
        for name in table.children(path):
            entry = table.find((*path, name))
            if entry is not None and entry.acts:
                found.append((part, name))
    return [each for each in found if each[1] not in OUTSIDE | REQUEST_FIELDS | PRICE_KEYS]


@pytest.mark.parametrize(("part", "name"), acting_keys())
def test_every_key_that_the_table_calls_acting_is_read(
    tmp_path: Path, part: str, name: str
) -> None:
    """A key nobody reads would be reported as `not-acting-yet`."""
    entry = key_table().find(("model_list", "0", part, name))
    assert entry is not None
    setting = f"{name}: {SAMPLES[entry.type.value]}"

    loaded = load(tmp_path, *((setting,) if part == "litellm_params" else ("", setting)))

    assert said(loaded, "not-acting-yet") == []
