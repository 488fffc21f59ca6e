"""`tiergate init`: one file from the other, and never over one that is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from tiergate.cli import main

CONFIG = """
model_list:
  - model_name: cheap
    litellm_params: {model: anthropic/claude-haiku-4-5, api_key: os.environ/NOT_SET_HERE}
  - model_name: frontier
    litellm_params: {model: anthropic/claude-opus-4-5, api_key: os.environ/NOT_SET_HERE}
router_settings:
  fallbacks: [{cheap: [frontier]}]
general_settings: {master_key: os.environ/GATE_KEY}
"""
OPS = {"routing": {"entryModel": "cheap", "escalationModel": "frontier"}}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "gate.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def backlog(tmp_path: Path) -> Path:
    path = tmp_path / "backlog.config.json"
    path.write_text(json.dumps({"llmOps": OPS}))
    return path


def init(*words: object) -> Result:
    return CliRunner().invoke(main, ["init", *map(str, words)])


def test_the_toolkits_file_is_written_beside_the_configuration(config):
    result = init("--from", config)
    assert result.exit_code == 0, result.output
    target = config.parent / "backlog.config.json"
    routing = json.loads(target.read_text())["llmOps"]["routing"]
    assert routing == {"entryModel": "cheap", "escalationModel": "frontier"}
    assert f"wrote {target}" in result.stderr
    assert "router_settings.fallbacks stays in the YAML" in result.stderr
    assert result.stdout == ""


def test_the_configuration_is_written_beside_the_toolkits_file(backlog):
    result = init("--from", backlog)
    assert result.exit_code == 0, result.output
    found = yaml.safe_load((backlog.parent / "config.yaml").read_text())
    assert [entry["model_name"] for entry in found["model_list"]] == ["cheap", "frontier"]


def test_standard_output_gets_the_file_and_nothing_else(config, backlog):
    before = sorted(config.parent.iterdir())
    assert "llmOps" in json.loads(init("--from", config, "--output", "-").stdout)
    assert "model_list" in yaml.safe_load(init("--from", backlog, "-o", "-").stdout)
    assert sorted(config.parent.iterdir()) == before


def test_a_file_that_is_there_is_overwritten_by_force_alone(config, backlog):
    kept = backlog.read_text()
    result = init("--from", config)
    assert result.exit_code == 1
    assert "--force" in result.stderr
    assert backlog.read_text() == kept
    backlog.chmod(0o600)
    assert init("--from", config, "--force").exit_code == 0
    assert json.loads(backlog.read_text())["llmOps"]["gateway"]["apiKeyEnv"] == "GATE_KEY"
    assert backlog.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in config.parent.iterdir() if p.name.startswith(".")] == []


def test_another_name_can_be_given_and_force_makes_a_new_file_too(config, tmp_path):
    target = tmp_path / "other.json"
    assert init("--from", config, "-o", target, "--force", "--port", 8080).exit_code == 0
    assert ":8080" in target.read_text()


def test_a_toolkits_file_with_mistakes_beside_does_not_matter(config, backlog):
    backlog.write_text("{broken")
    assert init("--from", config, "--force").exit_code == 0
    assert json.loads(backlog.read_text())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{broken", "invalid-json|not valid JSON"),
        ('{"llmOps": {"routng": {}}}', "unknown key"),
        ('{"llmOps": {"routing": {"maxEscalationsPerTicket": "x"}}}', "whole number"),
        ("{}", "llmOps: is not there"),
    ],
)
def test_a_toolkits_file_with_mistakes_gives_nothing(backlog, text, words):
    backlog.write_text(text)
    result = init("--from", backlog)
    assert result.exit_code == 1
    assert any(word in result.stderr for word in words.split("|"))
    assert not (backlog.parent / "config.yaml").exists()


def test_a_configuration_with_mistakes_gives_nothing(config):
    config.write_text(CONFIG + "nonsense: 1\n")
    result = init("--from", config)
    assert result.exit_code == 1
    assert "nonsense" in result.stderr
    assert "nothing was written" in result.stderr


def test_several_configuration_files_are_merged(config, tmp_path):
    more = tmp_path / "more.yaml"
    models = CONFIG.partition("router_settings")[0].replace("model_name: ", "model_name: x")
    more.write_text(models)
    result = init("--from", more, "--from", config, "-o", "-")
    assert json.loads(result.stdout)["llmOps"]["routing"]["entryModel"] == "xcheap"


def test_the_toolkit_has_one_file(config, backlog):
    assert init("--from", backlog, "--from", config).exit_code == 2
    assert init("--from", "not-there.yaml").exit_code == 2
    assert init().exit_code == 2


def test_a_folder_that_is_not_there_is_told(config, tmp_path):
    for words in ([], ["--force"]):
        result = init("--from", config, "-o", tmp_path / "no" / "file.json", *words)
        assert result.exit_code == 1
        assert "cannot be written" in result.stderr
