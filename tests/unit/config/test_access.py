from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import MODELS, Bench, Loaded, said
from tiergate.base.values import Secret
from tiergate.config.access import NO_KEY, WEAK_KEY, is_weak

GOOD = "7f3kQ9xV2mZp8LwR4tYb"
KEYS = {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"}


def load(folder: Path, rest: str = "", **environ: str) -> Loaded:
    return Bench(folder).load(MODELS + rest, environ={**KEYS, **environ})


def key(loaded: Loaded) -> str | None:
    assert loaded.settings is not None
    secret = loaded.settings.access.master_key
    return None if secret is None else secret.value


def test_the_key_of_the_file_comes_first_then_the_own_variable_then_litellms(
    tmp_path: Path,
) -> None:
    both = {"TIERGATE_MASTER_KEY": f"own-{GOOD}", "LITELLM_MASTER_KEY": f"old-{GOOD}"}

    assert key(load(tmp_path, f"general_settings: {{master_key: {GOOD}}}\n", **both)) == GOOD
    assert key(load(tmp_path, **both)) == f"own-{GOOD}"
    assert key(load(tmp_path, LITELLM_MASTER_KEY=GOOD)) == GOOD
    assert key(load(tmp_path, TIERGATE_MASTER_KEY="", LITELLM_MASTER_KEY=GOOD)) == GOOD


def test_a_key_written_without_a_value_counts_as_not_written(tmp_path: Path) -> None:
    loaded = load(tmp_path, "general_settings: {master_key: }\n", TIERGATE_MASTER_KEY=GOOD)

    assert key(loaded) == GOOD


def test_no_key_is_a_notice(tmp_path: Path) -> None:
    loaded = load(tmp_path)

    assert key(loaded) is None
    assert len(said(loaded, NO_KEY)) == 1


@pytest.mark.parametrize("value", ['""', '"  "', "12345", "[x]", "os.environ/NOPE"])
def test_a_key_that_cannot_be_read_never_means_open_access(tmp_path: Path, value: str) -> None:
    rest = f"general_settings: {{master_key: {value}}}\n"
    for lenient in (True, False):
        loaded = Bench(tmp_path).load(MODELS + rest, environ=KEYS, lenient=lenient)

        assert loaded.settings is None
        assert "master_key" in str(loaded.findings[0])


@pytest.mark.parametrize(
    "text", ["sk-1234", "short", "a" * 40, "change-me-please", "SK-1234567890ABCDEF"]
)
def test_short_monotonous_and_well_known_keys_are_weak(tmp_path: Path, text: str) -> None:
    loaded = load(tmp_path, f"general_settings: {{master_key: {text}}}\n")

    assert is_weak(Secret(text))
    assert loaded.settings is not None
    assert len(said(loaded, WEAK_KEY)) == 1


def test_a_long_random_key_is_good() -> None:
    assert not is_weak(Secret(GOOD))
    assert not is_weak(Secret("sk-master-test-7f3kQ9xV2mZp8LwR4tYb6NcD1gHs5JaE"))


@pytest.mark.parametrize("text", ["ключ-очень-длинный-1234", "two words of many letters"])
def test_a_key_that_no_header_can_carry_is_an_error(tmp_path: Path, text: str) -> None:
    loaded = load(tmp_path, f'general_settings: {{master_key: "{text}"}}\n')

    assert loaded.settings is None
    assert text not in str(loaded.findings)


def test_the_report_says_where_the_key_is_and_not_what_it_is(tmp_path: Path) -> None:
    loaded = load(tmp_path, TIERGATE_MASTER_KEY=GOOD)

    row = next(row for row in loaded.report if row.path == "general_settings.master_key")
    assert row.value == "set by TIERGATE_MASTER_KEY"
    assert GOOD not in repr(loaded)


def test_of_two_limits_of_the_body_the_smaller_holds(tmp_path: Path) -> None:
    def limit(rest: str) -> int:
        loaded = load(tmp_path, f"general_settings: {{{rest}}}\n")
        assert loaded.settings is not None
        return loaded.settings.access.max_body_bytes

    assert limit("max_request_body_bytes: 2048") == 2048
    assert limit("max_request_size_mb: 0.5") == 512 * 1024
    assert limit("max_request_size_mb: 100") == 100 * 1024 * 1024
    assert limit("max_request_size_mb: 1, max_request_body_bytes: 2048") == 2048


@pytest.mark.parametrize(
    "rest",
    ["max_request_body_bytes: 3", "max_request_size_mb: 0", "max_request_header_bytes: -1"],
)
def test_a_limit_that_lets_nothing_in_is_an_error(tmp_path: Path, rest: str) -> None:
    assert load(tmp_path, f"general_settings: {{{rest}}}\n").settings is None


def test_whether_metrics_ask_for_a_key_is_left_open_unless_said(tmp_path: Path) -> None:
    def asked(rest: str) -> bool | None:
        loaded = load(tmp_path, rest)
        assert loaded.settings is not None
        return loaded.settings.access.metrics_auth

    assert asked("") is None
    assert asked("litellm_settings: {require_auth_for_metrics_endpoint: false}\n") is False
    assert asked("litellm_settings: {require_auth_for_metrics_endpoint: true}\n") is True


@pytest.mark.parametrize(
    ("rest", "environ", "there"),
    [
        ("", {}, True),
        ("general_settings: {dashboard: false}\n", {}, False),
        ("", {"DISABLE_ADMIN_UI": "True"}, False),
        ("", {"DISABLE_ADMIN_UI": "false"}, True),
        ("general_settings: {dashboard: true}\n", {"DISABLE_ADMIN_UI": "true"}, True),
    ],
)
def test_the_dashboard_is_there_unless_it_is_switched_off(
    tmp_path: Path, rest: str, environ: dict[str, str], there: bool
) -> None:
    loaded = load(tmp_path, rest, **environ)

    assert loaded.settings is not None
    assert loaded.settings.access.dashboard is there
    assert not said(loaded, "unknown-key")
