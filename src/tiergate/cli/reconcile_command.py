"""`tiergate ledger reconcile`: a provider's own account against the ledger, day by day."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from tiergate.base.money import format_usd
from tiergate.cli.ledger_options import config_option, run_with_books
from tiergate.cli.reconcile_report import as_json, as_text
from tiergate.core.bill_files import COLUMN_ROLES, read_bill
from tiergate.core.ledger import Bucket, Filter, Group, SpendRow
from tiergate.core.provider_bill import Bill, BillError
from tiergate.core.reconcile import OurLine, Reconciliation
from tiergate.core.reconcile import reconcile as compare
from tiergate.ports import Ledger
from tiergate.wiring.books import Books

_LARGEST_FILE = 200 * 1024 * 1024


@click.command(short_help="Compare a provider's usage export with the ledger.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@config_option
@click.option(
    "--provider",
    default=None,
    help="The provider's name in the ledger. Default: what the file's form tells.",
)
@click.option(
    "--columns",
    default=None,
    metavar="ROLE=COLUMN,...",
    help=f"For any other CSV: which column is what. Roles: {', '.join(COLUMN_ROLES)}.",
)
@click.option(
    "--tz",
    "timezone",
    default="UTC",
    show_default=True,
    help="Time zone of the file's days; providers count in UTC.",
)
@click.option(
    "--tolerance",
    default="0.5",
    show_default=True,
    help="Per cent by which a figure may differ.",
)
@click.option("--all", "everything", is_flag=True, help="Show days that agree too.")
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object.")
def reconcile(
    file: Path,
    configs: tuple[Path, ...],
    provider: str | None,
    columns: str | None,
    timezone: str,
    tolerance: str,
    *,
    everything: bool,
    json_wanted: bool,
) -> None:
    """Compare a provider's usage or cost export with the ledger, per day and model.

    Read are the usage and cost CSV of Anthropic's console, the usage and cost CSV of OpenAI's
    platform, the JSON pages of both providers' usage and cost APIs, and any CSV whose columns are
    named. Exit code 0: every figure agrees within the tolerance; 1: some do not.
    """
    zone = _zone(timezone)
    bill = _bill(file, zone, columns)
    wanted = provider or bill.provider
    if not wanted:
        raise click.UsageError("The file does not tell whose it is: give --provider.")
    if not bill.lines:
        raise click.ClickException(f"{file} has no day in it.")

    async def work(books: Books, ledger: Ledger) -> Reconciliation:
        del books
        rows = await ledger.spend(
            (Group.MODEL,), _days(bill, wanted, zone), bucket=Bucket.DAY, timezone=zone.key
        )
        return compare(bill, [_ours(row, zone) for row in rows], _percent(tolerance))

    found = run_with_books(configs, work)
    if json_wanted:
        click.echo(as_json(found, bill, wanted))
    else:
        click.echo(as_text(found, bill, wanted, everything=everything))
    if not found.agrees:
        raise click.exceptions.Exit(1)


def _bill(file: Path, zone: tzinfo, columns: str | None) -> Bill:
    if file.stat().st_size > _LARGEST_FILE:
        raise click.ClickException(
            f"{file} is larger than {format_usd(_LARGEST_FILE)} bytes; export fewer days at once."
        )
    try:
        text = file.read_text("utf-8-sig")
        return read_bill(text, zone, _columns(columns) if columns is not None else None)
    except UnicodeDecodeError:
        raise click.ClickException(f"{file} is not a text file in UTF-8.") from None
    except BillError as exc:
        raise click.ClickException(f"{file}: {exc}") from None


def _columns(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(","):
        role, sign, column = part.partition("=")
        if not sign or not column:
            raise click.UsageError(f"--columns: {part!r} is not ROLE=COLUMN.")
        found[role.strip()] = column.strip()
    return found


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise click.UsageError(
            f"--tz: {name!r} is no time zone known here; write one as Europe/Berlin."
        ) from None


def _percent(text: str) -> Decimal:
    try:
        found = Decimal(text.strip().removesuffix("%"))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found < 0:
        raise click.UsageError(f"--tolerance: {text!r} is not a number of per cent.")
    return found


def _days(bill: Bill, provider: str, zone: tzinfo) -> Filter:
    """Return which of our records the bill's days cover."""
    first, last = min(x.day for x in bill.lines), max(x.day for x in bill.lines)
    return Filter(
        since=_midnight(first, zone),
        until=_midnight(last + timedelta(days=1), zone),
        equal=((Group.PROVIDER, provider),),
    )


def _midnight(day: date, zone: tzinfo) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


def _ours(row: SpendRow, zone: tzinfo) -> OurLine:
    return OurLine(
        day=datetime.fromtimestamp(row.start or 0, zone).date(),
        model=row.keys[0],
        calls=row.calls,
        input=row.input,
        cache_read=row.cached,
        cache_write=row.written,
        output=row.output,
        cost=row.cost,
        estimated=row.estimated,
    )
