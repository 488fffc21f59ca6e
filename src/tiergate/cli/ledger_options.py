"""What the commands that read the ledger have in common: their options, and how it is opened.

It decides nothing about what is shown.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import click

from tiergate.core.ledger import Filter
from tiergate.core.ledger_query import QueryError, read_since, read_until, read_where
from tiergate.ports import Ledger, StoreDownError
from tiergate.wiring.books import Books, BooksError, find_books

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., None])

config_option = click.option(
    "--config",
    "-c",
    "configs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Configuration file of the gateway, as for serve; may be repeated. It says where the "
    "ledger is.",
)
timezone_option = click.option(
    "--tz",
    "timezone",
    default=None,
    help="Time zone whose days are meant, as Europe/Berlin. "
    "Default: general_settings.budget_timezone, else UTC.",
)


def which_options(command: F) -> F:
    """Add the options that say which records are meant."""
    for option in (
        click.option(
            "--where",
            multiple=True,
            metavar="GROUP=VALUE",
            help="Only records with this value, as alias=frontier; may be repeated.",
        ),
        click.option(
            "--until",
            default=None,
            help="Up to this time; a day, month or year named is meant whole.",
        ),
        click.option(
            "--since",
            default=None,
            help="From this time: 2026-11-24, 2026-11, 2026-11-24T10:00, or 24h, 7d, 2w back.",
        ),
    ):
        command = option(command)
    return command


def run_with_books(configs: Sequence[Path], work: Callable[[Books, Ledger], Awaitable[T]]) -> T:
    """Open the ledger that a configuration names, do some work with it, and close it.

    Raises:
        click.ClickException: There is no ledger, or it cannot be read.
    """
    try:
        books = find_books(configs, os.environ)
        return asyncio.run(_run(books, work))
    except (BooksError, StoreDownError) as exc:
        raise click.ClickException(str(exc)) from None
    except QueryError as exc:
        raise click.UsageError(str(exc)) from None


async def _run(books: Books, work: Callable[[Books, Ledger], Awaitable[T]]) -> T:
    ledger = await books.open_ledger()
    try:
        return await work(books, ledger)
    finally:
        await ledger.aclose()


def zone_of(name: str | None, books: Books) -> ZoneInfo:
    """Return the time zone that is meant.

    Raises:
        QueryError: There is no such zone.
    """
    wanted = name or books.timezone
    try:
        return ZoneInfo(wanted)
    except (ValueError, OSError, LookupError):
        raise QueryError(
            f"{wanted!r} is no time zone known here; write one as Europe/Berlin."
        ) from None


def filter_of(since: str | None, until: str | None, where: Sequence[str], zone: tzinfo) -> Filter:
    """Return which records the options mean.

    Raises:
        QueryError: One cannot be understood.
    """
    now = time.time()
    return Filter(
        since=read_since(since, zone, now) if since else None,
        until=read_until(until, zone, now) if until else None,
        equal=read_where(where),
    )
