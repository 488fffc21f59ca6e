"""What holds of every conversation that is written as a chat request."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.chat import (
    Answer,
    Ask,
    Audio,
    Bytes64,
    CacheMark,
    Document,
    FileId,
    Image,
    Link,
    Opaque,
    ProviderTool,
    Reasoning,
    RedactedThinking,
    Refusal,
    ResponseFormat,
    Role,
    Stop,
    Text,
    Thinking,
    Tool,
    ToolChoice,
    ToolMode,
    ToolResult,
    ToolUse,
    Turn,
)
from tiergate.base.errors import Untranslatable
from tiergate.base.values import Dialect, Usage
from tiergate.providers.facts import ModelFacts, ThinkingStyle, facts_for
from tiergate.providers.openai import (
    decode_answer,
    decode_ask,
    encode_answer,
    encode_ask,
)
from tiergate.providers.quirks import Quirk
from tiergate.providers.target import EncodedAsk, EncodeTarget

objects = st.dictionaries(
    st.sampled_from(["type", "properties", "a", "n"]),
    st.none() | st.booleans() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    max_size=3,
)
marks = st.none() | st.just(CacheMark({"type": "ephemeral"}))
text = st.text(min_size=1, max_size=20)
json_text = st.sampled_from(["{}", '{"a": 1}', '{"b":[1,2]}'])
names = st.from_regex(r"[a-zA-Z0-9_-]{1,20}", fullmatch=True)
data64 = st.binary(max_size=8).map(lambda raw: Bytes64("image/png", raw.hex()))
texts = st.builds(Text, text, cache=marks)
images = st.builds(
    Image,
    data64 | text.map(lambda name: Link(f"https://i.example/{name}")),
    st.none() | st.sampled_from(["low", "high"]),
    marks,
)
documents = st.builds(
    Document,
    st.just(Bytes64("application/pdf", "JVBE")) | st.just(FileId("file-1", Dialect.OPENAI)),
    title=st.just("a.pdf"),
    cache=marks,
)
user_parts = texts | images | documents | st.builds(Audio, st.just("UklG"), st.just("wav"))
tool_uses = st.builds(ToolUse, names, names, json_text)
marked = frozenset({Quirk.CACHE_CONTROL, Quirk.REASONING_BACK, Quirk.TOP_K})
TARGET = EncodeTarget(
    "m",
    ModelFacts(
        thinking=ThinkingStyle.EFFORT,
        efforts=("none", "minimal", "low", "medium", "high", "xhigh", "max"),
        max_completion_tokens=True,
    ),
    stream=True,
    quirks=marked,
)
plain_turns = st.builds(
    Turn,
    st.just(Role.USER),
    st.lists(user_parts, min_size=1, max_size=3).map(tuple),
    st.none() | names,
) | st.builds(
    Turn,
    st.sampled_from([Role.SYSTEM, Role.DEVELOPER]),
    st.lists(texts, min_size=1, max_size=2).map(tuple),
)
assistant_turns = st.builds(
    lambda thoughts, said, used: Turn(Role.ASSISTANT, (*thoughts, *said, *used)),
    st.lists(st.builds(Thinking, text), max_size=1),
    st.lists(st.builds(Text, text), min_size=1, max_size=1),
    st.lists(tool_uses, max_size=2),
)
result_turns = st.lists(
    st.builds(
        ToolResult, names, texts.map(lambda part: (replace(part, cache=None),)), cache=marks
    ),
    min_size=1,
    max_size=3,
).map(lambda results: Turn(Role.USER, tuple(results)))


def _apart(turns: list[Turn]) -> tuple[Turn, ...]:
    """Begin with a user, and put an assistant between results, which would be one turn."""
    said = Turn(Role.ASSISTANT, (Text("ok"),))
    out = [Turn(Role.USER, (Text("hi"),))]
    for turn in turns:
        out += [turn, said] if turn.role is not Role.ASSISTANT else [turn]
    return (*out, Turn(Role.USER, (Text("bye"),)))


own_asks = st.builds(
    Ask,
    dialect=st.just(Dialect.OPENAI),
    model=st.just("m"),
    turns=st.lists(plain_turns | assistant_turns | result_turns, max_size=5).map(_apart),
    tools=st.lists(
        st.builds(
            Tool,
            names,
            st.none() | text,
            st.just({"type": "object", "properties": {"z": {}, "a": {}}}),
            st.none() | st.booleans(),
            marks,
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    tool_choice=st.none()
    | st.builds(
        ToolChoice,
        st.sampled_from([ToolMode.AUTO, ToolMode.NONE, ToolMode.ANY]),
        parallel=st.none() | st.booleans(),
    )
    | st.builds(ToolChoice, st.just(ToolMode.NAMED), names),
    max_tokens=st.none() | st.integers(1, 10**6),
    temperature=st.none() | st.integers(0, 2) | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    top_k=st.none() | st.integers(1, 50),
    stop=st.lists(text, max_size=3).map(tuple),
    stream=st.just(True),
    include_usage=st.just(True),
    reasoning=st.none() | st.sampled_from(["low", "high"]).map(Reasoning),
    response_format=st.none()
    | st.just(ResponseFormat(json=True))
    | st.builds(
        ResponseFormat,
        json=st.just(True),
        schema=st.just({"type": "object"}),
        name=names,
        description=st.none() | text,
        strict=st.none() | st.booleans(),
    ),
    seed=st.none() | st.integers(),
    user=st.none() | text,
    service_tier=st.none() | st.just("flex"),
    cache=marks,
    extras=st.dictionaries(st.sampled_from(["n", "logit_bias", "store"]), st.just(1)),
)


@given(own_asks)
def test_an_ask_written_and_read_in_its_own_dialect_keeps_its_meaning(ask: Ask) -> None:
    encoded = encode_ask(ask, TARGET)
    assert encoded.losses == ()
    again = decode_ask(msgspec.json.decode(encoded.body))
    assert again == ask
    assert encode_ask(again, TARGET).body == encoded.body


foreign = st.builds(
    Opaque,
    st.sampled_from(Dialect),
    st.sampled_from(["hologram", "server_tool_use", "audio", "custom tool call"]),
    objects,
)
any_parts = (
    user_parts
    | tool_uses
    | st.builds(Text, st.text(max_size=3), marks, st.just(({"type": "page_location"},)))
    | st.builds(Thinking, st.text(max_size=3), st.none() | st.just("sig"))
    | st.builds(RedactedThinking, text)
    | st.builds(Refusal, st.text(max_size=3))
    | st.builds(Image, st.just(FileId("f", Dialect.ANTHROPIC)))
    | st.builds(Document, st.none(), text=st.text(max_size=3), citations=st.booleans())
    | foreign
    | st.builds(
        ToolResult,
        st.text(max_size=60),
        st.lists(texts | images | foreign, max_size=2).map(tuple),
        st.booleans(),
        marks,
    )
)
any_asks = st.builds(
    Ask,
    dialect=st.sampled_from(Dialect),
    model=st.text(max_size=3),
    turns=st.lists(
        st.builds(Turn, st.sampled_from(Role), st.lists(any_parts, max_size=4).map(tuple)),
        max_size=5,
    ).map(tuple),
    tools=st.lists(
        st.builds(Tool, st.text(max_size=80), st.none(), objects)
        | st.builds(ProviderTool, st.sampled_from(Dialect), text, st.text(max_size=5), objects),
        max_size=2,
    ).map(tuple),
    tool_choice=st.none() | st.builds(ToolChoice, st.sampled_from(ToolMode), st.none() | text),
    max_tokens=st.none() | st.integers(0, 10**6),
    temperature=st.none() | st.floats(0, 2),
    stop=st.lists(st.text(max_size=3), max_size=2).map(tuple),
    reasoning=st.none()
    | st.builds(
        Reasoning,
        st.none() | st.sampled_from(["low", "max", "odd"]),
        st.none() | st.integers(1, 99_999),
        st.none() | st.booleans(),
        st.booleans(),
    ),
    response_format=st.none()
    | st.builds(ResponseFormat, json=st.booleans(), schema=st.none() | objects),
    service_tier=st.none() | text,
    extras=objects,
)
targets = st.builds(
    EncodeTarget,
    st.just("m"),
    st.sampled_from(["gpt-4o", "gpt-5", "gpt-5.1", "llama", "deepseek-chat"]).map(
        lambda name: facts_for("openai", name)
    ),
    st.none() | st.integers(1, 9),
    st.booleans(),
    st.booleans(),
    st.frozensets(st.sampled_from(Quirk)),
)


def _encoded(ask: Ask, target: EncodeTarget) -> EncodedAsk | Untranslatable:
    try:
        return encode_ask(ask, target)
    except Untranslatable as untranslatable:
        return untranslatable


@given(any_asks, targets)
def test_any_conversation_is_written_or_untranslatable(ask: Ask, target: EncodeTarget) -> None:
    encoded = _encoded(ask, target)
    if isinstance(encoded, Untranslatable):
        assert encoded.message
        return
    body = msgspec.json.decode(encoded.body)
    assert {"user", "system", "developer"} & {m["role"] for m in body["messages"]}
    assert all(loss.isascii() and "\n" not in loss for loss in encoded.losses)
    assert encode_ask(ask, target) == encoded


@given(st.lists(any_parts, max_size=5), st.sampled_from(Stop))
def test_any_answer_is_written_as_json(parts: list[object], stop: Stop) -> None:
    answer = Answer(id="a", model="m", parts=tuple(parts), stop=stop, usage=Usage())  # type: ignore[arg-type]
    decode_answer(msgspec.json.decode(encode_answer(answer, model="m", created=1)))
