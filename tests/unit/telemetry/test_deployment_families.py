"""Deployments, fallbacks, and the part of each alias in calls and cost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.attempts import deployment, settings
from support.metrics_page import shown, value
from support.records import DEPLOYMENT, FAILURE, SERVED
from tiergate.base.values import NanoUsd
from tiergate.telemetry.counts import Names
from tiergate.telemetry.metrics import Metrics
from tiergate.telemetry.moment import Health, Moment
from tiergate.telemetry.page import Scene
from tiergate.telemetry.reports import Others

LIMITED = deployment("cheap", "dep-a", provider="openai", rpm=60, tpm=9000)
OFF = deployment("cheap", "dep-z", provider="openai", off="another environment")


def of(*deployments, shares=()) -> Metrics:
    metrics = Metrics()
    metrics.configure(replace(settings(deployments), traffic_shares=shares))
    return metrics


def seeing(health: Health) -> Moment:
    moment = Moment()
    moment.see(Names.of(LIMITED), health)
    return moment


@pytest.mark.parametrize("health", list(Health))
def test_the_state_of_a_deployment_is_litellms_figure(health):
    scene = Scene(moment=seeing(health))
    assert value(of(LIMITED), "litellm_deployment_state", scene) == health.value
    standing = shown(of(LIMITED), scene)["tiergate_deployments"]
    assert [(s.labels["state"], s.value) for s in standing] == [(health.name.lower(), 1)]


def test_a_deployment_is_partly_out_where_one_worker_of_two_sees_it_out():
    other = of(LIMITED).report(moment=seeing(Health.OUT))
    scene = Scene(
        moment=seeing(Health.HEALTHY), others=Others((other,), serving=2, silent=0, ended=0)
    )
    assert value(of(LIMITED), "litellm_deployment_state", scene) == 1


def test_a_deployment_that_is_off_has_no_state_but_is_told():
    found = shown(of(OFF))
    assert "litellm_deployment_state" not in found
    assert found["tiergate_deployments"][0].labels["state"] == "off"


def test_limits_are_shown_where_there_are_any():
    metrics = of(LIMITED, DEPLOYMENT)
    assert value(metrics, "litellm_deployment_rpm_limit", model_group="cheap") == 60
    assert value(metrics, "litellm_deployment_tpm_limit", model_group="cheap") == 9000
    assert len(shown(metrics)["litellm_deployment_rpm_limit"]) == 1


def test_calls_to_a_deployment_are_its_answers_and_its_failures():
    metrics = of(DEPLOYMENT)
    metrics.ended(replace(SERVED, failed=[(DEPLOYMENT, FAILURE), (LIMITED, FAILURE)]))
    name = "litellm_deployment_total_requests_total"
    assert value(metrics, name, model_id="dep-b") == 2
    assert value(metrics, name, model_id="dep-a") == 1


def test_the_mix_is_by_the_alias_that_served_beside_what_it_is_meant_to_be():
    metrics = of(LIMITED, DEPLOYMENT, shares=(("cheap", 0.7), ("balanced", 0.25)))
    metrics.ended(SERVED)
    metrics.ended(replace(SERVED, deployment=LIMITED, cost=NanoUsd(10**9)))
    metrics.ended(replace(SERVED, deployment=LIMITED, cost=NanoUsd(10**9)))

    assert value(metrics, "tiergate_tier_calls_total", model_group="cheap") == 2
    assert value(metrics, "tiergate_tier_calls_total", model_group="balanced") == 1
    assert value(metrics, "tiergate_tier_cost_usd_total", model_group="cheap") == 2.0
    assert value(metrics, "tiergate_tier_target_share", model_group="cheap") == 0.7


def test_an_answer_from_a_cache_is_no_part_of_the_mix():
    metrics = of(DEPLOYMENT)
    metrics.ended(replace(SERVED, cache="response"))
    assert value(metrics, "tiergate_tier_calls_total") == 0
