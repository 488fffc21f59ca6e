"""The report of prices as text, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

from support.attempts import deployment
from tiergate.base.values import Position, ServiceTier
from tiergate.cli.prices_report import PricedDeployment, PricesReport, as_csv, as_json, as_text
from tiergate.core.catalog import PriceOverride
from tiergate.pricing.figures import Figure, Origin

STANDARD, BATCH = ServiceTier.STANDARD, ServiceTier.BATCH
LINE = Position("config.yaml", 7)
FIGURES = (
    Figure("input", STANDARD, 0, 3_000_000_000, Origin.WRITTEN, LINE),
    Figure("output", STANDARD, 0, 15_000_000_000, Origin.LISTED),
    Figure("cache_read", STANDARD, 0, 300_000_001, Origin.RATIO),
    Figure("reasoning", STANDARD, 0, 15_000_000_000, Origin.FOLLOWS),
    Figure("input", STANDARD, 200_000, 6_000_000_000, Origin.LISTED),
    Figure("output", STANDARD, 200_000, 15_000_000_000, Origin.LISTED),
    Figure("input", BATCH, 0, 1_500_000_000, Origin.LISTED),
    Figure("output", BATCH, 0, 7_500_000_000, Origin.LISTED),
    Figure("request", STANDARD, 0, 5_000_000, Origin.LISTED),
    Figure("search", STANDARD, 0, 25_000_000, Origin.BOUND),
)
PRICED = PricedDeployment(deployment("cheap", "a", model="m", source=LINE), FIGURES)
FREE = PricedDeployment(
    deployment("local", "b", provider="ollama", model="n", price=PriceOverride(free=True)),
    (Figure("input", STANDARD, 0, 0, Origin.FREE, LINE),),
)
UNPRICED = PricedDeployment(deployment("=new", "c", provider="groq", model="x", priced_as="y"), ())
LIST = "data 1.0, collected 2026-11-01"
NO_PRICE = (
    "  no price: neither the configuration nor the price list has one. Under a budget the start "
    "is refused. Write input_cost_per_token and output_cost_per_token, base_model, or pricing: "
    "free."
)
REPORT = PricesReport((PRICED, FREE, UNPRICED), LIST)


def test_the_text_has_a_table_for_each_deployment_and_says_where_figures_come_from():
    assert as_text(REPORT).splitlines() == [
        "USD per million tokens.",
        "",
        "cheap  anthropic/m  config.yaml:7",
        "                 input  output   cache read  reasoning",
        "  standard           3      15  0.300000001         15",
        "  above 200,000      6      15",
        "  batch            1.5     7.5",
        "  each call 0.005 USD (data 1.0, collected 2026-11-01)",
        "  each search 0.025 USD (its price is not known, and the dearest that is known is taken)",
        "  config.yaml:7: input (standard)",
        f"  {LIST}: output (standard); input, output (above 200,000; batch)",
        "  in its ratio to the written or plain price: cache read (standard)",
        "  as output: reasoning (standard)",
        "",
        "local  ollama/n",
        "  free (pricing: free, config.yaml:7)",
        "",
        "=new  groq/x, priced as y",
        NO_PRICE,
        "",
        "1 priced, 1 free, 1 without a price.",
        "Without a price:",
        "  =new  groq/x, priced as y",
    ]


def test_lines_of_the_table_are_not_named_where_a_kind_has_one_origin_in_all_of_them():
    figures = tuple(
        Figure(kind, tier, 0, 1, Origin.LISTED)
        for tier in (STANDARD, BATCH)
        for kind in ("input", "output")
    )
    told = as_text(PricesReport([PricedDeployment(PRICED.deployment, figures)], "data"))

    assert "  data: input, output\n" in told


def test_the_json_has_exact_amounts_and_each_origin():
    told = json.loads(as_json(REPORT), parse_float=Decimal)

    assert (told["format"], told["list"]) == (1, "data 1.0, collected 2026-11-01")
    assert told["unpriced"] == ["c"]
    priced, free, unpriced = told["deployments"]
    assert priced["figures"][2] == {
        "tier": "standard",
        "above_tokens": 0,
        "kind": "cache_read",
        "per": "million tokens",
        "usd": Decimal("0.300000001"),
        "nano_usd": 300_000_001,
        "origin": "ratio",
        "source": "in its ratio to the written or plain price",
        "file": None,
        "line": None,
    }
    assert (priced["figures"][0]["file"], priced["figures"][0]["line"]) == ("config.yaml", 7)
    assert [each["per"] for each in priced["figures"][-2:]] == ["call", "search"]
    assert (free["priced"], free["free"]) == (True, True)
    assert (unpriced["priced"], unpriced["priced_as"], unpriced["figures"]) == (False, "y", [])


def test_the_csv_has_a_line_for_each_figure_and_each_deployment_without_one():
    head, *rows = csv.reader(io.StringIO(as_csv(REPORT)))

    assert len(rows) == len(FIGURES) + 2
    first = dict(zip(head, rows[0], strict=True))
    assert first == {
        "alias": "cheap",
        "deployment": "a",
        "provider": "anthropic",
        "model": "m",
        "tier": "standard",
        "above_tokens": "0",
        "kind": "input",
        "usd": "3",
        "per": "million tokens",
        "origin": "configuration",
        "source": "config.yaml:7",
    }
    assert rows[-1] == ["'=new", "c", "groq", "x", "", "", "", "", "", "none", ""]
