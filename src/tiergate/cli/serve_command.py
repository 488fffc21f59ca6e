"""`tiergate serve`: read the configuration, say what was found, serve."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
import uvloop

from tiergate.cli.backlog_option import backlog_option
from tiergate.config.backlog_check import Toolkit
from tiergate.config.findings import Severity
from tiergate.config.load import Loaded
from tiergate.telemetry.logs import configure_logging
from tiergate.wiring.configuration import find_configuration, read_configuration
from tiergate.wiring.launch import launch
from tiergate.wiring.process import Plan, run_gateway
from tiergate.wiring.server import PortTakenError


@click.command()
@click.option(
    "--config",
    "-c",
    "configs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Configuration file in LiteLLM's format; may be repeated, the files are merged. "
    "Default: CONFIG_FILE_PATH, else config.yaml here.",
)
@backlog_option
@click.option(
    "--host",
    default=None,
    help="Address to listen on. Default: all addresses with a master key, loopback without.",
)
@click.option("--port", default=4000, show_default=True, help="Port to listen on.")
@click.option(
    "--lenient", is_flag=True, help="Unknown or misplaced keys are warnings instead of errors."
)
@click.option("--strict", is_flag=True, help="Keys that are known but do not act are errors.")
@click.option("--watch", is_flag=True, help="Reload when a configuration file changes.")
@click.option(
    "--drain-seconds",
    type=click.FloatRange(min=0),
    help="After SIGTERM, requests under way get this long to finish. "
    "Default: general_settings.drain_timeout, else 30.",
)
@click.option(
    "--drain-delay",
    type=click.FloatRange(min=0),
    help="Seconds for which calls are still taken after SIGTERM, while readiness says 503. "
    "Default: general_settings.drain_delay, else 0.",
)
@click.option(
    "--num_workers",
    "--num-workers",
    default=1,
    show_default=True,
    envvar=("TIERGATE_NUM_WORKERS", "NUM_WORKERS"),
    type=click.IntRange(min=1, max=256),
    help="Processes that serve side by side on the port. With more than one, a supervisor starts, "
    "replaces and reloads them. Default from TIERGATE_NUM_WORKERS or NUM_WORKERS.",
)
def serve(  # noqa: PLR0913 - one for each option
    configs: tuple[Path, ...],
    backlog: Path | None,
    host: str | None,
    port: int,
    *,
    lenient: bool,
    strict: bool,
    watch: bool,
    drain_seconds: float | None,
    drain_delay: float | None,
    num_workers: int,
) -> None:
    """Start the gateway.

    A configuration with errors is refused: each is named with file, line, and what to write
    instead. SIGHUP reads the files again; a bad new configuration changes nothing.
    """
    configure_logging(os.environ)
    paths = find_configuration(configs, os.environ)
    loaded = read_configuration(
        paths, os.environ, lenient=lenient, strict=strict, toolkit=Toolkit(backlog, port)
    )
    show_findings(loaded)
    if loaded.settings is None:
        click.echo("tiergate: not started: the configuration has errors (see above).", err=True)
        sys.exit(1)
    plan = Plan(
        paths=paths,
        host=host,
        port=port,
        lenient=lenient,
        strict=strict,
        watch=watch,
        drain_seconds=drain_seconds,
        drain_delay=drain_delay,
        backlog=backlog,
    )
    try:
        if num_workers > 1:
            launch(loaded.settings, plan, num_workers)
        in_order = uvloop.run(run_gateway(loaded.settings, plan, os.environ))
    except (PortTakenError, ValueError) as exc:
        click.echo(f"tiergate: not started: {exc}", err=True)
        sys.exit(1)
    if not in_order:
        sys.exit(1)


def show_findings(loaded: Loaded) -> None:
    """Print each finding on one line of standard error; colours only on a terminal."""
    colours = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTICE: "cyan"}
    for finding in loaded.findings:
        click.secho(str(finding), err=True, fg=colours[finding.severity])
