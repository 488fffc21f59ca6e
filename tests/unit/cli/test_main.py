"""The `tiergate` command finds its subcommands and loads none that is not asked for."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from tiergate import __version__
from tiergate.cli import main
from tiergate.cli.main import COMMANDS


def test_help_lists_every_subcommand_with_its_line():
    output = CliRunner().invoke(main, ["--help"]).output

    for name, (_, line) in COMMANDS.items():
        assert f"  {name} " in output
        assert line in " ".join(output.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_subcommand_is_there_and_explains_itself(name):
    result = CliRunner().invoke(main, [name, "--help"])

    assert result.exit_code == 0
    assert f"Usage: main {name}" in result.output
    command = main.get_command(click.Context(main), name)
    assert command.name == name
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            assert option.help, f"{name} {option.name} has no help"


def test_an_unknown_subcommand_is_a_usage_error():
    result = CliRunner().invoke(main, ["swerve"])
    assert result.exit_code == 2
    assert "No such command 'swerve'" in result.output


def test_the_version():
    assert CliRunner().invoke(main, ["--version"]).output == f"tiergate, version {__version__}\n"


def test_a_subcommand_gets_the_means_to_read_configurations():
    result = CliRunner().invoke(main, ["check", "--explain", "num_retries"])
    assert result.exit_code == 0


def test_help_does_not_load_what_subcommands_need():
    code = (
        "import sys; from click.testing import CliRunner; from tiergate.cli import main;"
        "CliRunner().invoke(main, ['--help']);"
        "print([m for m in ('tiergate.demo.command', 'tiergate.wiring.build', 'genai_prices')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
