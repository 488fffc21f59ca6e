"""What the cache has found and saved, as the metrics page shows it."""

from __future__ import annotations

from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from support.metrics_page import KEY
from support.records import SERVED
from tiergate.base.values import Dialect, NanoUsd, Operation, Usage
from tiergate.core.record import Outcome
from tiergate.ports import Inbound
from tiergate.telemetry.cache_families import cache_families
from tiergate.telemetry.counts import Counts
from tiergate.telemetry.metrics import Metrics
from tiergate.telemetry.page import Scene, page
from tiergate.wire.members import Members

HIT = replace(
    SERVED,
    cache="response",
    cost=NanoUsd(0),
    saving=1_500_000,
    usage=Usage(input=10, output=5),
)

ASKING = Inbound(
    call_id="c", received=0.0, wall=0.0, dialect=Dialect.OPENAI, operation=Operation.CHAT,
    asked="cheap", alias="cheap", stream=False, include_usage=False, caller=KEY,
    members=Members.read(b"{}"),
)  # fmt: skip


def told(metrics: Metrics) -> dict[str, float]:
    """Each sample that is not 0, by name and by the labels that say something."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(page(metrics, Scene()).decode()):
        for sample in family.samples:
            if sample.value:
                said = ",".join(v for _, v in sorted(sample.labels.items()) if v)
                found[f"{sample.name}{{{said}}}"] = sample.value
    return found


def test_a_hit_counts_with_its_tokens_and_its_saving():
    metrics = Metrics()
    for _ in range(2):
        metrics.began()
        metrics.ended(HIT)
    found = told(metrics)
    who = f"{HIT.deployment.provider},{HIT.deployment.model},{HIT.deployment.id},{HIT.asked}"
    assert found[f"litellm_cache_hits_metric_total{{{who}}}"] == 2
    assert found[f"litellm_cached_tokens_metric_total{{{who}}}"] == 30
    saved = f"{HIT.deployment.provider},response,{HIT.deployment.id},{HIT.asked}"
    assert found[f"tiergate_cache_saved_usd_total{{{saved}}}"] == 0.003


def test_a_hit_is_no_call_of_a_deployment_and_no_spend():
    metrics = Metrics()
    metrics.began()
    metrics.ended(HIT)
    names = {name.partition("{")[0] for name in told(metrics)}
    assert "litellm_proxy_total_requests_metric_total" in names
    assert (
        not {
            "litellm_deployment_success_responses_total",
            "litellm_spend_metric_total",
            "litellm_input_tokens_metric_total",
        }
        & names
    )


def test_a_broken_answer_has_saved_nothing():
    metrics = Metrics()
    metrics.began()
    metrics.ended(replace(HIT, outcome=Outcome.FAILURE))
    assert not any("saved" in name or "hits" in name for name in told(metrics))


def test_look_ups_count_by_what_came_of_them():
    metrics = Metrics()
    for result in ("miss", "miss", "miss_down", "hit", "bypass_off"):
        metrics.looked_up(ASKING, result)
    found = told(metrics)
    who = f"bot,{KEY.key},cheap,t1,core,u1"
    assert found[f"litellm_cache_misses_metric_total{{{who}}}"] == 3
    assert found["tiergate_cache_lookups_total{cheap,miss_down}"] == 1
    assert found["tiergate_cache_lookups_total{cheap,miss}"] == 2
    assert found["tiergate_cache_lookups_total{cheap,bypass_off}"] == 1


def test_without_a_cache_the_families_are_there_and_empty():
    families = list(cache_families(Counts()))
    assert len(families) == 6
    assert not any(family.numbers for family in families)
