"""`tiergate spend`: what was spent, by whatever the ledger knows of a call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from tiergate.cli.ledger_options import (
    config_option,
    filter_of,
    run_with_books,
    timezone_option,
    which_options,
    zone_of,
)
from tiergate.cli.spend_report import NOTHING, SpendReport, as_csv, as_json, table
from tiergate.core.ledger import Bucket, Filter, Group, SpendRow
from tiergate.core.ledger_query import GROUP_NAMES, read_groups
from tiergate.ports import Ledger
from tiergate.wiring.books import Books

_MOST_NAMES = 200


@click.command(short_help="Show what was spent, by alias, key, team, ticket, ...")
@config_option
@click.option("--by", default="alias", show_default=True, help=f"Comma list of: {GROUP_NAMES}.")
@which_options
@click.option("--day", "bucket", flag_value=Bucket.DAY, type=Bucket, help="A row for each day.")
@click.option("--week", "bucket", flag_value=Bucket.WEEK, type=Bucket, help="A row per week.")
@click.option("--month", "bucket", flag_value=Bucket.MONTH, type=Bucket, help="A row per month.")
@timezone_option
@click.option("--json", "form", flag_value="json", help="Print one JSON object.")
@click.option("--csv", "form", flag_value="csv", help="Print CSV; cells hold no formulas.")
def spend(
    configs: tuple[Path, ...],
    by: str,
    since: str | None,
    until: str | None,
    where: tuple[str, ...],
    bucket: Bucket | None,
    timezone: str | None,
    form: str | None,
) -> None:
    """Show what was spent, from the ledger.

    Costs are exact, and count when the call began. Aliases are those that served; `--by asked`
    groups by the alias that was asked for. No gateway need run.
    """

    async def work(books: Books, ledger: Ledger) -> SpendReport:
        zone = zone_of(timezone, books)
        groups = read_groups(by)
        which = filter_of(since, until, where, zone)
        rows = await ledger.spend(groups, which, bucket=bucket, timezone=zone.key)
        total = await ledger.spend((), which)
        return SpendReport(
            groups=groups,
            bucket=bucket,
            zone=zone,
            rows=tuple(rows),
            total=total[0] if total else NOTHING,
            key_names=await _key_names(ledger, groups, rows),
        )

    report = run_with_books(configs, work)
    if form == "json":
        click.echo(as_json(report))
    elif form == "csv":
        click.echo(as_csv(report), nl=False)
    else:
        click.echo(table(report))


async def _key_names(
    ledger: Ledger, groups: Sequence[Group], rows: Sequence[SpendRow]
) -> dict[str, str]:
    """Return what the keys of some rows are called, by their newest records."""
    if Group.KEY not in groups:
        return {}
    place = tuple(groups).index(Group.KEY)
    keys = dict.fromkeys(row.keys[place] for row in rows if row.keys[place])
    names: dict[str, str] = {}
    for key in tuple(keys)[:_MOST_NAMES]:
        found, _ = await ledger.entries(Filter(equal=((Group.KEY, key),)), limit=1, newest=True)
        if found:
            names[key] = found[0].key_name
    return names
