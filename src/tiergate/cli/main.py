"""The `tiergate` command and its subcommands; each lives in its own module."""

from __future__ import annotations

import click

from tiergate import __version__
from tiergate.cli.check_command import check
from tiergate.cli.explain_command import explain
from tiergate.cli.mock_command import mock
from tiergate.cli.serve_command import serve
from tiergate.demo.command import demo
from tiergate.wiring.configuration import known

_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=_HELP)
@click.version_option(__version__, prog_name="tiergate")
@click.pass_context
def main(context: click.Context) -> None:
    """Tiergate: the gateway between your programs and the language models you pay for.

    It reads LiteLLM's configuration format and does what every line of it says.
    """
    context.obj = known


for command in (serve, check, explain, mock, demo):
    main.add_command(command)
