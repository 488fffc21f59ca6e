"""Writes the reference page of the command line from the commands themselves.

Pure: a group of commands in, Markdown out. It says nothing that `--help` does not say.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence

import click

_INTRO = """\
# The command line

`tiergate --help` lists the commands, and `tiergate COMMAND --help` explains one.
This page says the same.
"""

_SENTENCE_END = re.compile(r"([.!?]) (?=[A-Z])")
_OUTRO = "This page is made from the commands by `make docs`."


def command_reference(group: click.Group, name: str) -> str:
    """Return the page of a group of commands.

    Args:
        group: The commands, in the order they are shown.
        name: What the group is called on the command line.
    """
    context = click.Context(group, info_name=name)
    parts = [_INTRO]
    for sub in group.list_commands(context):
        command = group.get_command(context, sub)
        if command is not None and not command.hidden:
            parts += _commands(command, click.Context(command, context, sub))
    return "\n".join([*parts, _OUTRO, ""])


def _commands(command: click.Command, context: click.Context) -> Sequence[str]:
    """Return the section of a command, and after it those of its subcommands."""
    parts = [_command(command, context)]
    if isinstance(command, click.Group):
        for name, sub in command.commands.items():
            parts += _commands(sub, click.Context(sub, context, name))
    return parts


def _command(command: click.Command, context: click.Context) -> str:
    """Return the section of one command."""
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines = [f"## `{context.command_path}`", "", "```", usage, "```", "", *_prose(command), ""]
    options = [
        option
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
    ]
    if options:
        lines += ["| option | does |", "|---|---|"]
        lines += [_row(option, context) for option in options]
        lines.append("")
    return "\n".join(lines)


def _prose(command: click.Command) -> Sequence[str]:
    """Return the help text, one sentence a line, its wrapping undone."""
    text = inspect.cleandoc(command.help or "")
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    return _SENTENCE_END.sub(r"\1\n", "\n\n".join(paragraphs)).splitlines()


def _row(option: click.Option, context: click.Context) -> str:
    """Return the table row of an option, its default included."""
    record = option.get_help_record(context)
    if record is None:
        return ""
    names, text = record
    return f"| `{_cell(names)}` | {_cell(text)} |"


def _cell(text: str) -> str:
    """Make a text fit a table cell."""
    return " ".join(text.split()).replace("|", "\\|")
