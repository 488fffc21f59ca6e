"""Batches go out by HTTP as lists, as lines, or as OTLP; statuses say whether to try again."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Sequence

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support.records import FAILED, SERVED
from support.told import no_fold, telling, told
from tiergate.core.alerts import BudgetAlert
from tiergate.core.catalog import ScopeKind
from tiergate.core.sink_plan import OtlpPlace, WebhookPlace
from tiergate.telemetry.outbox import NotTakenError
from tiergate.telemetry.posting import OtlpSender, WebhookSender, Writer, post_batch
from tiergate.telemetry.spans import CallSpans

ALERT = BudgetAlert(ScopeKind.GATEWAY, "", "80", 8, 10, None, "1d", None)


class Post:
    """Implements `Post` with one answer."""

    def __init__(self, answer: int | OSError = 200) -> None:
        self.answer = answer
        self.sent: list[tuple[str, dict[str, str], bytes]] = []

    async def __call__(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> int:
        self.sent.append((url, dict(headers), body))
        if isinstance(self.answer, OSError):
            raise self.answer
        return self.answer


def clock() -> float:
    return asyncio.get_running_loop().time()


def webhook(post: Post, *, lines: bool = False) -> WebhookSender:
    place = WebhookPlace(url="http://sink.invalid/in", headers=(("x-key", "v"),), lines=lines)
    return WebhookSender(post, place, Writer(None, nameless=False), clock)


async def test_records_and_alerts_are_a_list():
    post = Post()
    await webhook(post)([SERVED, FAILED, ALERT])

    ((url, headers, body),) = post.sent
    assert url == "http://sink.invalid/in"
    assert headers == {"content-type": "application/json", "x-key": "v"}
    good, bad, alert = json.loads(body)
    assert (good["status"], bad["status"]) == ("success", "failure")
    assert alert["event"] == "threshold_crossed"


async def test_records_can_be_lines():
    post = Post()
    await webhook(post, lines=True)([SERVED, FAILED])

    ((_, headers, body),) = post.sent
    assert headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["status"] for line in body.splitlines()] == ["success", "failure"]


async def test_words_go_to_those_that_get_them():
    without, having = Post(), Post()
    place = WebhookPlace(url="http://h/")
    await WebhookSender(without, place, Writer(None, nameless=False), clock)([told()])
    await WebhookSender(having, place, Writer(no_fold, nameless=True), clock)([told()])

    assert b"two and two" not in without.sent[0][2]
    assert b"two and two" in having.sent[0][2]
    assert b"hash-of-key" in without.sent[0][2]
    assert b"hash-of-key" not in having.sent[0][2]


@pytest.mark.parametrize(
    ("answer", "again"),
    [
        (500, True),
        (503, True),
        (429, True),
        (408, True),
        (400, False),
        (401, False),
        (302, False),
        (ConnectionRefusedError("10.0.0.1 said no"), True),
    ],
)
async def test_what_is_not_taken_says_why_and_whether_to_try_again(answer, again):
    with pytest.raises(NotTakenError) as caught:
        await post_batch(Post(answer), "http://h/secret", (), b"")
    assert caught.value.again is again
    assert "secret" not in str(caught.value)
    assert "10.0.0.1" not in str(caught.value)


def otlp(post: Post) -> OtlpSender:
    place = OtlpPlace(
        url="http://collector/v1/traces",
        headers=(("authorization", "Basic x"),),
        resource={"service.name": "tiergate"},
    )
    return OtlpSender(post, place, CallSpans({}).of, None, "1.0", clock)


async def test_calls_are_spans():
    post = Post()
    await otlp(post)([told(), ALERT])

    ((url, headers, body),) = post.sent
    assert url == "http://collector/v1/traces"
    assert headers == {"content-type": "application/x-protobuf", "authorization": "Basic x"}
    request = ExportTraceServiceRequest.FromString(body)
    assert len(request.resource_spans[0].scope_spans[0].spans) == 3


async def test_without_a_span_nothing_is_sent():
    post = Post()
    record = told()
    assert record.telling is not None
    record.telling.parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
    await otlp(post)([record, ALERT])
    assert post.sent == []


async def test_large_batches_are_compressed():
    post = Post()
    await otlp(post)([told() for _ in range(50)])

    ((_, headers, body),) = post.sent
    assert headers["content-encoding"] == "gzip"
    request = ExportTraceServiceRequest.FromString(gzip.decompress(body))
    assert len(request.resource_spans[0].scope_spans[0].spans) == 150


async def test_large_words_are_written_down_all_the_same():
    post = Post()
    place = WebhookPlace(url="http://h/")
    record = told(telling({"input": "x" * 100_000}))
    await WebhookSender(post, place, Writer(no_fold, nameless=False), clock)([record])
    assert len(json.loads(post.sent[0][2])[0]["messages"]) == 100_000
