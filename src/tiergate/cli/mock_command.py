"""`tiergate mock`: the scripted providers alone, for users' own tests."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from tiergate.mock.command import run_mock


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=9100, show_default=True, help="Port to listen on; 0: a free one.")
@click.option(
    "--script",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML or JSON file with rules: which model answers what, in which order.",
)
def mock(host: str, port: int, script: Path | None) -> None:
    """Run scripted Anthropic and OpenAI providers: answers, streams and failures on demand.

    A model name or a last user text with `mock:429`, `mock:overflow`, `mock:hang` and so on gets
    that failure without a script. Nothing leaves this machine.
    """
    sys.exit(asyncio.run(run_mock(host, port, script)))
