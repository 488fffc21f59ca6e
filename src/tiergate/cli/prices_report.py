"""The report of `tiergate prices` as text, as JSON and as CSV, without a float in between."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tiergate.base.money import format_usd
from tiergate.base.values import ServiceTier
from tiergate.cli.spend_report import printable, safe_cell
from tiergate.core.catalog import Deployment
from tiergate.core.exact_json import Exact, ExactObject, Usd, encode
from tiergate.pricing.figures import FOLLOWS, KINDS, REQUEST, SEARCH, Figure, Origin

_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "input": "input",
        "output": "output",
        "cache_read": "cache read",
        "cache_write_5m": "write 5 min",
        "cache_write_1h": "write 1 h",
        "reasoning": "reasoning",
        "audio_input": "audio in",
        "audio_output": "audio out",
        REQUEST: "each call",
        SEARCH: "each search",
    }
)
_RATIO: Final = "in its ratio to the written or plain price"
_BOUND: Final = "its price is not known, and the dearest that is known is taken"
_COLUMNS: Final = (
    "alias", "deployment", "provider", "model", "tier", "above_tokens", "kind", "usd", "per",
    "origin", "source",
)  # fmt: skip
_HELP: Final = (
    "no price: neither the configuration nor the price list has one. Under a budget the start is "
    "refused. Write input_cost_per_token and output_cost_per_token, base_model, or pricing: free."
)


@dataclass(frozen=True, slots=True)
class PricedDeployment:
    """A deployment, and each figure of its price; no figure where it has no price."""

    deployment: Deployment
    figures: tuple[Figure, ...]

    @property
    def free(self) -> bool:
        """Whether the file says that it is free."""
        return self.deployment.price.free


@dataclass(frozen=True, slots=True)
class PricesReport:
    """What is reported.

    Attributes:
        rows: In the order of the file.
        source: Name, version and day of the price list.
    """

    rows: Sequence[PricedDeployment]
    source: str

    @property
    def unpriced(self) -> tuple[Deployment, ...]:
        """The deployments without a price."""
        return tuple(row.deployment for row in self.rows if not row.figures)


def as_text(report: PricesReport) -> str:
    """Return the report as lines for a terminal: a block for each deployment, then a summary."""
    blocks = ["\n".join(_block(row, report.source)) for row in report.rows]
    free = sum(row.free for row in report.rows)
    priced = len(report.rows) - len(report.unpriced) - free
    summary = f"{priced} priced, {free} free, {len(report.unpriced)} without a price."
    names = [f"  {_title(each)}" for each in report.unpriced]
    last = "\n".join([summary, *(["Without a price:", *names] if names else [])])
    return "\n\n".join(["USD per million tokens.", *blocks, last])


def as_json(report: PricesReport) -> str:
    """Return the report as one JSON object; `usd` is exact, `nano_usd` the integer behind it."""
    deployments: list[Exact] = []
    for row in report.rows:
        each = row.deployment
        figures: list[Exact] = [_figure(figure, report.source) for figure in row.figures]
        deployments.append(
            {
                "id": each.id,
                "alias": each.alias,
                "provider": each.provider,
                "model": each.model,
                "priced_as": each.priced_as or each.model,
                "file": each.source.file,
                "line": each.source.line,
                "priced": bool(row.figures),
                "free": row.free,
                "figures": figures,
            }
        )
    unpriced: list[Exact] = [each.id for each in report.unpriced]
    return encode(
        {"format": 1, "list": report.source, "deployments": deployments, "unpriced": unpriced}
    )


def as_csv(report: PricesReport) -> str:
    """Return one line for each figure, and one for each deployment without a price."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in report.rows:
        each = row.deployment
        names = [safe_cell(printable(n)) for n in (each.alias, each.id, each.provider, each.model)]
        for figure in row.figures:
            writer.writerow(
                [
                    *names,
                    figure.tier.value,
                    figure.above,
                    figure.kind,
                    format_usd(figure.nano),
                    _per(figure),
                    figure.origin.value,
                    safe_cell(printable(_source(figure, report.source))),
                ]
            )
        if not row.figures:
            writer.writerow([*names, "", "", "", "", "", "none", ""])
    return out.getvalue()


# ------------------------------------------------------------------ one figure


def _figure(figure: Figure, source: str) -> ExactObject:
    place = figure.position
    return {
        "tier": figure.tier.value,
        "above_tokens": figure.above,
        "kind": figure.kind,
        "per": _per(figure),
        "usd": Usd(figure.nano),
        "nano_usd": figure.nano,
        "origin": figure.origin.value,
        "source": _source(figure, source),
        "file": place.file if place is not None else None,
        "line": place.line if place is not None else None,
    }


def _per(figure: Figure) -> str:
    return {REQUEST: "call", SEARCH: "search"}.get(figure.kind, "million tokens")


def _source(figure: Figure, source: str) -> str:
    """Return where a figure comes from, in words."""
    match figure.origin:
        case Origin.WRITTEN:
            return str(figure.position)
        case Origin.LISTED:
            return source
        case Origin.RATIO:
            return _RATIO
        case Origin.FOLLOWS:
            return f"as {_NAMES[FOLLOWS[figure.kind]]}"
        case Origin.BOUND:
            return _BOUND
        case Origin.FREE:
            return f"pricing: free, {figure.position}" if figure.position else "pricing: free"


# ------------------------------------------------------------------ text


def _title(each: Deployment) -> str:
    as_model = f", priced as {each.priced_as}" if each.priced_as else ""
    place = f"  {each.source}" if each.source.file else ""
    return printable(f"{each.alias}  {each.provider}/{each.model}{as_model}{place}")


def _block(row: PricedDeployment, source: str) -> list[str]:
    title = _title(row.deployment)
    if not row.figures:
        return [title, f"  {_HELP}"]
    if row.free:
        return [title, f"  free ({printable(_source(row.figures[0], source))})"]
    tokens = [figure for figure in row.figures if figure.kind in KINDS]
    others = [figure for figure in row.figures if figure.kind not in KINDS]
    lines = [title, *(f"  {line}" for line in _table(tokens))]
    for figure in others:
        told = printable(_source(figure, source))
        lines.append(f"  {_NAMES[figure.kind]} {format_usd(figure.nano)} USD ({told})")
    return [*lines, *(f"  {line}" for line in _origins(tokens, source))]


def _table(figures: Sequence[Figure]) -> list[str]:
    """Return a line for each service tier and step; columns are kinds of token."""
    kinds = [kind for kind in KINDS if any(figure.kind == kind for figure in figures)]
    amounts = {(_label(f), f.kind): format_usd(f.nano) for f in figures}
    labels = list(dict.fromkeys(map(_label, figures)))
    rows = [["", *(_NAMES[kind] for kind in kinds)]]
    rows += [[label, *(amounts.get((label, kind), "") for kind in kinds)] for label in labels]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _label(figure: Figure) -> str:
    """Return what a line of the table is called: its service tier, its step."""
    tier = "" if figure.tier is ServiceTier.STANDARD else figure.tier.value
    step = f"above {figure.above:,}" if figure.above else ""
    return ", ".join(part for part in (tier, step) if part) or "standard"


def _origins(figures: Sequence[Figure], source: str) -> list[str]:
    """Return where the figures come from, each origin once.

    Kinds are named; the lines of the table they stand in too, where it is not all of them.
    """
    labels = list(dict.fromkeys(map(_label, figures)))
    found: dict[str, dict[str, list[str]]] = {}
    for figure in figures:
        in_lines = found.setdefault(_source(figure, source), {})
        in_lines.setdefault(_label(figure), []).append(_NAMES[figure.kind])
    lines: list[str] = []
    for origin, in_lines in found.items():
        by_kinds: dict[str, list[str]] = {}
        for label, kinds in in_lines.items():
            by_kinds.setdefault(", ".join(kinds), []).append(label)
        told = [
            kinds if at == labels else f"{kinds} ({'; '.join(at)})"
            for kinds, at in by_kinds.items()
        ]
        lines.append(f"{printable(origin)}: {'; '.join(told)}")
    return lines
