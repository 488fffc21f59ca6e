"""Streams through guards: any chunking gives what the whole answer gives, in either dialect."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import anthropic_wire, openai_wire
from support.guards import EMAIL, PatternGuard, Watcher, plan_of
from tiergate.base.errors import Refused
from tiergate.base.values import AliasName, Dialect
from tiergate.core.caller import MASTER
from tiergate.core.guard_options import Reaction
from tiergate.core.guard_plan import Stage
from tiergate.pipeline.guard_checks import Checks, Installed
from tiergate.pipeline.guard_stream import Emitter, Live
from tiergate.pipeline.guard_whole import judged, said_in
from tiergate.ports.guarding import Occasion
from tiergate.providers.sse import SseSplitter

OPENAI, ANTHROPIC = Dialect.OPENAI, Dialect.ANTHROPIC
POST = Stage.POST_CALL
FOUND = "SECRET-123456"


def occasion(dialect: Dialect = ANTHROPIC) -> Occasion:
    return Occasion(call_id="c", alias=AliasName("a"), dialect=dialect, stage=POST, caller=MASTER)


def guards(reaction: Reaction = Reaction.MASK, **more) -> list[Installed]:
    pattern = more.pop("pattern", r"SECRET-\d{6}")
    return [Installed(plan_of(POST), guard=PatternGuard(pattern, reaction, **more))]


def events(pieces: Sequence[bytes]):
    return SseSplitter().feed(b"".join(pieces))


def live(pieces, dialect: Dialect, installed, values=None) -> bytes:
    async def run() -> bytes:
        checks = Checks(Watcher(), lambda: 0.0)
        judge = Live(checks, installed, occasion(dialect), values or {})
        emitter = Emitter(dialect, judge, plain=True, holds_tools=True)
        out = [await emitter.feed(event) for event in events(pieces)]
        return b"".join([*out, await emitter.end()])

    return asyncio.run(run())


def whole(pieces, dialect: Dialect, installed, values=None) -> bytes:
    async def run() -> bytes:
        checks = Checks(Watcher(), lambda: 0.0)
        found = events(pieces)
        out = await judged(found, dialect, checks, installed, occasion(dialect), values or {})
        return b"".join(event.raw for event in found) if out is None else out

    return asyncio.run(run())


def said(body: bytes, dialect: Dialect) -> list[str]:
    """All texts of a stream."""
    found = asyncio.run(said_in(SseSplitter().feed(body), dialect))
    return [part.passage.text for part in found if part.passage.text]


def openai_stream(pieces: Sequence[str]) -> list[bytes]:
    def chunk(delta, finish=None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return b"data: " + json.dumps({"id": "x", "choices": [choice]}).encode() + b"\n\n"

    return [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": piece}) for piece in pieces),
        chunk({}, "stop"),
        b"data: [DONE]\n\n",
    ]


def anthropic_stream(pieces: Sequence[str]) -> list[bytes]:
    return [
        anthropic_wire.message_start(),
        anthropic_wire.block_start(0, anthropic_wire.text_block("")),
        *(anthropic_wire.text_delta(0, piece) for piece in pieces),
        anthropic_wire.block_stop(0),
        anthropic_wire.message_delta(),
        anthropic_wire.message_stop(),
    ]


STREAMS = {OPENAI: openai_stream, ANTHROPIC: anthropic_stream}
TEXTS = st.lists(
    st.sampled_from(
        [FOUND, "SECRET-", "SECRET-1", "<EMAIL_1>", "<EMAIL", "word ", "x" * 40, "é\n"]
    ),
    max_size=12,
).map("".join)


def cut(text: str, data) -> list[str]:
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


@pytest.mark.parametrize("run", [live, whole])
@pytest.mark.parametrize("dialect", [OPENAI, ANTHROPIC])
@given(text=TEXTS, data=st.data())
def test_a_text_in_pieces_becomes_what_the_whole_becomes(run, dialect: Dialect, text: str, data):
    wanted = re.sub(r"SECRET-\d{6}", "<SECRET>", text).replace("<EMAIL_1>", "ann@x.com")
    pieces = STREAMS[dialect](cut(text, data))
    out = run(pieces, dialect, guards(), {"<EMAIL_1>": "ann@x.com"})
    assert "".join(said(out, dialect)) == wanted
    kinds = [event.data for event in SseSplitter().feed(out)]
    assert kinds[-1] == events(pieces)[-1].data


@pytest.mark.parametrize("run", [live, whole])
@given(data=st.data())
def test_arguments_of_tools_are_masked_inside_their_strings(run, data):
    arguments = {"to": f"my {FOUND}", "n": 3, "deep": [{"q": 'a "quote"\n<EMAIL_1>'}]}
    text = json.dumps(arguments)
    pieces = [
        anthropic_wire.message_start(),
        anthropic_wire.block_start(0, anthropic_wire.tool_block("f", {})),
        *(anthropic_wire.input_delta(0, piece) for piece in cut(text, data)),
        anthropic_wire.block_stop(0),
        anthropic_wire.message_delta("tool_use"),
        anthropic_wire.message_stop(),
    ]
    out = run(pieces, ANTHROPIC, guards(), {"<EMAIL_1>": 'a "b"'})
    shown = "".join(
        json.loads(event.data)["delta"]["partial_json"]
        for event in SseSplitter().feed(out)
        if b"partial_json" in event.data
    )
    assert json.loads(shown) == {
        "to": "my <SECRET>",
        "n": 3,
        "deep": [{"q": 'a "quote"\na "b"'}],
    }


@pytest.mark.parametrize("run", [live, whole])
def test_two_tools_at_once_keep_their_own_arguments(run):
    def call(slot: int, text: str, **more) -> bytes:
        function = {"arguments": text, **more}
        calls = [{"index": slot, "id": f"c{slot}", "function": function}]
        choice = {"index": 0, "delta": {"tool_calls": calls}, "finish_reason": None}
        return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"

    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
    pieces = [
        call(0, "", name="f"),
        call(0, '{"a": "SEC'),
        call(0, 'RET-123456"}'),
        call(1, '{"b": ', name="g"),
        call(1, '"fine"}'),
        b"data: " + json.dumps(end).encode() + b"\n\n",
        b"data: [DONE]\n\n",
    ]
    out = run(pieces, OPENAI, guards())
    shown = {0: "", 1: ""}
    for event in SseSplitter().feed(out):
        if event.data.startswith(b"{"):
            for each in json.loads(event.data)["choices"][0]["delta"].get("tool_calls", []):
                shown[each["index"]] += each["function"].get("arguments", "")
    assert json.loads(shown[0]) == {"a": "<SECRET>"}
    assert json.loads(shown[1]) == {"b": "fine"}


@pytest.mark.parametrize("run", [live, whole])
@pytest.mark.parametrize("where", ["thinking", "text"])
def test_signed_thoughts_are_never_altered(run, where: str):
    thought = FOUND if where == "thinking" else "hm <EMAIL_1>"
    text = FOUND if where == "text" else "fine"
    pieces = [
        anthropic_wire.message_start(),
        anthropic_wire.block_start(0, {"type": "thinking", "thinking": "", "signature": ""}),
        anthropic_wire.thinking_delta(0, thought),
        anthropic_wire.signature_delta(0, "sig"),
        anthropic_wire.block_stop(0),
        *anthropic_stream([text])[1:],
    ]
    if where == "thinking":
        with pytest.raises(Refused):
            run(pieces, ANTHROPIC, guards())
        return
    out = run(pieces, ANTHROPIC, guards(), {"<EMAIL_1>": "ann@x.com"})
    assert b"hm <EMAIL_1>" in out
    assert FOUND.encode() not in out
    order = [json.loads(event.data)["type"] for event in SseSplitter().feed(out)]
    assert order.index("content_block_stop") > order.index("content_block_delta")


@pytest.mark.parametrize("run", [live, whole])
@pytest.mark.parametrize("dialect", [OPENAI, ANTHROPIC])
def test_a_block_lets_nothing_of_the_finding_out(run, dialect: Dialect):
    pieces = STREAMS[dialect](list(f"you see {FOUND}"))
    with pytest.raises(Refused):
        run(pieces, dialect, guards(Reaction.BLOCK))


def test_text_is_shown_before_it_is_over_and_the_finding_never():
    async def run() -> list[bytes]:
        checks = Checks(Watcher(), lambda: 0.0)
        judge = Live(checks, guards(window=13), occasion(), {})
        emitter = Emitter(ANTHROPIC, judge, plain=True, holds_tools=True)
        return [await emitter.feed(e) for e in events(anthropic_stream(["a" * 100, FOUND, "b"]))]

    out = asyncio.run(run())
    assert b"a" * 71 in out[2]  # all but the window and its margin
    assert FOUND.encode() not in b"".join(out)


def test_an_email_across_many_pieces_of_a_guard_with_a_small_window_is_masked():
    pieces = anthropic_stream(list("write to ann@example.com now, please do so today"))
    out = live(pieces, ANTHROPIC, guards(pattern=EMAIL, window=44))
    assert said(out, ANTHROPIC) == ["write to <SECRET> now, please do so today"]


def test_the_streams_of_the_tests_are_those_of_providers():
    assert said(b"".join(openai_wire.text_events("hello")), OPENAI) == ["hello"]
