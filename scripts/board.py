"""Writes the Grafana board, `deploy/grafana/tiergate.json`: `make docs` runs it with the pages.

The board is a table of rows and panels here, since Grafana's own form of it is two thousand lines
that nobody reads.
"""  # noqa: INP001 - a script

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

BOARD = Path(__file__).parent.parent / "deploy" / "grafana" / "tiergate.json"

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_WIDTH = 24
_ALIAS = 'requested_model=~"$alias"'
_SERVED = 'model_group=~"$alias"'


@dataclass(frozen=True)
class Query:
    """One line of a panel; `legend` is Grafana's template for its name."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        title: What it shows.
        queries: Its lines.
        unit: Grafana's word for the unit.
        kind: Grafana's word for the form.
        width: Of 24 columns.
        height: In rows of the grid.
        text: What to know about it.
        most: The end of the scale; None leaves it to Grafana.
        steps: Colours from a value on; the first has no value.
        stacked: Lines stand on each other.
    """

    title: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    height: int = 8
    text: str = ""
    most: float | None = None
    steps: tuple[tuple[str, float | None], ...] = ()
    stacked: bool = False


def _quantile(part: str, metric: str, by: str = "") -> str:
    group = f"le, {by}" if by else "le"
    return (
        f"histogram_quantile({part}, sum by ({group}) "
        f"(rate({metric}_bucket{{{_ALIAS}}}[$__rate_interval])))"
    )


def _rate(metric: str, by: str, where: str = _ALIAS) -> str:
    return f"sum by ({by}) (rate({metric}{{{where}}}[$__rate_interval]))"


def _grown(metric: str, by: str = "", where: str = _ALIAS, span: str = "$__range") -> str:
    group = f" by ({by})" if by else ""
    return f"sum{group} (increase({metric}{{{where}}}[{span}]))"


_TOTAL = "litellm_proxy_total_requests_metric_total"
_FAILED = "litellm_proxy_failed_requests_metric_total"
_LATENCY = "litellm_request_total_latency_metric"
_FIRST = "litellm_llm_api_time_to_first_token_metric"
_GOOD_BAD: tuple[tuple[str, float | None], ...] = (("green", None), ("orange", 1), ("red", 2))
_HITS = 'result=~"hit|near_hit|shared"'
_ASKED = 'result!~"bypass_.*"'

GLANCE = (
    Panel("Requests", (Query(f"sum (rate({_TOTAL}{{{_ALIAS}}}[$__rate_interval]))"),), "reqps",
          "stat", 4, 4),
    Panel(
        "Failed, from 500",
        (
            Query(
                f'sum (rate({_FAILED}{{{_ALIAS}, exception_status=~"5.."}}[$__rate_interval]))'
                f" / sum (rate({_TOTAL}{{{_ALIAS}}}[$__rate_interval]))"
            ),
        ),
        "percentunit", "stat", 4, 4,
        "After all retries and fallbacks.",
        steps=(("green", None), ("orange", 0.01), ("red", 0.05)),
    ),
    Panel("Spent", (Query(_grown("litellm_spend_metric_total")),), "currencyUSD", "stat", 4, 4,
          "In the time that is shown."),
    Panel("Answer, 95 of 100", (Query(_quantile("0.95", _LATENCY)),), "s", "stat", 4, 4),
    Panel(
        "From the cache",
        (
            Query(
                f"{_grown('tiergate_cache_lookups_total', where=f'{_ALIAS}, {_HITS}')}"
                f" / {_grown('tiergate_cache_lookups_total', where=f'{_ALIAS}, {_ASKED}')}"
            ),
        ),
        "percentunit", "stat", 4, 4,
        "Answers without a call of a provider.",
    ),
    Panel("Under way", (Query("sum (litellm_in_flight_requests)"),), "short", "stat", 4, 4),
)  # fmt: skip

TRAFFIC = (
    Panel("Requests by alias", (Query(_rate(_TOTAL, "requested_model"), "{{requested_model}}"),),
          "reqps", stacked=True),
    Panel("Failed requests by class",
          (Query(_rate(_FAILED, "exception_class"), "{{exception_class}}"),), "reqps",
          stacked=True),
    Panel("Requests by status", (Query(_rate(_TOTAL, "status_code"), "{{status_code}}"),),
          "reqps", stacked=True),
    Panel(
        "Time to the end of the answer",
        (
            Query(_quantile("0.5", _LATENCY), "50 of 100"),
            Query(_quantile("0.95", _LATENCY), "95 of 100"),
            Query(_quantile("0.99", _LATENCY), "99 of 100"),
        ),
        "s",
    ),
    Panel("Time to the first content of a stream, 95 of 100",
          (Query(_quantile("0.95", _FIRST, "requested_model"), "{{requested_model}}"),), "s"),
    Panel(
        "Time in the gateway",
        (
            Query(
                "histogram_quantile(0.99, sum by (le) (rate("
                f"litellm_overhead_latency_metric_bucket{{{_SERVED}}}[$__rate_interval])))",
                "until the answer began, 99 of 100",
            ),
            Query(_quantile("0.99", "litellm_request_queue_time_seconds"),
                  "until a deployment was chosen, 99 of 100"),
        ),
        "s",
    ),
)  # fmt: skip

MONEY = (
    Panel("Spent by alias asked, per hour",
          (Query(f"3600 * {_rate('litellm_spend_metric_total', 'requested_model')}",
                 "{{requested_model}}"),),
          "currencyUSD", stacked=True),
    Panel(
        "Budgets: part spent or held",
        (
            Query(
                "max by (scope, name, window)"
                " (tiergate_budget_spent_usd + tiergate_budget_held_usd)"
                " / max by (scope, name, window) (tiergate_budget_limit_usd)",
                "{{scope}} {{name}} ({{window}})",
            ),
        ),
        "percentunit", "bargauge", most=1.0,
        steps=(("green", None), ("orange", 0.8), ("red", 0.9)),
    ),
    Panel(
        "Budgets: forecast by the end of the window, part of the limit",
        (
            Query(
                "max by (scope, name, window) (tiergate_budget_forecast_usd)"
                " / max by (scope, name, window) (tiergate_budget_limit_usd)",
                "{{scope}} {{name}} ({{window}})",
            ),
        ),
        "percentunit", text="Above 100 % the budget will not last its window at this pace.",
    ),
    Panel(
        "Calls by alias that served",
        (
            Query(
                f"{_grown('tiergate_tier_calls_total', 'model_group', _SERVED)}"
                " / ignoring (model_group) group_left ()"
                f" {_grown('tiergate_tier_calls_total', where='')}",
                "{{model_group}}",
            ),
            Query(f"max by (model_group) (tiergate_tier_target_share{{{_SERVED}}})",
                  "{{model_group}}, target"),
        ),
        "percentunit", "bargauge", most=1.0,
        text="The real mix in the time that is shown, beside what it is meant to be.",
    ),
    Panel(
        "Cost by alias that served",
        (
            Query(
                f"{_grown('tiergate_tier_cost_usd_total', 'model_group', _SERVED)}"
                " / ignoring (model_group) group_left ()"
                f" {_grown('tiergate_tier_cost_usd_total', where='')}",
                "{{model_group}}",
            ),
        ),
        "percentunit", "bargauge", most=1.0,
    ),
    Panel(
        "Steps to a dearer alias",
        (
            Query(_grown("tiergate_fallback_upgrades_total", "requested_model, model_group",
                         span="$__rate_interval"),
                  "{{requested_model}} by {{model_group}}"),
            Query(_grown("tiergate_escalations_total", "requested_model, model_group",
                         span="$__rate_interval"),
                  "escalation of {{requested_model}} to {{model_group}}"),
        ),
    ),
)  # fmt: skip

DEPLOYMENTS = (
    Panel("State", (Query("max by (model_id) (litellm_deployment_state)", "{{model_id}}"),),
          "short", "state-timeline", 12,
          text="0 healthy, 1 partly out, 2 out: it cools down in every worker.", steps=_GOOD_BAD),
    Panel("Failed calls by class",
          (Query(_rate("litellm_deployment_failure_responses_total",
                       "model_id, exception_class", _SERVED),
                 "{{model_id}} {{exception_class}}"),), "reqps", width=12),
    Panel("Calls",
          (Query(_rate("litellm_deployment_total_requests_total", "model_id", _SERVED),
                 "{{model_id}}"),), "reqps", stacked=True),
    Panel(
        "Fallbacks",
        (
            Query(_rate("litellm_deployment_successful_fallbacks_total",
                        "requested_model, fallback_model"),
                  "{{requested_model}} by {{fallback_model}}"),
            Query(_rate("litellm_deployment_failed_fallbacks_total",
                        "requested_model, fallback_model"),
                  "{{requested_model}} by {{fallback_model}}, failed"),
        ),
        "reqps",
    ),
    Panel("Cooldowns begun",
          (Query("sum by (model_id, exception_status)"
                 " (increase(litellm_deployment_cooled_down_total[$__rate_interval]))",
                 "{{model_id}} {{exception_status}}"),)),
    Panel("Seconds for each token, half of the calls",
          (Query("histogram_quantile(0.5, sum by (le, model_id) (rate("
                 "litellm_deployment_latency_per_output_token_bucket"
                 f"{{{_SERVED}}}[$__rate_interval])))", "{{model_id}}"),), "s"),
    Panel(
        "Left of the providers' own limits",
        (
            Query(f"min by (model_id) (litellm_remaining_requests_metric{{{_SERVED}}})",
                  "{{model_id}}, requests"),
            Query(f"min by (model_id) (litellm_remaining_tokens_metric{{{_SERVED}}})",
                  "{{model_id}}, tokens"),
        ),
    ),
    Panel("Streams that broke",
          (Query("sum by (model_id) (increase(tiergate_broken_streams_total[$__rate_interval]))",
                 "{{model_id}}"),)),
)  # fmt: skip

CACHES = (
    Panel("Look-ups by what came of them",
          (Query(_rate("tiergate_cache_lookups_total", "result"), "{{result}}"),), "reqps",
          stacked=True),
    Panel(
        "Saved",
        (
            Query(_grown("tiergate_cache_saved_usd_total", "layer"), "{{layer}} cache"),
            Query(_grown("tiergate_prompt_cache_saved_usd_total"), "prompt cache"),
        ),
        "currencyUSD", "stat",
        text="In the time that is shown, against what providers would have charged.",
    ),
    Panel(
        "Prompt tokens from the provider's cache",
        (
            Query(
                f"{_rate('tiergate_prompt_cache_read_tokens_total', 'requested_model')}"
                f" / {_rate('tiergate_prompt_cache_input_tokens_total', 'requested_model')}",
                "{{requested_model}}",
            ),
            Query(
                f"{_rate('tiergate_prompt_cache_expected_read_tokens_total', 'requested_model')}"
                f" / {_rate('tiergate_prompt_cache_expected_tokens_total', 'requested_model')}",
                "{{requested_model}}, of those that were warm",
            ),
        ),
        "percentunit",
    ),
    Panel("Prefixes that have changed, by part of the prompt",
          (Query(_grown("tiergate_prompt_prefix_drifts_total", "requested_model, part",
                        span="$__rate_interval"), "{{requested_model}} {{part}}"),), width=12),
    Panel("Comparisons by meaning",
          (Query(_rate("tiergate_cache_compared_total", "result"), "{{result}}"),), "reqps",
          width=12, stacked=True),
)  # fmt: skip

WHO = (
    Panel("Spent by key",
          (Query("topk(10, " + _grown("litellm_spend_metric_total", "api_key_alias") + ")",
                 "{{api_key_alias}}"),), "currencyUSD", "bargauge"),
    Panel("Spent by team",
          (Query("topk(10, " + _grown("litellm_spend_metric_total", "team_alias") + ")",
                 "{{team_alias}}"),), "currencyUSD", "bargauge"),
    Panel(
        "Left of the budgets of keys and teams",
        (
            Query("bottomk(10, max by (api_key_alias) (litellm_remaining_api_key_budget_metric))",
                  "key {{api_key_alias}}"),
            Query("bottomk(10, max by (team_alias) (litellm_remaining_team_budget_metric))",
                  "team {{team_alias}}"),
        ),
        "currencyUSD", "bargauge",
    ),
)  # fmt: skip

GATEWAY = (
    Panel("Workers", (Query("sum by (state) (tiergate_workers)", "{{state}}"),), width=6),
    Panel("Stores that answer",
          (Query("min by (store) (tiergate_store_up)", "{{store}}"),), kind="state-timeline",
          width=6, steps=(("red", None), ("green", 1))),
    Panel("Age of the oldest call that is not in the ledger",
          (Query("max by (instance) (tiergate_ledger_lag_seconds)", "{{instance}}"),), "s",
          width=6),
    Panel(
        "Records that no callback took",
        (
            Query("sum by (callback_name) (increase("
                  "litellm_callback_logging_failures_metric_total[$__rate_interval]))",
                  "{{callback_name}}, failed"),
            Query("sum by (callback_name) (increase("
                  "tiergate_callback_dropped_records_total[$__rate_interval]))",
                  "{{callback_name}}, too many waited"),
        ),
        width=6,
    ),
    Panel("Looks of guardrails by what came of them",
          (Query("sum by (guardrail_name, status) (rate("
                 "litellm_guardrail_requests_total[$__rate_interval]))",
                 "{{guardrail_name}} {{status}}"),), "reqps", width=12),
    Panel("Time of guardrails, 95 of 100",
          (Query("histogram_quantile(0.95, sum by (le, guardrail_name) (rate("
                 "litellm_guardrail_latency_seconds_bucket[$__rate_interval])))",
                 "{{guardrail_name}}"),), "s", width=12),
)  # fmt: skip

ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    ("At a glance", GLANCE),
    ("Traffic", TRAFFIC),
    ("Money", MONEY),
    ("Deployments", DEPLOYMENTS),
    ("Caches", CACHES),
    ("Keys and teams", WHO),
    ("The gateway", GATEWAY),
)


def board() -> dict[str, object]:
    """Return the board in Grafana's form."""
    panels: list[dict[str, object]] = []
    y = 0
    for title, row in ROWS:
        place = {"h": 1, "w": _WIDTH, "x": 0, "y": y}
        panels.append(
            {"type": "row", "title": title, "gridPos": place, "id": len(panels) + 1,
             "collapsed": False, "panels": []}
        )  # fmt: skip
        y += 1
        x = height = 0
        for panel in row:
            if x + panel.width > _WIDTH:
                x, y, height = 0, y + height, 0
            panels.append(_panel(panel, len(panels) + 1, x, y))
            x, height = x + panel.width, max(height, panel.height)
        y += height
    return {
        "title": "Tiergate",
        "uid": "tiergate",
        "description": "Calls, money, deployments and caches of a Tiergate gateway.",
        "tags": ["tiergate", "llm"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": _variables()},
        "annotations": {"list": []},
        "panels": panels,
    }


def _variables() -> list[dict[str, object]]:
    query = "label_values(tiergate_tier_calls_total, model_group)"
    return [
        {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source"},
        {
            "name": "alias", "type": "query", "label": "Alias", "datasource": _SOURCE,
            "query": {"query": query, "refId": "alias"}, "definition": query, "refresh": 2,
            "includeAll": True, "multi": True, "allValue": ".*", "sort": 1,
            "current": {"text": "All", "value": "$__all"},
        },
    ]  # fmt: skip


def _panel(panel: Panel, number: int, x: int, y: int) -> dict[str, object]:
    defaults: dict[str, object] = {"unit": panel.unit, "min": 0}
    if panel.most is not None:
        defaults["max"] = panel.most
    if panel.steps:
        defaults["thresholds"] = {
            "mode": "absolute",
            "steps": [{"color": color, "value": value} for color, value in panel.steps],
        }
        defaults["color"] = {"mode": "thresholds"}
    if panel.kind == "timeseries":
        defaults["custom"] = {
            "fillOpacity": 20 if panel.stacked else 0,
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
        }
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.text,
        "datasource": _SOURCE,
        "gridPos": {"h": panel.height, "w": panel.width, "x": x, "y": y},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _options(panel),
        "targets": [
            {
                "refId": chr(ord("A") + at),
                "datasource": _SOURCE,
                "expr": query.expr,
                "legendFormat": query.legend or "__auto",
                "instant": panel.kind in ("stat", "bargauge"),
            }
            for at, query in enumerate(panel.queries)
        ],
    }


def _options(panel: Panel) -> dict[str, object]:
    match panel.kind:
        case "stat":
            return {"reduceOptions": {"calcs": ["lastNotNull"]}, "graphMode": "none"}
        case "bargauge":
            return {"reduceOptions": {"calcs": ["lastNotNull"]}, "orientation": "horizontal"}
        case "state-timeline":
            return {"mergeValues": True, "showValue": "never", "rowHeight": 0.8}
        case _:
            return {
                "legend": {"displayMode": "list", "placement": "bottom"},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }


def text() -> str:
    """Return the file's text."""
    return json.dumps(board(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    BOARD.write_text(text(), "utf-8")
