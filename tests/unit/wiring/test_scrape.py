"""What a scrape shows, collected from the parts of a whole gateway."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.attempts import deployment, settings
from support.engine import budget
from support.metrics_page import samples_of
from support.running import at, call, gateway
from tiergate.base.errors import FailureClass
from tiergate.base.values import Secret
from tiergate.core.catalog import Access
from tiergate.core.cooldown import CLEAN, Mark
from tiergate.mock import MockServer
from tiergate.telemetry.moment import Health
from tiergate.wiring.scrape import health_of

CHEAP = deployment("cheap", "a", model="claude-haiku-4-5")
MONTHLY = replace(budget(10**12), window="monthly", period="calendar:month")
MASTER = "sk-master-6fK2pWq9"
CHAT = {"model": "cheap", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize(
    ("mark", "health"),
    [
        (CLEAN, Health.HEALTHY),
        (Mark(until=200.0), Health.OUT),
        (Mark(until=50.0), Health.PARTIAL),
        (Mark(until=50.0, probe_until=150.0), Health.PARTIAL),
        (Mark(fails=((90.0, FailureClass.TIMEOUT),)), Health.PARTIAL),
        (Mark(fails=((10.0, FailureClass.TIMEOUT),)), Health.HEALTHY),
    ],
)
def test_a_mark_says_how_a_deployment_is(mark, health):
    assert health_of(mark, 100.0) is health


async def scraped(made, **headers: str):
    proto = await call(made, "/metrics", headers=headers)
    assert proto.status == 200
    return samples_of(proto.data, openmetrics="accept" in headers)


async def test_a_scrape_shows_calls_budgets_stores_and_the_ledger():
    async with MockServer() as mock:
        made = gateway(settings(at(mock, (CHEAP,)), budgets=(MONTHLY,)))
        assert (await call(made, "/v1/messages", CHAT)).status == 200
        page = await scraped(made)
        await made.aclose()
    assert page["litellm_proxy_total_requests_metric_total"][0].value == 1
    assert page["litellm_deployment_state"][0].value == 0
    assert page["tiergate_budget_limit_usd"][0].value == 1000.0
    assert page["tiergate_budget_forecast_usd"][0].value > 0
    stores = {s.labels["store"]: s.value for s in page["tiergate_store_up"]}
    assert stores == {"budgets": 1, "rate_limits": 1}
    assert page["tiergate_ledger_waiting_records"][0].value == 0


async def test_openmetrics_names_the_call_as_an_example():
    async with MockServer() as mock:
        made = gateway(settings(at(mock, (CHEAP,))))
        answer = await call(made, "/v1/messages", CHAT)
        page = await scraped(made, accept="application/openmetrics-text")
        await made.aclose()
    examples = [s.exemplar for s in page["litellm_request_total_latency_metric_bucket"]]
    (example,) = [each for each in examples if each is not None]
    assert example.labels == {"call_id": answer.header("x-litellm-call-id")}


async def test_the_budget_of_a_virtual_key_is_shown_with_its_calls():
    async with MockServer() as mock:
        closed = replace(settings(at(mock, (CHEAP,))), access=Access(master_key=Secret(MASTER)))
        made = gateway(closed)
        admin = {"authorization": f"Bearer {MASTER}"}
        asked = {"max_budget": 5, "key_alias": "bot"}
        key = (await call(made, "/key/generate", asked, headers=admin)).json
        bearer = {"authorization": f"Bearer {key['key']}"}
        assert (await call(made, "/v1/messages", CHAT, headers=bearer)).status == 200
        page = await scraped(made)
        await made.aclose()
    (most,) = page["litellm_api_key_max_budget_metric"]
    (left,) = page["litellm_remaining_api_key_budget_metric"]
    assert most.value == 5.0
    assert 0 < left.value < 5.0
    whose = {"hashed_api_key": key["token"], "api_key_alias": "bot"}
    assert left.labels == whose
    spend = [s for s in page["litellm_spend_metric_total"] if s.value]
    assert [s.labels.items() >= whose.items() for s in spend] == [True]
