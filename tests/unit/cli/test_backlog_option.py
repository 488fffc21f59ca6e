"""Every command that reads a configuration takes the toolkit's file by one option."""

from __future__ import annotations

import json

import click
import pytest
from click.testing import CliRunner

from tiergate.cli import main
from tiergate.cli.backlog_option import backlog_option

CONFIG = """
model_list:
  - model_name: cheap
    litellm_params: {model: anthropic/claude-haiku-4-5, api_key: k-0123456789}
"""


@pytest.mark.parametrize("name", ["serve", "check", "explain"])
def test_commands_that_read_a_configuration_take_it(name):
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert "--backlog" in [spelling for option in command.params for spelling in option.opts]


def test_it_is_a_path_or_nothing():
    @click.command()
    @backlog_option
    def show(backlog):
        click.echo(repr(backlog and backlog.name))

    assert CliRunner().invoke(show, []).output == "None\n"
    assert CliRunner().invoke(show, ["--backlog", "a/b.json"]).output == "'b.json'\n"


@pytest.mark.parametrize("beside", [True, False])
def test_the_file_is_read_by_name_or_beside_the_configuration(tmp_path, beside):
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)
    file = tmp_path / ("backlog.config.json" if beside else "other.json")
    file.write_text(json.dumps({"llmOps": {"routing": {"entryModel": "nobody"}}}))
    words = ["check", str(config), *([] if beside else ["--backlog", str(file)])]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1
    assert f"{file}:1: error: llmOps.routing.entryModel" in result.output
