"""A gateway put together: it answers, its figures agree, and a reload swaps what it should."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.attempts import deployment, general, settings
from support.engine import budget
from support.running import at, call, gateway
from tiergate.base.values import Dialect, Secret
from tiergate.core.catalog import Access, RouterPolicy, ScopeKind
from tiergate.core.sink_plan import SinkPlan, SinkPlans, WebhookPlace
from tiergate.mock import Fail, MockServer, Rule

CHAT = {"model": "cheap", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}


def tiers():
    return (
        deployment("cheap", "a", model="claude-haiku-4-5", api_key=Secret("sk-secret-a-123456")),
        deployment("balanced", "b", model="claude-sonnet-4-6", api_key=Secret("sk-secret-b")),
    )


@contextlib.asynccontextmanager
async def house(policy: RouterPolicy | None = None, on_loopback: bool = True, **more):
    async with MockServer() as mock:
        made = gateway(
            settings(
                at(mock, tiers()),
                policy or RouterPolicy(num_retries=0, chains=general(cheap="balanced")),
                **more,
            ),
            on_loopback=on_loopback,
        )
        try:
            yield made, mock
        finally:
            await made.aclose()


def webhook(url: str) -> SinkPlans:
    plan = SinkPlan(name="generic_api", place=WebhookPlace(url=url))
    return SinkPlans(sinks=(plan,))


def total(page: bytes, name: str, **labels: str) -> float:
    return sum(
        sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions"])
@pytest.mark.parametrize("stream", [True, False])
async def test_both_protocols_are_answered_plain_and_streamed(path, stream):
    async with house() as (made, mock):
        proto = await call(made, path, {**CHAT, "stream": stream})

        assert proto.status == 200, proto.data
        assert b'"model":"cheap"' in proto.data
        assert b'"model":"claude' not in proto.data
        assert mock.calls[0].model == "claude-haiku-4-5"
        assert made.in_flight() == 0


async def test_headers_budgets_metrics_and_spend_tell_the_same_sum():
    async with house(budgets=(budget(10**12), budget(10**12, ScopeKind.ALIAS, "cheap"))) as (
        made,
        mock,
    ):
        told = 0.0
        for _ in range(3):
            proto = await call(made, "/v1/messages", CHAT)
            told += float(proto.header("x-litellm-response-cost"))
        mock.use([Rule((Fail(status=500, message="down"),), model="claude-haiku*")])
        proto = await call(made, "/v1/messages", CHAT)
        assert proto.header("x-litellm-model-group") == "balanced"
        told += float(proto.header("x-litellm-response-cost"))
        await call(made, "/v1/messages", {**CHAT, "stream": True, "model": "balanced"})

        page = (await call(made, "/metrics")).data
        spend = (await call(made, "/spend")).json
        budgets = (await call(made, "/budgets")).json["budgets"]

    assert told > 0
    assert total(page, "litellm_spend_metric_total") == pytest.approx(spend["spend"])
    assert spend["spend"] > told, "a stream's cost is in no header"
    assert budgets[0]["spent_usd"] == spend["spend"]
    assert 0 < budgets[1]["spent_usd"] < spend["spend"], "a fallback counts where it served"
    assert [row["held_usd"] for row in budgets] == [0, 0]
    assert total(page, "tiergate_budget_spent_usd", scope="gateway") == spend["spend"]


async def test_nothing_shown_holds_a_key():
    async with house() as (made, mock):
        mock.use([Rule((Fail(status=401, message="bad key sk-secret-a-123456"),))])
        shown = [await call(made, "/v1/messages", CHAT)]
        for path in ("/v1/model/info", "/health", "/metrics", "/health/readiness", "/budgets"):
            shown.append(await call(made, path))

        for proto in shown:
            assert b"secret" not in proto.data
            assert "secret" not in str(proto.headers)


async def test_a_failing_deployment_cools_and_the_health_route_says_so():
    policy = RouterPolicy(num_retries=0, allowed_fails=0, cooldown_time=60.0)
    async with house(policy) as (made, mock):
        mock.use([Rule((Fail(status=500, message="down"),), model="claude-haiku*")])
        assert (await call(made, "/v1/messages", CHAT)).status == 500
        assert (await call(made, "/v1/messages", CHAT)).status == 429

        found = (await call(made, "/health")).json
        assert [one["state"] for one in found["unhealthy_endpoints"]] == ["cooling"]
        assert found["healthy_count"] == 1


@pytest.mark.parametrize(
    ("auth", "on_loopback", "status"),
    [(None, True, 200), (None, False, 401), (True, True, 401), (False, False, 200)],
)
async def test_metrics_are_open_on_loopback_else_guarded_unless_the_file_says_otherwise(
    auth, on_loopback, status
):
    access = Access(master_key=Secret("sk-master-0123456789"), metrics_auth=auth)
    async with house(on_loopback=on_loopback, access=access) as (made, _):
        assert (await call(made, "/metrics")).status == status


async def test_a_reload_swaps_the_aliases_and_keeps_what_was_learnt():
    policy = RouterPolicy(num_retries=0, allowed_fails=0, cooldown_time=60.0)
    async with house(policy, budgets=(budget(10**12),)) as (made, mock):
        await call(made, "/v1/messages", {**CHAT, "model": "balanced"})
        mock.use([Rule((Fail(status=500, message="down"),), model="claude-haiku*")])
        await call(made, "/v1/messages", CHAT)
        spent = (await call(made, "/spend")).json["spend"]

        new = deployment("fresh", "c", model="claude-haiku-4-5", api_base=mock.url)
        old = made.serving.settings.deployments[0]
        made.reload(settings((old, new), policy, budgets=(budget(10**12),)))

        assert [m["id"] for m in (await call(made, "/v1/models")).json["data"]] == [
            "cheap",
            "fresh",
        ]
        assert (await call(made, "/v1/messages", {**CHAT, "model": "balanced"})).status == 400
        assert (await call(made, "/v1/messages", CHAT)).status == 429, "it still cools"
        assert (await call(made, "/budgets")).json["budgets"][0]["spent_usd"] == spent

        made.reload(settings((new,), policy))
        made.reload(settings((old, new), policy))
        mock.use([])
        assert (await call(made, "/v1/messages", CHAT)).status == 200, "a mark went with its owner"


async def test_a_request_under_way_ends_under_the_old_configuration():
    async with house() as (made, mock):
        task = asyncio.ensure_future(
            call(made, "/v1/messages", {**CHAT, "messages": [{"role": "user", "content": "x"}]})
        )
        await asyncio.sleep(0)
        made.reload(settings(at(mock, (deployment("other", "o", model="claude-haiku-4-5"),))))
        assert (await task).status == 200


async def test_a_configuration_that_cannot_be_built_leaves_the_old_one():
    async with house() as (made, mock):
        unpriced = deployment("x", "x", model="nobody-knows", provider="openai",
                              dialect=Dialect.OPENAI, api_base=mock.url)  # fmt: skip
        with pytest.raises(ValueError, match="no price"):
            made.reload(settings((unpriced,), budgets=(budget(1),)))
        assert (await call(made, "/v1/messages", CHAT)).status == 200


async def test_a_webhook_gets_its_records_at_the_latest_when_the_gateway_ends():
    got: list[list] = []

    async def sink(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        got.append(json.loads(await reader.readexactly(length)))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(sink, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/in"
    try:
        async with house(sinks=webhook(url)) as (made, _):
            await call(made, "/v1/messages", CHAT)
    finally:
        server.close()
        await server.wait_closed()

    assert [record["model_group"] for record in got[0]] == ["cheap"]


async def test_records_that_a_callback_lost_are_in_the_metrics():
    async with house(sinks=webhook("http://127.0.0.1:1/none")) as (made, _):
        await call(made, "/v1/messages", CHAT)
        await made._sinks.aclose()
        page = (await call(made, "/metrics")).data
        name = {"callback_name": "generic_api"}
        assert total(page, "tiergate_callback_dropped_records_total", **name) == 1
        assert total(page, "litellm_callback_logging_failures_metric_total", **name) == 1


def test_ids_are_fresh_and_have_their_start():
    made = gateway(settings(tiers()))
    ids = {made.new_id("msg_") for _ in range(100)}
    assert len(ids) == 100
    assert all(one.startswith("msg_") for one in ids)
    assert not ids & {gateway(settings(tiers())).new_id("msg_")}
