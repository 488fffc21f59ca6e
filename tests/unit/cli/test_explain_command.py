"""`tiergate explain`: what a request would do, without calling anyone."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from tiergate.cli.explain_command import explain

TEXT = """
model_list:
  - model_name: cheap
    litellm_params: {model: anthropic/claude-haiku-4-5, api_key: os.environ/KEY}
    model_info: {id: dep-a, supported_environments: [interactive]}
  - model_name: balanced
    litellm_params: {model: anthropic/claude-sonnet-4-6, api_key: os.environ/KEY}
    model_info: {id: dep-b, supported_environments: [interactive, critical]}
router_settings:
  fallbacks: [{cheap: [balanced]}]
  model_group_alias: {gpt-4: cheap}
"""


@pytest.fixture
def run(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(TEXT)

    def invoke(*args: str, **environ: str) -> Result:
        return CliRunner().invoke(
            explain, ["-c", str(path), *args], env={"KEY": "k-0123456789", **environ}
        )

    return invoke


def test_it_says_who_is_eligible_and_what_follows(run):
    result = run("--model", "cheap")

    assert result.exit_code == 0, result.output
    assert "dep-a" in result.output
    assert "balanced" in result.output


def test_a_tag_excludes_with_its_reason(run):
    result = run("--model", "cheap", "--tag", "critical")

    assert result.exit_code == 0
    assert "dep-a" in result.output
    assert "interactive" in result.output


def test_json_is_json(run):
    found = json.loads(run("--model", "cheap", "--json").output)
    assert "cheap" in json.dumps(found)


def test_a_body_says_everything_itself(run, tmp_path):
    body = tmp_path / "body.json"
    body.write_text(
        json.dumps(
            {
                "model": "gpt-4",
                "tags": ["critical"],
                "messages": [{"role": "user", "content": "x"}],
            }
        )
    )

    told = run("--body", str(body)).output
    assert told == run("--model", "cheap", "--tag", "critical").output


def test_an_anthropic_body_is_read_as_one(run, tmp_path):
    body = tmp_path / "body.json"
    body.write_text(json.dumps({"model": "cheap", "system": 5, "messages": [{"role": "user"}]}))

    assert run("--body", str(body)).exit_code == 0
    result = run("--body", str(body), "--protocol", "anthropic")
    assert result.exit_code == 1
    assert "`system` must be" in result.output


@pytest.mark.parametrize("body", ["{", '{"model": "nobody", "messages": [{}]}'])
def test_a_body_that_would_be_refused_is_refused_with_the_same_sentence(run, tmp_path, body):
    path = tmp_path / "body.json"
    path.write_text(body)
    result = run("--body", str(path))
    assert result.exit_code == 1
    assert result.output.startswith("tiergate explain: ")


def test_an_unknown_alias_is_told(run):
    result = run("--model", "nobody")
    assert result.exit_code == 1
    assert "nobody" in result.output


def test_it_must_be_told_what_to_explain(run):
    result = run()
    assert result.exit_code == 2
    assert "--model" in result.output


@pytest.mark.parametrize("args", [("--model", "cheap"), ("--stream",)])
def test_a_body_and_what_it_says_itself_do_not_go_together(run, tmp_path, args):
    body = tmp_path / "body.json"
    body.write_text(json.dumps({"model": "cheap", "messages": [{"role": "user"}]}))
    result = run("--body", str(body), *args)
    assert result.exit_code == 2
    assert args[0] in result.output


def test_errors_of_the_file_are_told(run):
    result = CliRunner().invoke(explain, ["-c", "nowhere.yaml", "--model", "cheap"])
    assert result.exit_code == 1
    assert "nowhere.yaml" in result.output


def test_keys_need_not_be_at_hand(run):
    assert run("--model", "cheap", KEY="").exit_code == 1
    assert run("--model", "cheap", "--no-env", KEY="").exit_code == 0


def test_a_phase_says_what_auto_means(run, tmp_path):
    routing = {"entryModelTriage": "cheap", "entryModelDesign": "balanced"}
    (tmp_path / "backlog.config.json").write_text(json.dumps({"llmOps": {"routing": routing}}))
    result = run("--model", "auto", "--phase", "design")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("auto: phase design -> balanced\n")
    assert "dep-b" in result.output
    told = json.loads(run("--model", "auto", "--phase", "triage", "--json").output)
    assert told["notes"] == ["auto: phase triage -> cheap"]
    refused = run("--model", "auto", "--phase", "cooking")
    assert refused.exit_code == 1
    assert "triage (cheap), design (balanced)" in refused.output
