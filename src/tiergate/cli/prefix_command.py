"""`tiergate cache prefix`: what the providers' prompt caches give, and which prefixes drift.

The figures are in the memory of a running gateway, so it is asked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from urllib.parse import urlencode

import click

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.cli.gateway_address import ask_json, gateway_options
from tiergate.cli.spend_report import printable

_HEADS = ("key", "alias", "phase", "calls", "hits", "of expected", "saved USD", "writes USD")
_WORDS = 3
_NOTHING = "The gateway has seen no prompt that is long enough for a provider's cache."


@click.command(short_help="Show what providers' prompt caches save, and which prefixes drift.")
@gateway_options
@click.option("--alias", default="", help="Only this alias.")
@click.option("--phase", default="", help="Only this phase.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def prefix(url: str, key: str | None, alias: str, phase: str, *, as_json: bool) -> None:
    """Show, for each key, alias and phase, what the providers' prompt caches save.

    "hits" is the share of prompt tokens that were read from a cache, "of expected" the share of
    what earlier turns had left there warm. Below it stands where a prefix changed that used to
    match. The figures begin with the start of the gateway.
    """
    wanted = {name: value for name, value in (("alias", alias), ("phase", phase)) if value}
    query = f"?{urlencode(wanted)}" if wanted else ""
    found = ask_json(url, f"/cache/prefix{query}", key)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    rows = [row for row in _list(found.get("prefixes")) if isinstance(row, dict)]
    for line in lines(rows, found.get("total")):
        click.echo(line)


def lines(rows: Sequence[JsonObject], total: Json) -> list[str]:
    """Return the report as lines for a terminal.

    Args:
        rows: What the route told of each key, alias and phase.
        total: What it told of all.
    """
    if not rows:
        return [_NOTHING]
    cells = [_HEADS, *(_cells(row) for row in rows)]
    if isinstance(total, dict):
        cells.append(("total", "", "", *_figures(total)))
    widths = [max(len(row[at]) for row in cells) for at in range(len(_HEADS))]
    told = [_aligned(row, widths) for row in cells]
    rule = "-" * max(map(len, told))
    drifts = [text for row in rows if (text := _drift(row))]
    return [told[0], rule, *told[1:], *(["", *drifts] if drifts else [])]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.ljust(width) if at < _WORDS else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _cells(row: JsonObject) -> tuple[str, ...]:
    name = row.get("key_name") or row.get("key")
    return (_word(name), _word(row.get("alias")), _word(row.get("phase")), *_figures(row))


def _figures(row: JsonObject) -> tuple[str, ...]:
    calls = row.get("calls")
    return (
        f"{calls:,}" if isinstance(calls, int) else "",
        _percent(row.get("hit_rate")),
        _percent(row.get("expected_hit_rate")),
        _usd(row.get("saved_usd")),
        _usd(row.get("write_cost_usd")),
    )


def _drift(row: JsonObject) -> str:
    """Say what has drifted; nothing where nothing has."""
    last = row.get("last_drift")
    drifts = row.get("drifts")
    if not isinstance(last, dict) or not isinstance(drifts, dict):
        return ""
    count = sum(number for number in drifts.values() if isinstance(number, int))
    times = "once" if count == 1 else f"{count:,} times"
    where = " ".join(word for word in _cells(row)[:_WORDS] if word)
    return f"{where}: drifted {times}, last at {_word(last.get('at'))}: {_word(last.get('text'))}"


def _word(value: Json) -> str:
    return printable(value) if isinstance(value, str) else ""


def _percent(value: Json) -> str:
    if not isinstance(value, int | float):
        return "-"
    return f"{100 * Decimal(str(value)):.1f} %"


def _usd(value: Json) -> str:
    return f"{Decimal(str(value)):.4f}" if isinstance(value, int | float) else ""


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
