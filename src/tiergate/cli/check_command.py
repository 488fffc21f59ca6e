"""`tiergate check`: reads configuration files as `serve` would, and says what it found.

Nothing is started and nobody is called. Exit code 0: the files can be served; 1: they cannot;
2: the command line is wrong.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import click

from tiergate.cli.backlog_option import backlog_option
from tiergate.cli.check_report import explanation, json_report, text_report
from tiergate.config.backlog_check import DEFAULT_PORT, Toolkit
from tiergate.config.keys import load_key_table
from tiergate.config.load import Known, load

KnownNow: TypeAlias = Callable[[], Known]
"""Makes what configurations are read with; called only when a file is read, since it loads the
price list. The command group puts it into `ctx.obj`."""


@click.command(short_help="Check configuration files and show what they mean.")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.option("--strict", is_flag=True, help="Keys that are known and do not act are errors.")
@click.option(
    "--lenient", is_flag=True, help="Unknown keys, wrong types and wrong places are warnings."
)
@click.option(
    "--no-env", is_flag=True, help="Do not look variables up: check where no keys are at hand."
)
@backlog_option
@click.option(
    "--port",
    default=DEFAULT_PORT,
    show_default=True,
    help="The port that the gateway will listen on; gateway.baseURL of the toolkit's file is held "
    "against it.",
)
@click.option(
    "--explain", "query", metavar="KEY", help="Tell what a key does here, and end. No file needed."
)
@click.pass_obj
def check(  # noqa: PLR0913 - one for each option
    known: KnownNow,
    files: tuple[Path, ...],
    *,
    as_json: bool,
    strict: bool,
    lenient: bool,
    no_env: bool,
    backlog: Path | None,
    port: int,
    query: str | None,
) -> None:
    """Check configuration files and show what they mean.

    Several files are merged in the order given, as `tiergate serve` does with several --config.
    Findings are errors (the files cannot be served), warnings (somebody should look) and notices
    (how something was read). Secrets are never shown.
    """
    if query is not None:
        _explain(query)
        return
    if not files:
        raise click.UsageError("Name at least one file, or ask with --explain KEY.")
    loaded = load(
        files,
        os.environ,
        known=known(),
        env=not no_env,
        lenient=lenient,
        strict=strict,
        toolkit=Toolkit(backlog, port),
    )
    if as_json:
        click.echo(json.dumps(json_report(loaded), indent=2, ensure_ascii=False))
    else:
        click.echo(text_report(loaded, color=True))
    if loaded.settings is None:
        raise click.exceptions.Exit(1)


def _explain(query: str) -> None:
    table = load_key_table()
    entries = table.explain(query)
    if not entries:
        near = table.nearest(tuple(query.split(".")))
        hint = f" Did you mean {near.path}?" if near else ""
        raise click.ClickException(f"No key has to do with {query!r}.{hint}")
    click.echo(explanation(entries))
