"""The option by which commands take the backlog toolkit's file."""

from __future__ import annotations

from pathlib import Path

import click

backlog_option = click.option(
    "--backlog",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="The backlog toolkit's file; its llmOps part is read. "
    "Default: backlog.config.json beside the first configuration file, if there is one.",
)
