from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from support.config_world import KEY, MODELS, small_world
from tiergate.cli.check_command import check

ENVIRON = {"ANTHROPIC_API_KEY": "k-anthropic-0001", "OPENAI_API_KEY": "k-openai-0001"}


def run(*args: str, **environ: str | None) -> Result:
    return CliRunner().invoke(check, args, obj=small_world, env={**ENVIRON, **environ})


@pytest.fixture
def good(tmp_path: Path) -> str:
    path = tmp_path / "good.yaml"
    path.write_text(MODELS + KEY + "router_settings: {fallbacks: [{cheap: [balanced]}]}\n")
    return str(path)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    path = tmp_path / "bad.yaml"
    path.write_text(MODELS + KEY + "router_settings:\n  fallback: []\n")
    return str(path)


def test_a_good_file_ends_with_0_and_shows_what_it_means(good: str) -> None:
    result = run(good)

    assert result.exit_code == 0
    assert "cheap     anthropic/claude-sonnet-4-5  key: ANTHROPIC_API_KEY" in result.output
    assert "cheap -> balanced" in result.output
    assert "router_settings.num_retries" in result.output
    assert result.output.endswith("Good to serve.\n")


def test_a_bad_file_ends_with_1_and_names_the_line(bad: str) -> None:
    result = run(bad)

    assert result.exit_code == 1
    assert (
        f"{bad}:7: error: router_settings.fallback: unknown key. Did you mean `fallbacks`?"
        in result.output
    )
    assert "Not usable (1 error)." in result.output


def test_lenient_strict_and_no_env_are_obeyed(bad: str, good: str) -> None:
    assert run(bad, "--lenient").exit_code == 0
    assert run(good, ANTHROPIC_API_KEY=None).exit_code == 1
    assert run(good, "--no-env", ANTHROPIC_API_KEY=None).exit_code == 0
    idle = "litellm_settings: {store_audit_logs: true}\n"
    Path(good).write_text(Path(good).read_text() + idle)
    assert run(good).exit_code == 0
    assert run(good, "--strict").exit_code == 1


def test_the_toolkits_address_is_held_against_the_port_that_is_named(good: str) -> None:
    beside = Path(good).parent / "backlog.config.json"
    beside.write_text('{"llmOps": {"gateway": {"baseURL": "http://localhost:8080"}}}')
    assert "calls port 8080, and the gateway listens on port 4000" in run(good).output
    assert "calls port" not in run(good, "--port", "8080").output


def test_several_files_are_one_configuration(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(MODELS)
    (tmp_path / "b.yaml").write_text(KEY)

    result = run(str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"))

    assert result.exit_code == 0


def test_the_json_form_holds_everything_in_one_object(bad: str) -> None:
    result = run(bad, "--json")
    report = json.loads(result.output)

    assert result.exit_code == 1
    assert report["format"] == 1
    assert report["ok"] is False
    assert report["counts"] == {"error": 1, "warning": 0, "notice": 0}
    assert report["findings"] == [
        {
            "severity": "error",
            "code": "unknown-key",
            "file": bad,
            "line": 7,
            "path": "router_settings.fallback",
            "message": "unknown key",
            "advice": "Did you mean `fallbacks`?",
        }
    ]


def test_no_secret_is_printed(good: str) -> None:
    secrets = [*ENVIRON.values(), KEY.split(": ")[2].rstrip("}\n")]

    for output in (run(good).output, run(good, "--json").output):
        assert [secret for secret in secrets if secret in output] == []


def test_a_missing_file_is_a_finding_and_no_traceback(tmp_path: Path) -> None:
    result = run(str(tmp_path / "nowhere.yaml"))

    assert result.exit_code == 1
    assert "cannot be read" in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_no_file_is_a_mistake_of_the_command_line() -> None:
    result = run()

    assert result.exit_code == 2
    assert "--explain" in result.output


def test_a_key_is_explained_at_all_its_places() -> None:
    result = run("--explain", "cooldown_time")

    assert result.exit_code == 0
    assert "router_settings.cooldown_time\n  honoured" in result.output
    assert "litellm_settings.cooldown_time" in result.output
    assert "model_list.*.litellm_params.cooldown_time" in result.output


def test_explaining_needs_no_prices_and_no_file() -> None:
    def never() -> object:
        raise AssertionError("nothing has to be loaded")

    result = CliRunner().invoke(check, ["--explain", "fallbacks"], obj=never)

    assert result.exit_code == 0


def test_a_key_that_does_not_exist_is_told_the_nearest() -> None:
    result = run("--explain", "router_settings.num_retris")

    assert result.exit_code == 1
    assert "router_settings.num_retries" in result.output
