"""`tiergate init`: writes the gateway's YAML or the toolkit's JSON from the other of the two.

A file that is there is never overwritten unless that is asked for. What could not be carried over
is said on standard error, so that the file itself may go to standard output.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from tiergate.config.backlog import FILE_NAME, read_ops, read_policy
from tiergate.config.backlog_check import DEFAULT_PORT, Against, Toolkit
from tiergate.config.backlog_init import Written, backlog_of, named_aliases, yaml_of
from tiergate.config.chains import Names
from tiergate.config.findings import Finding, Findings, Severity
from tiergate.config.reading import Reader
from tiergate.config.source import read
from tiergate.config.tree import MapNode
from tiergate.config.typed import Typed
from tiergate.core.catalog import Access
from tiergate.wiring.configuration import DEFAULT_FILE, read_configuration

STDOUT = "-"


@click.command(short_help="Write the YAML from the backlog toolkit's file, or the other way.")
@click.option(
    "--from",
    "sources",
    multiple=True,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The file to read: a .json file is the toolkit's; others are configuration, and several "
    "of them are merged.",
)
@click.option(
    "--output",
    "-o",
    default=None,
    metavar="FILE",
    help="The file to write; - is standard output. "
    "Default: backlog.config.json or config.yaml beside the first file read.",
)
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@click.option(
    "--port",
    default=DEFAULT_PORT,
    show_default=True,
    help="The gateway's port, for gateway.baseURL.",
)
def init(sources: tuple[Path, ...], *, output: str | None, force: bool, port: int) -> None:
    """Write the YAML from the backlog toolkit's file, or the other way.

    From configuration files comes a backlog.config.json, and from a .json file a config.yaml.
    Only what one file says is written into the other; what could not be carried over, and what
    was chosen, is said on standard error. Variables are not looked up, and no key is copied.
    """
    first = sources[0]
    from_toolkit = first.suffix.lower() == ".json"
    if from_toolkit and len(sources) > 1:
        raise click.UsageError("The toolkit has one file; name it alone.")
    target = _target(output, first, DEFAULT_FILE.name if from_toolkit else FILE_NAME)
    if target is not None and target.exists() and not force:
        raise click.ClickException(
            f"{target} is there already and was not touched. Name another file with --output, or "
            "overwrite it with --force."
        )
    written = _from_toolkit(first) if from_toolkit else _from_yaml(sources, port)
    if target is None:
        click.echo(written.text, nl=False)
    else:
        _write(target, written.text, force=force)
        click.echo(f"tiergate init: wrote {target}", err=True)
    for sentence in written.told:
        click.echo(f"tiergate init: {sentence}", err=True)


def _target(output: str | None, source: Path, name: str) -> Path | None:
    """Return the file to write; None for standard output."""
    if output is None:
        return source.parent / name
    return None if output == STDOUT else Path(output)


def _from_yaml(sources: Sequence[Path], port: int) -> Written:
    loaded = read_configuration(
        sources, os.environ, env=False, toolkit=Toolkit(port=port, looked_for=False)
    )
    root = read(sources, Findings()).root
    if loaded.settings is None or root is None:
        _refuse(loaded.findings)
    return backlog_of(root, loaded.settings, port)


def _from_toolkit(source: Path) -> Written:
    """Read the toolkit's file; it is checked against the aliases that it names itself."""
    findings = Findings()
    ops = read_ops(source, findings)
    if ops is not None and not findings.failed:
        names = Names(frozenset(named_aliases(ops.node)), {})
        empty = MapNode((), ops.position)
        against = Against(empty, Access(), os.environ, look_up=False, port=0)
        read_policy(ops, names, Reader(findings, Typed(findings)), against)
    if ops is None or findings.failed:
        _refuse(findings.result())
    return yaml_of(ops.node)


def _refuse(findings: Sequence[Finding]) -> NoReturn:
    """End, naming what is wrong in the file that was read."""
    serious = [each for each in findings if each.severity is not Severity.NOTICE]
    for finding in serious or findings:
        click.echo(str(finding), err=True)
    click.echo("tiergate init: nothing was written: see above.", err=True)
    sys.exit(1)


def _write(target: Path, text: str, *, force: bool) -> None:
    """Write a file whole; one that came up meanwhile is not overwritten either.

    Raises:
        click.ClickException: It cannot be written, or is there.
    """
    try:
        if not force:
            with target.open("x", encoding="utf-8") as file:
                file.write(text)
            return
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=target.parent, prefix=f".{target.name}.", delete=False
        ) as part:
            part.write(text)
        made = Path(part.name)
        made.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o644)
        made.replace(target)
    except OSError as exc:
        raise click.ClickException(f"{target} cannot be written: {exc.strerror or exc}.") from None
