"""What the providers' prompt caches did, as the metrics page shows it."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tiergate.core.prefix_figures import PrefixFigures
from tiergate.telemetry.metrics import Metrics
from tiergate.telemetry.page import Scene, page
from tiergate.telemetry.reports import Others, pack_report, unpack_report

FIGURES = PrefixFigures(
    calls=1, input=10, read=6, written=2, expected=8, expected_read=6, saved=5 * 10**8,
    writes=10**8, lost=3, lost_cost=10**9, drifts={"system": 2, "tool": 1},
)  # fmt: skip


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    return {
        (
            sample.name.removeprefix("tiergate_prompt_"),
            *sorted(sample.labels.values()),
        ): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
        if sample.name.startswith("tiergate_prompt_")
    }


def test_figures_are_summed_by_alias_over_keys_and_workers() -> None:
    one, two = Metrics(), Metrics()
    for metrics, key in ((one, "k1"), (one, "k2"), (two, "k1")):
        metrics.counts.prefixes[key, "cheap", "draft"] = FIGURES
    others = Others((unpack_report(pack_report(two.report())),), serving=2, silent=0, ended=0)
    assert samples(page(one, Scene(others=others))) == {
        ("cache_input_tokens_total", "cheap"): 30,
        ("cache_read_tokens_total", "cheap"): 18,
        ("cache_written_tokens_total", "cheap"): 6,
        ("cache_expected_tokens_total", "cheap"): 24,
        ("cache_expected_read_tokens_total", "cheap"): 18,
        ("cache_lost_tokens_total", "cheap"): 9,
        ("cache_saved_usd_total", "cheap"): 1.5,
        ("cache_writes_usd_total", "cheap"): 0.3,
        ("cache_lost_cost_usd_total", "cheap"): 3.0,
        ("prefix_drifts_total", "cheap", "system"): 6,
        ("prefix_drifts_total", "cheap", "tool"): 3,
    }


def test_a_successor_counts_on() -> None:
    before, after = Metrics(), Metrics()
    before.counts.prefixes["k", "cheap", ""] = FIGURES
    after.inherit(unpack_report(pack_report(before.report())))
    assert after.counts.prefixes["k", "cheap", ""] == FIGURES


def test_without_calls_the_page_has_no_sample() -> None:
    assert samples(page(Metrics(), Scene())) == {}
