"""Random canonical conversations, for properties that must hold for every one of them."""

from __future__ import annotations

from hypothesis import strategies as st

from tiergate.base.chat import (
    Ask,
    Audio,
    Bytes64,
    CacheMark,
    Document,
    FileId,
    Image,
    Link,
    Opaque,
    Part,
    ProviderTool,
    Reasoning,
    RedactedThinking,
    Refusal,
    ResponseFormat,
    Role,
    Text,
    Thinking,
    Tool,
    ToolChoice,
    ToolMode,
    ToolResult,
    ToolUse,
    Turn,
)
from tiergate.base.values import Dialect

dialects = st.sampled_from(list(Dialect))
texts = st.sampled_from(["", " ", "hi", "日本 😀", "a\nb", '"quoted"', "trailing "])
ids = st.sampled_from(["t1", "t2", "call:3", "x" * 80])
names = st.sampled_from(["look", "find.it", "n" * 130, "日本"])
marks = st.none() | st.sampled_from(
    [CacheMark({"type": "ephemeral"}), CacheMark({"type": "ephemeral", "ttl": "1h"})]
)
schemas = st.sampled_from(
    [
        {},
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}},
        {"type": "object", "additionalProperties": {"type": "string"}},
    ]
)
sources = st.one_of(
    st.sampled_from([Bytes64("image/png", "AAAA"), Bytes64("application/pdf", "JVBE")]),
    st.just(Bytes64("text/plain", "aGk=")),
    st.just(Link("https://files.example/a")),
    dialects.map(lambda dialect: FileId("file_1", dialect)),
)
pictures = st.builds(Image, sources, detail=st.sampled_from([None, "auto", "high"]), cache=marks)
documents = st.one_of(
    st.builds(Document, sources, title=st.none() | st.just("t"), cache=marks),
    st.builds(Document, st.none(), texts, citations=st.booleans(), cache=marks),
)
plain = st.builds(Text, texts, cache=marks)
seen: st.SearchStrategy[Part] = plain | pictures | documents
results = st.builds(
    ToolResult,
    ids,
    st.lists(seen, max_size=3).map(tuple),
    is_error=st.booleans(),
    cache=marks,
)
calls = st.builds(
    ToolUse,
    ids,
    names,
    st.sampled_from(["", "{}", '{"a": 1}', '{"a": ', "[1]", '{"n": 12345678901234567890123}']),
    cache=marks,
)
thoughts = st.builds(Thinking, texts, st.none() | st.just("c2ln")) | st.builds(
    RedactedThinking, st.just("data")
)
opaque = st.builds(Opaque, dialects, st.just("novelty"), st.just({"type": "novelty", "text": "x"}))
user_parts: st.SearchStrategy[Part] = seen | results | opaque | st.just(Audio("AAAA", "wav"))
assistant_parts: st.SearchStrategy[Part] = (
    plain | calls | thoughts | opaque | st.builds(Refusal, texts)
)


def _turn(role: Role, parts: st.SearchStrategy[Part]) -> st.SearchStrategy[Turn]:
    return st.builds(
        Turn, st.just(role), st.lists(parts, max_size=4).map(tuple), st.none() | st.just("Ann")
    )


turns = st.one_of(
    _turn(Role.SYSTEM, plain),
    _turn(Role.DEVELOPER, plain),
    _turn(Role.USER, user_parts),
    _turn(Role.ASSISTANT, assistant_parts),
)
tools = st.one_of(
    st.builds(
        Tool,
        names,
        st.none() | texts,
        schemas,
        strict=st.none() | st.booleans(),
        cache=marks,
    ),
    st.builds(
        ProviderTool,
        dialects,
        st.just("web_search"),
        st.just("web_search"),
        st.just({"type": "web_search", "name": "web_search"}),
    ),
)
choices = st.one_of(
    st.builds(
        ToolChoice,
        st.sampled_from([ToolMode.AUTO, ToolMode.NONE, ToolMode.ANY]),
        st.none(),
        st.none() | st.booleans(),
    ),
    st.builds(ToolChoice, st.just(ToolMode.NAMED), names, st.none() | st.booleans()),
)
wishes = st.builds(
    Reasoning,
    effort=st.sampled_from([None, "none", "minimal", "low", "medium", "high", "xhigh", "odd"]),
    budget=st.none() | st.integers(1, 100_000),
    enabled=st.none() | st.booleans(),
    adaptive=st.booleans(),
    display=st.none() | st.just("summarized"),
)
formats = st.builds(
    ResponseFormat,
    json=st.booleans(),
    schema=st.none() | schemas,
    name=st.none() | st.just("answer"),
    strict=st.none() | st.booleans(),
)
extras = st.dictionaries(
    st.sampled_from(
        ["n", "logprobs", "logit_bias", "store", "metadata", "modalities", "x y", "mcp_servers"]
    ),
    st.sampled_from([0, 1, 2, True, False, [], ["text"], {}, {"a": 1}, "word"]),
    max_size=3,
)
asks = st.builds(
    Ask,
    dialect=dialects,
    model=st.just("cheap"),
    turns=st.lists(turns, max_size=6).map(tuple),
    tools=st.lists(tools, max_size=3).map(tuple),
    tool_choice=st.none() | choices,
    max_tokens=st.none() | st.integers(1, 300_000),
    temperature=st.sampled_from([None, 0, 0.5, 1, 2]),
    top_p=st.sampled_from([None, 0.5, 1]),
    top_k=st.none() | st.just(5),
    stop=st.lists(st.sampled_from(["END", "\n", " "]), max_size=2).map(tuple),
    stream=st.booleans(),
    include_usage=st.booleans(),
    reasoning=st.none() | wishes,
    response_format=st.none() | formats,
    seed=st.none() | st.just(7),
    user=st.sampled_from([None, "ann", "u" * 300]),
    service_tier=st.sampled_from([None, "auto", "default", "flex"]),
    cache=marks,
    extras=extras,
)
