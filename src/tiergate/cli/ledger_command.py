"""`tiergate ledger`: export its records, prove it, and hold it against a provider's bill."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
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
from tiergate.cli.reconcile_command import reconcile
from tiergate.cli.verify_command import verify
from tiergate.core.ledger import Entry, Filter, Mark
from tiergate.core.ledger_lines import full_line, toolkit_line
from tiergate.ports import Ledger
from tiergate.wiring.books import Books

POLL_SECONDS = 0.5
_PAGE = 1000


@click.group(short_help="Export, verify and reconcile the record of all calls.")
def ledger() -> None:
    """The ledger: one record for each call, for ever."""


@ledger.command(short_help="Print records as JSON Lines.")
@config_option
@which_options
@timezone_option
@click.option("--full", is_flag=True, help="Add every field that the ledger has.")
@click.option("--follow", "-f", is_flag=True, help="Go on with new records until interrupted.")
def export(
    configs: tuple[Path, ...],
    since: str | None,
    until: str | None,
    where: tuple[str, ...],
    timezone: str | None,
    *,
    full: bool,
    follow: bool,
) -> None:
    """Print records as JSON Lines, in the order they were written.

    Each line has timestamp, workflow, phase, ticket_id, model_alias, provider, model,
    input_tokens, output_tokens, cached_input_tokens, cost_usd, cache_hit, batch_job_id,
    escalation_reason and status; --full adds the other fields.
    """
    form = full_line if full else toolkit_line

    async def work(books: Books, ledger: Ledger) -> None:
        which = filter_of(since, until, where, zone_of(timezone, books))
        await _print(ledger, which, form, follow=follow)

    run_with_books(configs, work)


async def _print(
    ledger: Ledger, which: Filter, form: Callable[[Entry], str], *, follow: bool
) -> None:
    """Print records until there are none left, or until somebody interrupts."""
    stop = asyncio.Event()
    if follow:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    mark: Mark | None = None
    while not stop.is_set():
        entries, after = await ledger.entries(which, limit=_PAGE, after=mark)
        mark = after if after is not None else mark
        try:
            sys.stdout.writelines(f"{form(entry)}\n" for entry in entries)
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever reads the lines may leave at any time; that is no fault.
            sys.stdout = None
            return
        if len(entries) == _PAGE:
            continue
        if not follow:
            return
        await _wait(stop)


async def _wait(stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), POLL_SECONDS)
    except TimeoutError:
        return


ledger.add_command(verify)
ledger.add_command(reconcile)
