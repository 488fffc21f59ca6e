"""`tiergate cache`: what the response cache keeps and has saved, and how to clear it.

It opens the store that the configuration names, as the gateway does; no gateway need run. What is
kept in the memory of a gateway is seen by that gateway only.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from tiergate.base.jsontypes import JsonObject
from tiergate.base.money import format_usd
from tiergate.cli.ledger_options import config_option
from tiergate.cli.prefix_command import prefix
from tiergate.config.findings import Severity
from tiergate.core.cache_plan import CacheKind, CachePlan
from tiergate.core.ledger import Filter, Group, SpendRow
from tiergate.ports import AnswerStore, Meanings, StoreDownError, StoreFigures
from tiergate.wiring.answer_stores import open_answers
from tiergate.wiring.books import Books, BooksError
from tiergate.wiring.configuration import find_configuration, read_configuration
from tiergate.wiring.meanings import Vault
from tiergate.wiring.places import state_directory

_IN_MEMORY = "in the memory of each worker; GET /cache/stats of the gateway shows it"


@dataclass(frozen=True, slots=True)
class _Found:
    """A configuration's cache and its books."""

    plan: CachePlan
    books: Books


@click.group(short_help="Show what caches keep and have saved, or clear the response cache.")
def cache() -> None:
    """The response cache of a configuration, and the prompt caches of the providers."""


cache.add_command(prefix)


@cache.command(short_help="Show where answers are, how many, and what they have saved.")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def stats(configs: tuple[Path, ...], *, as_json: bool) -> None:
    """Show where answers are kept, how many there are, and what they have saved.

    What was saved is in the ledger, by alias; it is what providers would have charged. The exit
    code is 1 where the store does not answer.
    """
    found = _find(configs)
    figures = asyncio.run(_figures(found))
    rows = asyncio.run(_saved(found.books))
    if as_json:
        click.echo(json.dumps(_object(found.plan, figures, rows), indent=2))
    else:
        for line in _lines(found.plan, figures, rows):
            click.echo(line)
    if figures is not None and figures.fault is not None:
        raise click.exceptions.Exit(1)


@cache.command(short_help="Forget all answers of the namespace.")
@config_option
def clear(configs: tuple[Path, ...]) -> None:
    """Forget all answers of the configured namespace, and nothing else in the store."""
    found = _find(configs)
    if found.plan.kind is CacheKind.LOCAL:
        raise click.ClickException(
            "The answers are in the memory of the gateway: POST /cache/flushall there, or restart "
            "it."
        )
    gone = asyncio.run(_clear(found))
    if isinstance(gone, str):
        raise click.ClickException(f"The cache does not answer, so nothing was deleted: {gone}")
    click.echo(f"Deleted {gone:,} answers of {found.plan.policy.namespace}.")


# ---------------------------------------------------------------------- the configuration


def _find(configs: Sequence[Path]) -> _Found:
    """Read what a configuration says of the cache.

    Raises:
        click.ClickException: It cannot be read, or there is no cache.
    """
    paths = find_configuration(configs, os.environ)
    loaded = read_configuration(paths, os.environ, lenient=True)
    settings = loaded.settings or loaded.draft
    if settings is None or settings.cache is None:
        errors = [str(f) for f in loaded.findings if f.severity is Severity.ERROR]
        raise click.ClickException(
            "\n".join(["The configuration has no response cache that acts.", *errors[:5]])
        )
    directory = state_directory(settings.stores.directory, paths, os.environ)
    return _Found(settings.cache, Books(settings.stores, directory, settings.budget_timezone))


async def _figures(found: _Found) -> StoreFigures | None:
    """Return what the store says of itself; None for what a gateway has in its memory."""
    if found.plan.kind is CacheKind.LOCAL:
        return None
    async with _opened(found) as (store, _):
        await store.ping()
        return await store.figures()


async def _clear(found: _Found) -> int | str:
    space = found.plan.policy.namespace
    async with _opened(found) as (store, meanings):
        gone = await store.clear(space)
        if meanings is not None:
            await meanings.clear(space)
        return gone if gone is not None else str(store.fault)


@asynccontextmanager
async def _opened(found: _Found) -> AsyncGenerator[tuple[AnswerStore, Meanings | None]]:
    """Open the store of answers, and that of vectors where there is a semantic cache."""
    vault = Vault(found.plan, found.books.directory, time.monotonic)
    store = open_answers(found.plan, found.books.directory, vault.answers)
    try:
        yield store, vault.meanings
    finally:
        await store.aclose()
        if vault.meanings is not None:
            await vault.meanings.aclose()


async def _saved(books: Books) -> list[SpendRow]:
    """Return what the ledger knows of answers from a cache; nothing where there is no ledger."""
    try:
        ledger = await books.open_ledger()
    except (BooksError, StoreDownError):
        return []
    try:
        rows = await ledger.spend((Group.CACHE, Group.ASKED), Filter())
    except StoreDownError:
        return []
    finally:
        await ledger.aclose()
    return [row for row in rows if row.keys[0]]


# ---------------------------------------------------------------------- how it is shown


def _lines(plan: CachePlan, figures: StoreFigures | None, rows: Sequence[SpendRow]) -> list[str]:
    policy = plan.policy
    lines = [
        f"type       {plan.kind.value}",
        f"place      {figures.place if figures is not None else _IN_MEMORY}",
        f"namespace  {policy.namespace}",
        f"ttl        {policy.ttl:g} s",
    ]
    if figures is not None:
        lines.append(f"state      {figures.fault or 'answers'}")
        if figures.entries is not None:
            lines.append(f"entries    {figures.entries:,}")
        if figures.size is not None:
            most = f" of {figures.most:,}" if figures.most is not None else ""
            lines.append(f"bytes      {figures.size:,}{most}")
    lines.append("")
    if not rows:
        return [*lines, "The ledger has no answer from the cache."]
    width = max(len("alias"), *(len(row.keys[1]) for row in rows))
    lines.append(f"{'layer':<9} {'alias':<{width}} {'answers':>9} {'saved USD':>14}")
    for row in rows:
        layer, alias = row.keys
        lines.append(f"{layer:<9} {alias:<{width}} {row.calls:>9,} {format_usd(row.saving):>14}")
    return lines


def _object(plan: CachePlan, figures: StoreFigures | None, rows: Sequence[SpendRow]) -> JsonObject:
    return {
        "type": plan.kind.value,
        "namespace": plan.policy.namespace,
        "ttl_seconds": plan.policy.ttl,
        "place": figures.place if figures is not None else None,
        "fault": figures.fault if figures is not None else None,
        "entries": figures.entries if figures is not None else None,
        "bytes": figures.size if figures is not None else None,
        "max_bytes": plan.most_bytes if figures is None else figures.most,
        "saved": [
            {
                "layer": row.keys[0],
                "alias": row.keys[1],
                "answers": row.calls,
                "saving_usd": format_usd(row.saving),
            }
            for row in rows
        ],
    }
