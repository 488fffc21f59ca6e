"""Sinks of all kinds at once are told of real calls; one that is in trouble troubles nobody."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import obstore
import pytest
import pytest_asyncio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from support import openai_wire
from support.exchange import json_reply
from support.s3 import S3Server, running_s3
from support.shapes import CHAT, MESSAGES, minimal
from support.stage import (
    ANTHROPIC_ALIAS,
    KEY,
    OPENAI_ALIAS,
    PROVIDER_KEY,
    Providers,
    gateway_of,
    usual,
    with_settings,
)
from support.upstream import Upstream
from tiergate.base.jsontypes import JsonObject
from tiergate.stores.answers_s3 import open_bucket

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

WORDS = "the caller's own words"
SAID = [{"role": "user", "content": WORDS}]
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = ("traceparent", f"00-{TRACE}-b7ad6b7169203331-01")

LOGGER = """
import json
from pathlib import Path

from litellm.integrations.custom_logger import CustomLogger


class Logger(CustomLogger):
    def note(self, *row):
        with Path("logged.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\\n")

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        payload = kwargs["standard_logging_object"]
        text = json.dumps(response_obj.model_dump())
        self.note("good", kwargs["messages"], text, payload["id"], payload["response_cost"])

    async def async_log_failure_event(self, kwargs, response_obj, start_time, end_time):
        self.note("bad", kwargs["messages"], str(kwargs["exception"]), kwargs["litellm_call_id"])

    async def async_post_call_failure_hook(
        self, request_data, original_exception, user_api_key_dict, traceback_str=None
    ):
        self.note("hook", request_data["model"], original_exception.status_code)


instance = Logger()
"""

SLEEPS = """
import time
from pathlib import Path


class Sleeps:
    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        Path("asleep").touch()
        time.sleep(10_000)

    def log_failure_event(self, kwargs, response_obj, start_time, end_time):
        time.sleep(10_000)


instance = Sleeps()
"""


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_s3(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def door() -> AsyncIterator[Upstream]:
    """Where traces go."""
    async with Upstream("door") as running:
        running.script(json_reply({}))
        yield running


def spans_at(door: Upstream, path: str) -> list[Span]:
    found: list[Span] = []
    for request in door.requests:
        if request.path == path:
            message = ExportTraceServiceRequest.FromString(request.body)
            for resource in message.resource_spans:
                for scope in resource.scope_spans:
                    found += scope.spans
    return found


def values(span: Span) -> dict[str, object]:
    read = {
        "string_value": lambda v: v.string_value,
        "int_value": lambda v: v.int_value,
        "double_value": lambda v: v.double_value,
        "bool_value": lambda v: v.bool_value,
        "array_value": lambda v: [item.string_value for item in v.array_value.values],
    }
    return {each.key: read[each.value.WhichOneof("value")](each.value) for each in span.attributes}


async def until(what: str, true) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end, what
        await asyncio.sleep(0.02)


def lines(path: Path) -> list:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def everything(providers: Providers, bucket: S3Server) -> JsonObject:
    """A gateway that tells sinks of all kinds."""
    settings: JsonObject = {
        "callbacks": ["langfuse", "otel", "s3_v2", "file", "logger_of_ours.instance"],
        "s3_callback_params": {
            "s3_bucket_name": bucket.BUCKET,
            "s3_endpoint_url": bucket.url,
            "s3_region_name": "us-east-1",
            "s3_aws_access_key_id": "any",
            "s3_aws_secret_access_key": "secret-of-the-tests",
            "s3_path": "calls",
        },
    }
    config = with_settings(usual(providers), litellm_settings=settings)
    config["callback_settings"] = {
        "file": {"path": "calls.jsonl"},
        "s3_v2": {"message_logging": True},
    }
    return config


def environ(door: Upstream) -> dict[str, str]:
    return {
        "LANGFUSE_PUBLIC_KEY": "pk-of-fuse",
        "LANGFUSE_SECRET_KEY": "sk-of-fuse-0123456789",
        "LANGFUSE_HOST": door.url,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"{door.url}/collector",
    }


async def test_all_sinks_are_told_of_plain_streamed_and_failed_calls(
    providers: Providers, bucket: S3Server, door: Upstream, folder: Path
) -> None:
    providers.reset()
    (folder / "logger_of_ours.py").write_text(LOGGER)
    gateway = gateway_of(everything(providers, bucket), folder, env=environ(door))
    async with gateway:
        plain = await gateway.post(
            CHAT, minimal(CHAT, OPENAI_ALIAS, messages=SAID), headers=[PARENT]
        )
        streamed = await gateway.post(
            MESSAGES, minimal(MESSAGES, ANTHROPIC_ALIAS, messages=SAID, stream=True)
        )
        crossed = await gateway.post(
            CHAT, minimal(CHAT, ANTHROPIC_ALIAS, messages=SAID, stream=True)
        )
        providers.openai.script(openai_wire.error_reply(500, "server_error", "Oh."))
        failed = await gateway.post(CHAT, minimal(CHAT, OPENAI_ALIAS, messages=SAID))
        asked = [each.header("x-litellm-call-id") for each in (plain, streamed, crossed, failed)]
        assert await gateway.stop() == 0, "what waits is told at the end"

    # Langfuse: words, tokens and cost of each call.
    fuse = [values(span) for span in spans_at(door, "/api/public/otel/v1/traces")]
    assert [each["langfuse.observation.metadata.call_id"] for each in fuse] == asked
    assert all(WORDS in str(each["langfuse.observation.input"]) for each in fuse)
    answers = [str(each.get("langfuse.observation.output")) for each in fuse]
    assert "from openai" in answers[0]
    assert "from anthropic" in answers[1]
    assert "from anthropic" in answers[2], "a stream is put together"
    assert fuse[3]["langfuse.observation.level"] == "ERROR"
    login = [request.header("authorization") for request in door.requests]
    assert "Basic cGstb2YtZnVzZTpzay1vZi1mdXNlLTAxMjM0NTY3ODk=" in login

    # OpenTelemetry: the caller's trace, attempts below, no words.
    otel = spans_at(door, "/collector/v1/traces")
    roots = [span for span in otel if span.kind == Span.SPAN_KIND_SERVER]
    assert len(roots) == 4
    assert roots[0].trace_id.hex() == TRACE
    assert roots[0].parent_span_id.hex() == "b7ad6b7169203331"
    attempts = [span for span in otel if span.parent_span_id == roots[0].span_id]
    assert [values(span)["gen_ai.provider.name"] for span in attempts] == ["openai"]
    assert values(roots[0])["gen_ai.usage.input_tokens"] == 10
    assert roots[3].status.code == 2
    assert WORDS not in str(otel)

    # The file: without words. The bucket: with them, since its options say so.
    records = lines(folder / "calls.jsonl")
    assert [record["id"] for record in records] == asked
    assert WORDS not in (folder / "calls.jsonl").read_text()
    store = open_bucket(bucket.plan(), 5.0)
    keys = [item["path"] async for page in obstore.list(store, "calls/") for item in page]
    assert len(keys) == 4
    objects = [json.loads(bytes((await obstore.get_async(store, key)).bytes())) for key in keys]
    assert sorted(each["id"] for each in objects) == sorted(asked)
    assert all(each["messages"] == SAID for each in objects)

    # The class, which believes that LiteLLM is there.
    logged = lines(folder / "logged.jsonl")
    good = [row for row in logged if row[0] == "good"]
    assert [row[3] for row in good] == asked[:3]
    assert all(row[1] == SAID for row in good)
    assert "from anthropic" in good[1][2]
    assert good[0][4] == pytest.approx(float(plain.header("x-litellm-response-cost") or 0))
    assert [row[0] for row in logged if row[0] != "good"] == ["bad", "hook"]

    everywhere = json.dumps([records, objects, logged, [str(each) for each in fuse], str(otel)])
    for hidden in (KEY, PROVIDER_KEY, "sk-of-fuse"):
        assert hidden not in everywhere
        assert hidden not in gateway.output


async def test_a_call_can_keep_out_of_sinks_and_hide_its_words(
    providers: Providers, door: Upstream, folder: Path
) -> None:
    providers.reset()
    config = with_settings(usual(providers), litellm_settings={"callbacks": ["langfuse", "file"]})
    config["callback_settings"] = {"file": {"path": "calls.jsonl", "message_logging": True}}
    gateway = gateway_of(config, folder, env=environ(door))
    body = minimal(CHAT, OPENAI_ALIAS, messages=SAID)
    async with gateway:
        off = await gateway.post(CHAT, body, headers=[("x-litellm-disable-callbacks", "Langfuse")])
        hidden = await gateway.post(
            CHAT, body, headers=[("x-litellm-enable-message-redaction", "true")]
        )
        silent = await gateway.post(CHAT, {**body, "no-log": True})
        await gateway.stop()

    fuse = [values(s) for s in spans_at(door, "/api/public/otel/v1/traces")]
    call_ids = [each["langfuse.observation.metadata.call_id"] for each in fuse]
    assert call_ids == [hidden.header("x-litellm-call-id")]
    assert "langfuse.observation.input" not in fuse[0]
    first, second = lines(folder / "calls.jsonl")
    assert first["id"] == off.header("x-litellm-call-id")
    assert first["messages"] == SAID
    assert (second["id"], second["messages"]) == (hidden.header("x-litellm-call-id"), None)
    assert silent.status == 200
    assert all(b"no-log" not in request.body for request in providers.openai.requests)


async def test_a_class_that_sleeps_for_ever_stops_neither_calls_nor_the_end(
    providers: Providers, folder: Path
) -> None:
    providers.reset()
    (folder / "sleeps.py").write_text(SLEEPS)
    config = with_settings(
        usual(providers), litellm_settings={"callbacks": ["sleeps.instance", "file"]}
    )
    config["callback_settings"] = {"file": {"path": "calls.jsonl"}}
    gateway = gateway_of(config, folder)
    async with gateway:
        await gateway.post(CHAT, minimal(CHAT, OPENAI_ALIAS))
        await until("it falls asleep", (folder / "asleep").exists)
        begun = time.monotonic()
        for _ in range(30):
            assert (await gateway.post(CHAT, minimal(CHAT, OPENAI_ALIAS))).status == 200
        assert time.monotonic() - begun < 5
        await until("other sinks are told", lambda: len(lines(folder / "calls.jsonl")) == 31)
        begun = time.monotonic()
        assert await gateway.stop() == 0
        assert time.monotonic() - begun < 8
    assert "Traceback" not in gateway.output


async def test_a_class_that_is_not_there_stops_the_start_with_a_sentence(
    providers: Providers, folder: Path
) -> None:
    config = with_settings(usual(providers), litellm_settings={"callbacks": ["no_such.thing"]})
    gateway = gateway_of(config, folder)
    with pytest.raises(AssertionError) as caught:
        await gateway.start()
    assert "the callback no_such.thing cannot be used: there is no module no_such" in str(
        caught.value
    )
    assert "Traceback" not in str(caught.value)


async def test_an_outage_is_one_message_in_the_chat(
    providers: Providers, door: Upstream, folder: Path
) -> None:
    providers.reset()
    config = with_settings(
        usual(providers),
        general_settings={"alerting": ["slack"]},
        router_settings={"disable_cooldowns": False, "allowed_fails": 0, "cooldown_time": 1},
    )
    providers.openai.script(openai_wire.error_reply(500, "server_error", "Oh."))
    gateway = gateway_of(
        config, folder, env={"SLACK_WEBHOOK_URL": f"{door.url}/services/secret"},
        arguments=["--num_workers", "2"],
    )  # fmt: skip
    async with gateway:
        for _ in range(20):
            await gateway.post(CHAT, minimal(CHAT, OPENAI_ALIAS))
            await asyncio.sleep(0.1)
        await door.received()
        await gateway.stop()
    texts = [json.loads(request.body)["text"] for request in door.requests]
    assert len(texts) == 1, texts
    assert f"*Outage* Nobody serves the alias {OPENAI_ALIAS}" in texts[0]
    assert "secret" not in gateway.output
