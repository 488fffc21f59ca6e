"""The `tiergate` command: its subcommands are imported when they are asked for.

`serve` must start quickly, and need not load what only the demo or the mock uses.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType

import click

from tiergate import __version__

COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "serve": ("tiergate.cli.serve_command", "Read the configuration and start the gateway."),
        "check": (
            "tiergate.cli.check_command",
            "Check configuration files and show what they mean.",
        ),
        "init": (
            "tiergate.cli.init_command",
            "Write the YAML from the backlog toolkit's file, or the other way.",
        ),
        "explain": (
            "tiergate.cli.explain_command",
            "Say what a request would do, without calling anyone.",
        ),
        "prices": (
            "tiergate.cli.prices_command",
            "Show what each deployment costs, and where each price comes from.",
        ),
        "spend": (
            "tiergate.cli.spend_command",
            "Show what was spent, by alias, key, team, ticket, ...",
        ),
        "ledger": (
            "tiergate.cli.ledger_command",
            "Export, verify and reconcile the record of all calls.",
        ),
        "cache": (
            "tiergate.cli.cache_command",
            "Show what caches keep and have saved, or clear the response cache.",
        ),
        "health": (
            "tiergate.cli.health_command",
            "Ask a running gateway whether it lives, or is ready.",
        ),
        "fallback": (
            "tiergate.cli.fallback_command",
            "Show and change the fallback routes of a running gateway.",
        ),
        "demo": ("tiergate.demo.command", "A guided tour: no keys, no services, no network."),
        "mock": (
            "tiergate.cli.mock_command",
            "Run scripted providers: answers, streams and failures on demand.",
        ),
    }
)
"""Each subcommand's module (the command has its name there) and its line in the help."""


class Commands(click.Group):
    """A group that imports a subcommand when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: object = getattr(module, cmd_name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of subcommands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="tiergate")
@click.pass_context
def main(context: click.Context) -> None:
    """Tiergate: the gateway between your programs and the language models you pay for.

    It reads LiteLLM's configuration format and does what every line of it says.
    """
    context.obj = _known


def _known() -> object:
    """Make what configurations are read with, when a subcommand reads one."""
    return importlib.import_module("tiergate.wiring.configuration").known()
