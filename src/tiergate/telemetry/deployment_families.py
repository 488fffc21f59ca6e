"""The Prometheus families of deployments and fallbacks; names and labels are LiteLLM's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tiergate.base.money import NANO
from tiergate.core.catalog import Deployment
from tiergate.core.metrics_plan import MetricsPlan
from tiergate.telemetry import series_labels as labels
from tiergate.telemetry.counts import ANYBODY, Counts, Names, SeriesKey
from tiergate.telemetry.exposition import Family, counter, gauge
from tiergate.telemetry.moment import Moment
from tiergate.telemetry.series_labels import Labels, known_of, with_added, with_identity


def answer_families(counts: Counts, plan: MetricsPlan) -> Iterator[Family]:
    """Yield the calls to deployments, by how they ended."""
    usual = with_identity(labels.ANSWERS, plan)
    bad = with_identity((*labels.ANSWERS, *labels.EXCEPTION), plan)
    total = counter("litellm_deployment_total_requests", "Calls to a deployment", usual.names)
    good = counter("litellm_deployment_success_responses", "Answers of a deployment", usual.names)
    failed = counter(
        "litellm_deployment_failure_responses",
        "Failed calls to a deployment, by status and class",
        bad.names,
    )
    old = with_added((*labels.WHO, *labels.MODEL), plan)
    deprecated = counter(
        "litellm_llm_api_failed_requests_metric",
        "Failed calls to models; deprecated, use litellm_deployment_failure_responses",
        old.names,
    )
    for key, series in counts.series.items():
        if not (series.served or series.attempts):
            continue
        known = known_of(key.who, key.asked, key.names, plan)
        answers = sum(served.answers for served in series.served.values())
        failures = sum(series.attempts.values())
        if series.served:
            good.add(usual.take(known), answers)
        total.add(usual.take(known), answers + failures)
        if failures:
            deprecated.add(old.take(known), failures)
        for (status, kind), number in series.attempts.items():
            known.update(exception_status=_status(status), exception_class=kind)
            failed.add(bad.take(known), number)
    yield from (total, good, failed, deprecated)


def fallback_families(counts: Counts, plan: MetricsPlan) -> Iterator[Family]:
    """Yield the steps to other aliases, and what they led to."""
    wanted = with_added((*labels.FALLBACK, *labels.EXCEPTION), plan)
    good = counter(
        "litellm_deployment_successful_fallbacks",
        "Requests that another alias than the asked one served, by the failure before",
        wanted.names,
    )
    bad = counter(
        "litellm_deployment_failed_fallbacks",
        "Other aliases than the asked one that were tried and failed, by their failure",
        wanted.names,
    )
    for key, series in counts.series.items():
        if not (series.steps or series.missteps):
            continue
        known = known_of(key.who, key.asked, key.names, plan)
        for family, numbers in ((good, series.steps), (bad, series.missteps)):
            for (status, kind), number in numbers.items():
                known.update(exception_status=_status(status), exception_class=kind)
                family.add(wanted.take(known), number)
    yield from (good, bad)


def state_families(
    counts: Counts, plan: MetricsPlan, deployments: Iterable[Deployment], moment: Moment
) -> Iterator[Family]:
    """Yield how deployments stand, and what limits they have.

    Args:
        counts: What was counted.
        plan: What the configuration says of the page.
        deployments: Those of the configuration.
        moment: How the workers see them.
    """
    plain = Labels.of(labels.DEPLOYMENT)
    state = gauge(
        "litellm_deployment_state",
        "0 healthy, 1 partial outage, 2 out: it cools down in every worker",
        plain.names,
    )
    grouped = Labels.of(("model_group", *labels.DEPLOYMENT))
    tpm = gauge("litellm_deployment_tpm_limit", "Tokens per minute that are let go", grouped.names)
    rpm = gauge(
        "litellm_deployment_rpm_limit", "Requests per minute that are let go", grouped.names
    )
    standing = gauge(
        "tiergate_deployments",
        "Deployments of an alias, by how they stand",
        ("model_group", "api_provider", "state"),
    )
    for deployment in deployments:
        names = Names.of(deployment)
        if deployment.off is not None:
            standing.add((names.alias, names.provider, "off"), 1)
            continue
        known = known_of(ANYBODY, "", names, plan)
        health = moment.health(names)
        state.numbers[plain.take(known)] = health.value
        standing.add((names.alias, names.provider, health.name.lower()), 1)
        if deployment.tpm is not None:
            tpm.add(grouped.take(known), deployment.tpm)
        if deployment.rpm is not None:
            rpm.add(grouped.take(known), deployment.rpm)
    yield from (state, standing, tpm, rpm)
    yield from _event_families(counts, plan)


def _event_families(counts: Counts, plan: MetricsPlan) -> Iterator[Family]:
    """Yield cooldowns, broken streams, and what providers say of their own limits."""
    cooled_labels = Labels.of((*labels.DEPLOYMENT, "exception_status"))
    cooled = counter("litellm_deployment_cooled_down", "Cooldowns begun", cooled_labels.names)
    for (names, status), number in counts.cooldowns.items():
        known = known_of(ANYBODY, "", names, plan)
        known["exception_status"] = _status(status)
        cooled.add(cooled_labels.take(known), number)
    plain = Labels.of(labels.DEPLOYMENT)
    broken = counter(
        "tiergate_broken_streams", "Streams that broke after their first content", plain.names
    )
    for names, number in counts.broken.items():
        broken.add(plain.take(known_of(ANYBODY, "", names, plan)), number)
    left_labels = Labels.of(labels.OVERHEAD)
    requests = gauge(
        "litellm_remaining_requests_metric",
        "Requests that the provider still lets go, as it said last",
        left_labels.names,
    )
    tokens = gauge(
        "litellm_remaining_tokens_metric",
        "Tokens that the provider still lets go, as it said last",
        left_labels.names,
    )
    for names, left in counts.left.items():
        values = left_labels.take(known_of(ANYBODY, "", names, plan))
        if left.requests is not None:
            requests.numbers[values] = left.requests
        if left.tokens is not None:
            tokens.numbers[values] = left.tokens
    yield from (cooled, broken, requests, tokens)


def tier_families(counts: Counts, shares: Iterable[tuple[str, float]]) -> Iterator[Family]:
    """Yield what part each alias has in the calls and in their cost, and what it is meant to.

    Args:
        counts: What was counted.
        shares: The part of all calls that an alias is meant to have, from 0 to 1.
    """
    alias, pair = ("model_group",), ("requested_model", "model_group")
    calls = counter("tiergate_tier_calls", "Answers of an alias, whoever asked for it", alias)
    costs = counter("tiergate_tier_cost_usd", "What they cost, USD", alias)
    target = gauge("tiergate_tier_target_share", "The part of all calls it is meant for", alias)
    for key, series in counts.series.items():
        if _served_by_somebody(key) and series.served:
            values = (key.names.alias,)
            calls.add(values, sum(each.answers for each in series.served.values()))
            costs.add(values, sum(each.cost for each in series.served.values()) / NANO)
    for name, share in shares:
        target.add((name,), share)
    escalations = counter(
        "tiergate_escalations", "Calls that a fallback brought to the escalation alias", pair
    )
    upgrades = counter(
        "tiergate_fallback_upgrades", "Answers of a dearer alias than the asked one", pair
    )
    dear = counter("tiergate_fallback_upgrade_cost_usd", "What these answers cost, USD", pair)
    for family, numbers, unit in (
        (escalations, counts.escalations, 1),
        (upgrades, counts.upgrades, 1),
        (dear, counts.upgrade_costs, NANO),
    ):
        for both, number in numbers.items():
            family.add(both, number / unit)
    yield from (calls, costs, target, escalations, upgrades, dear)


def _served_by_somebody(key: SeriesKey) -> bool:
    return bool(key.names.id)


def _status(status: int) -> str:
    """Return a status as a label; empty where nothing was answered because nobody was asked."""
    return str(status) if status else ""
