"""Each kind of sink is opened as its plan says; a class that cannot be used stops the start."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from support import anthropic_wire, openai_wire
from support.attempts import deployments, settings
from support.told import ASKED, telling, told
from tiergate.base.values import Dialect
from tiergate.core.sink_plan import (
    CustomPlace,
    FilePlace,
    OtlpPlace,
    SinkPlan,
    SinkPlans,
    WebhookPlace,
)
from tiergate.pipeline.capture import CapturingEngine
from tiergate.telemetry.counts import Counts
from tiergate.wiring import callbacks as module
from tiergate.wiring.callbacks import Sinks, fold_stream

LOGGER = """
class Logger:
    seen = []

    def log_success_event(self, kwargs, response_obj, start_time, end_time):
        Logger.seen.append(kwargs["litellm_call_id"])

    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        return data

    def log_stream_event(self, kwargs, response_obj, start_time, end_time):
        pass

instance = Logger()
nothing = object()
"""


class Post:
    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes]] = []

    async def __call__(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> int:
        self.sent.append((url, body))
        return 200


def plans(*sinks: SinkPlan, **more: object) -> SinkPlans:
    return SinkPlans(sinks=sinks, **more)


def configured(folder: Path | None, post: Post, *sinks: SinkPlan) -> Sinks:
    made = Sinks(post, Counts(), folder, asyncio.get_running_loop().time)
    made.configure(settings(deployments(cheap="a"), sinks=plans(*sinks)))
    return made


async def test_webhooks_traces_and_files_are_told(tmp_path: Path):
    post = Post()
    sinks = configured(
        tmp_path,
        post,
        SinkPlan(name="webhook", place=WebhookPlace(url="http://hook/")),
        SinkPlan(name="otel", place=OtlpPlace(url="http://otel/")),
        SinkPlan(name="langfuse", place=OtlpPlace(url="http://fuse/", langfuse=True), words=True),
        SinkPlan(name="file", place=FilePlace()),
    )
    sinks.callbacks.ended(told())
    await sinks.aclose()

    bodies = dict(post.sent)
    assert json.loads(bodies["http://hook/"])[0]["id"] == "call-1"
    assert b"gen_ai.request.model" in bodies["http://otel/"]
    assert b"langfuse.observation.input" in bodies["http://fuse/"]
    assert b"two and two" in bodies["http://fuse/"]
    assert b"two and two" not in bodies["http://otel/"]
    assert json.loads((tmp_path / "calls.jsonl").read_text())["id"] == "call-1"


async def test_an_object_beside_the_file_is_told_and_its_other_methods_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(logging.getLogger("tiergate"), "propagate", True)
    (tmp_path / "logger_of_test.py").write_text(LOGGER)
    place = CustomPlace(name="logger_of_test.instance", folder=str(tmp_path))

    sinks = configured(None, Post(), SinkPlan(name=place.name, place=place, words=True))
    sinks.callbacks.ended(told(call_id="told"))
    await sinks.aclose()

    assert module.load_object(place.name, place.folder).seen == ["told"]
    said = [(record.getMessage(), record.methods) for record in caplog.records]
    assert [methods for _, methods in said] == ["async_pre_call_hook", "log_stream_event"]
    assert "guardrails" in said[0][0]


@pytest.mark.parametrize("name", ["absent_module.instance", "refused_of_test.nothing"])
async def test_an_object_that_cannot_be_used_stops_the_start(tmp_path: Path, name: str):
    (tmp_path / "refused_of_test.py").write_text(LOGGER)
    plan = SinkPlan(name=name, place=CustomPlace(name=name, folder=str(tmp_path)))
    with pytest.raises(ValueError, match=f"the callback {name} cannot be used"):
        configured(None, Post(), plan)


def test_requests_are_read_for_sinks_only_where_there_are_some():
    sinks = Sinks(Post(), Counts(), None, lambda: 0.0)
    none = settings(deployments(cheap="a"))
    some = settings(
        deployments(cheap="a"),
        sinks=plans(SinkPlan(name="file", place=FilePlace()), may_disable=False),
    )
    assert sinks.rules(none) is None
    rules = sinks.rules(some)
    assert rules is not None
    assert not rules.may_disable


def test_words_are_kept_only_where_a_sink_gets_them():
    sinks = Sinks(Post(), Counts(), None, lambda: 0.0)
    engine = CapturingEngine(None)  # pyright: ignore[reportArgumentType]
    plan = SinkPlan(name="file", place=FilePlace())
    wordy = SinkPlan(name="file", place=FilePlace(), words=True)
    none, some = (settings((), sinks=plans(each)) for each in (plan, wordy))
    assert sinks.in_front_of(engine, none) is engine
    front = sinks.in_front_of(engine, some)
    assert isinstance(front, CapturingEngine)
    assert front is not engine


@pytest.mark.parametrize(
    ("dialect", "pieces", "path"),
    [
        (
            Dialect.OPENAI,
            openai_wire.text_events("Hi there"),
            ("choices", 0, "message", "content"),
        ),
        (Dialect.ANTHROPIC, anthropic_wire.text_events("Hi there"), ("content", 0, "text")),
    ],
)
def test_a_stream_is_put_together_as_its_callers_plain_answer(dialect, pieces, path):
    record = told(telling(ASKED, None), dialect=dialect, stream=True)
    found: object = json.loads(fold_stream(record, b"".join(pieces)) or b"null")
    for step in path:
        found = found[step]  # pyright: ignore[reportIndexIssue]
    assert found == "Hi there"


def test_half_a_stream_is_nothing():
    record = told(telling(ASKED, None), stream=True)
    assert fold_stream(record, b"data: {}\n\n") is None
