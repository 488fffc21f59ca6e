"""`tiergate prices`: what each deployment costs, and where each figure comes from."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tiergate.cli.backlog_option import backlog_option
from tiergate.cli.prices_report import PricedDeployment, PricesReport, as_csv, as_json, as_text
from tiergate.config.backlog_check import Toolkit
from tiergate.config.findings import Severity
from tiergate.pricing import PriceList
from tiergate.wiring.configuration import find_configuration, read_configuration


@click.command(short_help="Show what each deployment costs, and where each price comes from.")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[CONFIG]...")
@click.option("--alias", "aliases", multiple=True, help="Only this alias; may be repeated.")
@click.option("--json", "form", flag_value="json", help="Print one JSON object.")
@click.option("--csv", "form", flag_value="csv", help="Print CSV, one line for each figure.")
@click.option(
    "--no-env", is_flag=True, help="Do not look variables up: for where no keys are at hand."
)
@backlog_option
def prices(
    files: tuple[Path, ...],
    *,
    aliases: tuple[str, ...],
    form: str | None,
    no_env: bool,
    backlog: Path | None,
) -> None:
    """Show what each deployment costs, and where each price comes from.

    Figures are those of the configuration, and below them those of the price list that ships with
    the program, as of today. Without CONFIG the file is CONFIG_FILE_PATH, else config.yaml here.
    A configuration with errors is shown as far as it can be read, and the exit code is 1.
    """
    prices = PriceList()
    loaded = read_configuration(
        find_configuration(files, os.environ),
        os.environ,
        env=not no_env,
        prices=prices,
        toolkit=Toolkit(backlog),
    )
    settings = loaded.settings or loaded.draft
    if settings is not None:
        known = {deployment.alias for deployment in settings.deployments}
        for name in aliases:
            if name not in known:
                raise click.UsageError(
                    f"The configuration has no alias {name!r}. It has: {', '.join(sorted(known))}."
                )
        chosen = [each for each in settings.deployments if not aliases or each.alias in aliases]
        rows = [PricedDeployment(each, prices.figures(each)) for each in chosen]
        report = PricesReport(rows, prices.source)
        if form == "json":
            click.echo(as_json(report))
        elif form == "csv":
            click.echo(as_csv(report), nl=False)
        else:
            click.echo(as_text(report))
    if loaded.settings is None:
        for finding in loaded.findings:
            if finding.severity is Severity.ERROR:
                click.echo(str(finding), err=True)
        raise click.exceptions.Exit(1)
