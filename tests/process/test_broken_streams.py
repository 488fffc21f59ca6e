"""A stream that a provider breaks off at any event ends in an error, never in a success."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from support import dialects
from support.exchange import Break, Framing, Gate, Reply, Step, stream_reply
from support.http_client import Answer
from support.shapes import DOORS, minimal, told
from support.stage import ALIASES, Stage

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

doors = pytest.mark.parametrize("path", DOORS)
aliases = pytest.mark.parametrize("alias", ALIASES)

WAYS = ("reset", "closed", "ended", "end of connection", "error event")


def broken(alias: str, events: Sequence[Step], way: str) -> Reply:
    """A stream of these events that is broken off in some way."""
    match way:
        case "reset":
            return stream_reply(*events, Break.RESET)
        case "closed":
            return stream_reply(*events, Break.CLOSE)
        case "ended":
            return stream_reply(*events)
        case "end of connection":
            return stream_reply(*events, framing=Framing.EOF)
        case _:
            return stream_reply(*events, dialects.error_event(alias))


async def streamed(stage: Stage, path: str, alias: str, gate: Gate | None = None) -> Answer:
    """Ask for a stream; where there is a gate, open it when the answer has begun."""
    async with stage.gateway.posting(path, minimal(path, alias, stream=True)) as exchange:
        if gate is not None:
            await exchange.head()
            gate.open()
        return await exchange.rest()


def assert_broken(answer: Answer, path: str, *, committed: bool) -> None:
    """An error: in-band where an answer had begun, else with its status."""
    if not committed:
        assert told(answer, path).status >= 500
        return
    assert answer.status == 200
    assert answer.complete
    assert dialects.ends_in_error(answer, path), answer.text
    assert not dialects.ends_well(answer, path), answer.text


@doors
@aliases
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["text", "tool"])
async def test_broken_at_every_event(
    stage: Stage, path: str, alias: str, way: str, kind: str
) -> None:
    texts = dialects.text_events(alias, "from the provider")
    events = texts if kind == "text" else dialects.tool_events(alias)
    content, finish = dialects.first_content(events), dialects.finish(events)
    for count in range(finish):
        gate = Gate() if count >= content else None
        steps = [*events[:count], *([gate] if gate is not None else [])]
        stage.of(alias).script(broken(alias, steps, way))
        answer = await streamed(stage, path, alias, gate)
        assert_broken(answer, path, committed=gate is not None)


@doors
@aliases
async def test_cut_inside_an_event(stage: Stage, path: str, alias: str) -> None:
    events = dialects.text_events(alias, "from the provider")
    content = dialects.first_content(events)
    half = events[content][: len(events[content]) // 2]
    gate = Gate()
    stage.of(alias).script(stream_reply(*events[:content], gate, half, Break.CLOSE))
    answer = await streamed(stage, path, alias, gate)
    assert_broken(answer, path, committed=True)


@doors
@aliases
async def test_an_answer_that_has_its_stop_reason_may_end_without_its_end_mark(
    stage: Stage, path: str, alias: str
) -> None:
    events = dialects.text_events(alias, "from the provider")
    stage.of(alias).script(stream_reply(*events[: dialects.finish(events)]))
    answer = await stage.gateway.post(path, minimal(path, alias, stream=True))
    assert answer.status == 200
    assert dialects.ends_well(answer, path)


@doors
@aliases
async def test_what_is_no_stream_is_an_error(stage: Stage, path: str, alias: str) -> None:
    page = Reply((b"<html>hello</html>",), 200, (("content-type", "text/html"),))
    stage.of(alias).script(page)
    answer = await stage.gateway.post(path, minimal(path, alias, stream=True))
    assert told(answer, path).status >= 500


@doors
@aliases
async def test_a_plain_answer_that_is_cut_is_an_error(stage: Stage, path: str, alias: str) -> None:
    whole = dialects.wire_of(alias).text_reply("from the provider")
    (body,) = whole.steps
    cut = Reply((body[:40], Break.CLOSE), 200, whole.headers, Framing.LENGTH, len(body))
    stage.of(alias).script(cut)
    answer = await stage.gateway.post(path, minimal(path, alias))
    assert told(answer, path).status >= 500


@doors
@aliases
async def test_a_plain_answer_that_is_no_json_is_an_error(
    stage: Stage, path: str, alias: str
) -> None:
    stage.of(alias).script(Reply((b"<html>hello</html>",), 200, (("content-type", "text/html"),)))
    answer = await stage.gateway.post(path, minimal(path, alias))
    assert told(answer, path).status >= 500


@doors
@aliases
async def test_events_in_single_bytes_make_the_same_stream(
    stage: Stage, path: str, alias: str
) -> None:
    events = dialects.text_events(alias, "Grüße 🌍")
    body = minimal(path, alias, stream=True)
    stage.of(alias).script(stream_reply(*events))
    whole = await stage.gateway.post(path, body)
    joined = b"".join(events)
    stage.of(alias).script(stream_reply(*(joined[at : at + 1] for at in range(len(joined)))))
    pieces = await stage.gateway.post(path, body)
    assert dialects.said(pieces) == dialects.said(whole) == "Grüße 🌍"
    assert dialects.ends_well(pieces, path)
