"""`tiergate ledger verify`: whether ledger, budget counters and what a gateway shows agree."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import click

from tiergate.base.jsontypes import Json
from tiergate.base.money import NANO, format_usd
from tiergate.cli.ledger_options import config_option, run_with_books
from tiergate.cli.spend_report import printable
from tiergate.core.catalog import ScopeKind
from tiergate.core.exact_json import Exact, ExactObject, Usd, encode
from tiergate.core.ledger import ScopeSum
from tiergate.core.ledger_lines import utc_text
from tiergate.core.verify import (
    Check,
    Comparison,
    Counter,
    compare_global,
    compare_ledger,
    compare_metrics,
    read_spent_metric,
)
from tiergate.ports import Ledger
from tiergate.wiring.books import Books

_AGAIN_SECONDS = 0.5
_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Shown:
    """What a running gateway shows, in nano-USD: what each budget has spent, and the whole."""

    metrics: dict[tuple[str, str], int]
    total: int


@click.command(short_help="Prove that ledger, counters and metrics agree.")
@config_option
@click.option("--url", default=None, help="A running gateway, to compare its figures too.")
@click.option(
    "--key",
    envvar=("TIERGATE_MASTER_KEY", "LITELLM_MASTER_KEY"),
    default=None,
    help="Its master key. Default: TIERGATE_MASTER_KEY, else LITELLM_MASTER_KEY.",
)
@click.option(
    "--wait",
    default=3.0,
    show_default=True,
    type=click.FloatRange(0, 3600),
    help="Seconds to ask again while figures differ: records of calls under way come late.",
)
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object.")
def verify(
    configs: tuple[Path, ...],
    url: str | None,
    key: str | None,
    wait: float,
    *,
    json_wanted: bool,
) -> None:
    """Compare the ledger's sums with the budgets' counters, each window by itself.

    With --url, the counters are compared with the gateway's metrics, and the ledger with its
    /global/spend. Exit code 0: all agree; 1: some do not, and each says what explains it.
    """

    async def work(books: Books, ledger: Ledger) -> list[Comparison]:
        end = time.monotonic() + wait
        while True:
            found = await _compare(books, ledger, url, key)
            if all(each.agrees for each in found) or time.monotonic() >= end:
                return found
            await asyncio.sleep(min(_AGAIN_SECONDS, wait))

    found = run_with_books(configs, work)
    click.echo(_as_json(found) if json_wanted else _as_text(found))
    if not all(each.agrees for each in found):
        raise click.exceptions.Exit(1)


async def _compare(
    books: Books, ledger: Ledger, url: str | None, key: str | None
) -> list[Comparison]:
    counters = await books.counters(ledger.source)
    summed = [(counter, await _total(ledger, counter)) for counter in counters]
    found = compare_ledger(summed)
    if url is not None:
        shown = await asyncio.to_thread(ask_gateway, url, key)
        found += compare_metrics(counters, shown.metrics)
        whole = ScopeSum(ScopeKind.GATEWAY, ScopeKind.GATEWAY.value, 0.0, None)
        found.append(compare_global(counters, await ledger.total(whole), shown.total))
    return found


async def _total(ledger: Ledger, counter: Counter) -> int:
    return await ledger.total(
        ScopeSum(counter.scope, counter.name, counter.window_start, counter.window_end)
    )


# ------------------------------------------------------------------ the gateway


def ask_gateway(url: str, key: str | None) -> Shown:
    """Ask a gateway what it shows.

    Raises:
        click.ClickException: It does not answer, or not with what is expected.
    """
    base = url.rstrip("/")
    page = _get(f"{base}/metrics", key)
    try:
        body: Json = json.loads(_get(f"{base}/global/spend", key), parse_float=Decimal)  # pyright: ignore[reportAssignmentType] - decimals stay exact
    except ValueError:
        raise click.ClickException(f"{base}/global/spend does not answer with JSON.") from None
    if not isinstance(body, dict):
        raise click.ClickException(f"{base}/global/spend does not answer with a JSON object.")
    nano, spend = body.get("spend_nano_usd"), body.get("spend")
    if not isinstance(nano, int):
        nano = int((Decimal(str(spend or 0)) * NANO).to_integral_value())
    return Shown(read_spent_metric(page), nano)


def _get(address: str, key: str | None) -> str:
    if not address.startswith(("http://", "https://")):
        raise click.ClickException(f"{address} is no address; write http://HOST:PORT.")
    heads = {"authorization": f"Bearer {key}"} if key else {}
    request = urllib.request.Request(address, headers=heads)  # noqa: S310 - http(s) only, above
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - http(s) only, above
            return answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as exc:
        exc.close()
        hint = " Give the master key with --key." if exc.code in (401, 403) else ""
        raise click.ClickException(f"{address} answers {exc.code}.{hint}") from None
    except (OSError, ValueError) as exc:
        why = exc.reason if isinstance(exc, urllib.error.URLError) else exc
        raise click.ClickException(f"{address} does not answer: {why}.") from None


# ------------------------------------------------------------------ what is printed

_WORDS = {
    Check.LEDGER: ("ledger", "counter"),
    Check.METRIC: ("counter", "metric"),
    Check.GLOBAL: ("ledger", "/global/spend"),
}


def _as_text(found: Sequence[Comparison]) -> str:
    if not found:
        return "No budget has been used yet: there is nothing to compare."
    lines: list[str] = []
    for each in found:
        first, second = _WORDS[each.check]
        place = printable(f"{each.scope}:{each.name}")
        verdict = "agrees " if each.agrees else "DIFFERS"
        line = (
            f"{verdict}  {place}  {_window(each)}  {first} {format_usd(each.expected)}  "
            f"{second} {format_usd(each.found)}"
        )
        if not each.agrees:
            line += f"  difference {format_usd(each.difference)} USD"
        lines.append(line)
        if each.note:
            lines.append(f"         {each.note}")
    wrong = sum(not each.agrees for each in found)
    count = f"{len(found)} comparison{'' if len(found) == 1 else 's'}"
    agreed = "1 comparison made, and it agrees." if len(found) == 1 else f"All {count} agree."
    differ = "differs" if wrong == 1 else "differ"
    lines += ["", f"{wrong} of {count} {differ}." if wrong else agreed]
    return "\n".join(lines)


def _window(each: Comparison) -> str:
    start = _instant(each.window_start)
    end = _instant(each.window_end)
    if not each.window_start:
        return "from the beginning" if end is None else f"until {end}"
    return f"since {start}" if end is None else f"{start} to {end}"


def _instant(seconds: int | None) -> str | None:
    return utc_text(seconds).replace(".000Z", "Z") if seconds is not None else None


def _as_json(found: Sequence[Comparison]) -> str:
    rows: list[Exact] = [_row(each) for each in found]
    return encode({"agrees": all(each.agrees for each in found), "comparisons": rows})


def _row(each: Comparison) -> ExactObject:
    first, second = _WORDS[each.check]
    return {
        "agrees": each.agrees,
        "check": each.check.name.lower(),
        "scope": each.scope,
        "name": each.name,
        "window_start": _instant(each.window_start),
        "window_end": _instant(each.window_end),
        f"{first.strip('/').replace('/', '_')}_usd": Usd(each.expected),
        f"{second.strip('/').replace('/', '_')}_usd": Usd(each.found),
        "difference_usd": Usd(each.difference),
        "note": each.note,
    }
