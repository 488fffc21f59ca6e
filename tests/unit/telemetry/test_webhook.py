"""Records on their way to a sink: batched, bounded, counted when lost, never in the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest

from support.jumping import play
from support.records import FAILED, LEFT, REFUSED, SERVED
from tiergate.core.catalog import WebhookSink
from tiergate.telemetry import webhook
from tiergate.telemetry.webhook import INTERVAL, MOST_TOGETHER, POST_SECONDS, Webhooks, payload

URL = "http://sink.invalid/records"


class Post:
    """Implements `telemetry.webhook.Post` with a script of statuses, errors and seconds."""

    def __init__(self, *script: int | float | OSError) -> None:
        self.script = list(script)
        self.sent: list[tuple[str, Sequence[tuple[str, str]], list]] = []

    async def __call__(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> int:
        self.sent.append((url, headers, json.loads(body)))
        step = self.script.pop(0) if self.script else 200
        if isinstance(step, OSError):
            raise step
        if isinstance(step, float):
            await asyncio.sleep(step)
            return 200
        await asyncio.sleep(0)
        return step

    @property
    def records(self) -> int:
        return sum(len(batch) for _, _, batch in self.sent)


def at(post: Post, work, *sinks: WebhookSink) -> None:
    async def whole() -> None:
        hooks = Webhooks(post, asyncio.get_running_loop().time)
        hooks.configure(sinks or (WebhookSink(url=URL, headers=(("x-key", "v"),)),))
        await work(hooks)
        await hooks.aclose()

    play(whole())


def test_records_are_sent_together_after_a_moment():
    post = Post()

    async def work(hooks: Webhooks) -> None:
        hooks.began()
        hooks.ended(SERVED)
        hooks.ended(FAILED)
        assert post.sent == [], "a request does not wait for a sink"
        await asyncio.sleep(INTERVAL + 0.1)
        ((url, headers, batch),) = post.sent
        assert url == URL
        assert headers == (("content-type", "application/json"), ("x-key", "v"))
        assert [record["status"] for record in batch] == ["success", "failure"]

    at(post, work)
    assert post.records == 2


def test_a_full_batch_is_sent_at_the_next_moment_and_the_rest_behind_it():
    post = Post()

    async def work(hooks: Webhooks) -> None:
        for _ in range(2 * MOST_TOGETHER + 1):
            hooks.ended(SERVED)
        await asyncio.sleep(INTERVAL + 0.1)
        assert [len(batch) for _, _, batch in post.sent] == [MOST_TOGETHER, MOST_TOGETHER, 1]

    at(post, work)


def test_each_sink_gets_what_it_wants():
    post = Post()
    good = WebhookSink(url="http://good.invalid", on_failure=False)
    bad = WebhookSink(url="http://bad.invalid", on_success=False)

    async def work(hooks: Webhooks) -> None:
        for record in (SERVED, FAILED, LEFT, REFUSED):
            hooks.ended(record)
        await asyncio.sleep(INTERVAL + 0.1)

    at(post, work, good, bad)
    found = {url: [r["outcome"] for r in batch] for url, _, batch in post.sent}
    assert found == {
        "http://good.invalid": ["success"],
        "http://bad.invalid": ["failure", "cancelled", "refused"],
    }


@pytest.mark.parametrize("step", [500, 302, ConnectionError(), 2 * POST_SECONDS])
def test_a_sink_that_does_not_take_records_loses_them_and_they_are_counted(step):
    post = Post(step)

    async def work(hooks: Webhooks) -> None:
        hooks.ended(SERVED)
        await asyncio.sleep(INTERVAL + POST_SECONDS + 1)
        assert hooks.dropped == 1
        hooks.ended(SERVED)
        await asyncio.sleep(INTERVAL + 1)
        assert hooks.dropped == 1, "the next one arrives"

    at(post, work)


def test_a_full_queue_loses_its_oldest(monkeypatch):
    monkeypatch.setattr(webhook, "MOST_WAITING", 3)
    post = Post()

    async def work(hooks: Webhooks) -> None:
        for _ in range(5):
            hooks.ended(SERVED)
        assert hooks.dropped == 2

    at(post, work)
    assert post.records == 3


def test_trouble_is_logged_once_a_minute_and_without_the_address(caplog, monkeypatch):
    monkeypatch.setattr(webhook.LOG.parent, "propagate", True)

    async def work(hooks: Webhooks) -> None:
        for _ in range(3):
            hooks.ended(SERVED)
            await asyncio.sleep(INTERVAL + 0.1)
        assert len(caplog.records) == 1
        await asyncio.sleep(60.0)
        hooks.ended(SERVED)
        await asyncio.sleep(INTERVAL + 0.1)

    at(Post(500, 500, 500, 500), work)
    assert len(caplog.records) == 2
    assert caplog.records[0].why == "status 500"
    assert "sink.invalid" not in caplog.text


def test_what_waits_is_sent_at_the_end():
    post = Post()

    async def work(hooks: Webhooks) -> None:
        hooks.ended(SERVED)

    at(post, work)
    assert post.records == 1


def test_a_batch_under_way_at_the_end_is_not_lost():
    """It is sent once more: twice at the receiver is better than not at all."""
    post = Post(5.0)

    async def work(hooks: Webhooks) -> None:
        hooks.ended(SERVED)
        await asyncio.sleep(INTERVAL + 0.5)
        assert post.records == 1
        await hooks.aclose()
        assert hooks.dropped == 0

    at(post, work)
    assert post.records == 2


def test_a_sink_that_hangs_does_not_hold_up_the_end():
    async def work(hooks: Webhooks) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(3 * MOST_TOGETHER):
            hooks.ended(SERVED)
        began = loop.time()
        await hooks.aclose()
        assert loop.time() - began <= POST_SECONDS + 0.1
        assert hooks.dropped == 3 * MOST_TOGETHER

    at(Post(99.0, 99.0, 99.0), work)


def test_a_sink_that_stays_over_a_reload_keeps_what_waits():
    post = Post()
    other = WebhookSink(url=URL, headers=(("x-key", "new"),))

    async def work(hooks: Webhooks) -> None:
        hooks.ended(SERVED)
        hooks.configure([other])
        await asyncio.sleep(INTERVAL + 0.1)

    at(post, work)
    assert post.sent[0][1][-1] == ("x-key", "new")


@pytest.mark.parametrize("under_way", [True, False])
def test_a_sink_that_goes_drops_what_waits(under_way):
    post = Post(5.0)
    lost: list[int] = []

    async def work(hooks: Webhooks) -> None:
        hooks.ended(SERVED)
        if under_way:
            await asyncio.sleep(INTERVAL + 0.5)
        queue = hooks._queues[0]
        hooks.configure([])
        await asyncio.sleep(0.1)
        lost.append(queue.dropped)
        hooks.ended(SERVED)

    at(post, work)
    assert lost == [1]
    assert post.records == (1 if under_way else 0)


def test_only_the_record_of_the_end_is_sent():
    post = Post()

    async def work(hooks: Webhooks) -> None:
        hooks.refused(SERVED.dialect, SERVED.operation, 401, 0.0)
        hooks.attempt_failed(SERVED.deployment, None)
        hooks.cooled(SERVED.deployment, None, 1.0)
        await asyncio.sleep(INTERVAL + 0.1)

    at(post, work)
    assert post.sent == []


def test_a_record_has_litellms_names():
    found = payload(SERVED)

    assert found["id"] == "call-1"
    assert (found["model_group"], found["model"], found["model_id"]) == (
        "cheap",
        "m-dep-b",
        "dep-b",
    )
    assert (found["response_cost"], found["response_cost_nano_usd"]) == (0.001536, 1_536_000)
    assert (found["prompt_tokens"], found["completion_tokens"], found["total_tokens"]) == (
        37,
        5,
        42,
    )
    assert found["cached_tokens"] == 20
    assert found["endTime"] - found["startTime"] == 2.5
    assert found["request_tags"] == ["critical"]
    assert found["error_information"] == {
        "error_class": None,
        "error_type": None,
        "error_message": None,
    }


def test_the_record_of_a_failure_says_why():
    found = payload(FAILED)
    assert (found["status"], found["status_code"], found["response_cost"]) == ("failure", 503, 0.0)
    assert found["error_information"] == {
        "error_class": "upstream",
        "error_type": "overloaded_error",
        "error_message": "down",
    }
    assert payload(REFUSED)["model"] is None
