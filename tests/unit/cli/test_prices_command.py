"""`tiergate prices` reads a configuration as the gateway would, and calls nobody."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tiergate.cli.main import main

CONFIG = """\
model_list:
  - model_name: cheap
    litellm_params:
      model: anthropic/claude-haiku-4-5
      api_key: os.environ/NO_SUCH_VARIABLE
  - model_name: own
    litellm_params:
      model: hosted_vllm/qwen3
      api_base: http://gpu.example/v1
      input_cost_per_token: 1e-7
      output_cost_per_token: 3e-7
  - model_name: local
    litellm_params: {model: ollama/llama3.2, pricing: free}
  - model_name: new
    litellm_params: {model: hosted_vllm/x, api_base: "http://gpu.example/v1"}
general_settings: {master_key: os.environ/NO_SUCH_VARIABLE}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    return str(path)


def run(*args: str) -> Result:
    environ = {"NO_SUCH_VARIABLE": None, "CONFIG_FILE_PATH": None}
    return CliRunner().invoke(main, ["prices", *args], env=environ)


def test_prices_are_shown_without_any_variable(file: str) -> None:
    done = run("--no-env", file)

    assert done.exit_code == 0
    assert f"{file}:10: input" in done.output
    assert f"free (pricing: free, {file}:13)" in done.output
    assert "no price: neither the configuration nor the price list has one" in done.output
    assert "2 priced, 1 free, 1 without a price." in done.output


def test_one_alias_can_be_asked_for(file: str) -> None:
    done = run("--no-env", file, "--alias", "cheap", "--json")

    (only,) = json.loads(done.output)["deployments"]
    assert (only["alias"], only["priced"]) == ("cheap", True)
    assert only["figures"][0]["source"].startswith("genai-prices ")


def test_an_alias_that_does_not_exist_is_a_wrong_command_line(file: str) -> None:
    done = run("--no-env", file, "--alias", "dear")

    assert done.exit_code == 2
    assert "no alias 'dear'. It has: cheap, local, new, own." in done.output


def test_figures_come_as_csv(file: str) -> None:
    rows = list(csv.DictReader(io.StringIO(run("--no-env", file, "--csv").output)))

    assert {row["alias"] for row in rows} == {"cheap", "own", "local", "new"}
    assert [row["usd"] for row in rows if row["alias"] == "own"][:2] == ["0.1", "0.3"]


def test_a_configuration_with_errors_is_shown_as_far_as_it_can_be_read(file: str) -> None:
    done = run(file)

    assert done.exit_code == 1
    assert f"{file}:10: input" in done.stdout
    assert "NO_SUCH_VARIABLE" in done.stderr


def test_an_unpriced_model_under_a_budget_is_shown_and_is_an_error(file: str) -> None:
    with Path(file).open("a") as out:
        out.write("litellm_settings: {max_budget: 5, budget_duration: 1mo}\n")
    done = run("--no-env", file)

    assert done.exit_code == 1
    assert "1 without a price" in done.stdout
    assert "has no price" in done.stderr


def test_a_file_that_is_none_is_an_error(tmp_path: Path) -> None:
    done = run("--no-env", str(tmp_path / "nothing.yaml"))

    assert done.exit_code == 1
    assert "nothing.yaml" in done.stderr
