"""Breakpoints go into the bytes where the policy wants them, and nothing else changes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.core.breakpoints import Breakpoints, Part, Place, stable_prefix
from tiergate.providers.anthropic.breakpoints import breakpoint_edits
from tiergate.wire.members import Members

SHORT = {"type": "ephemeral"}
LONG = {"type": "ephemeral", "ttl": "1h"}
TOOL = {"name": "look", "description": "d" * 400, "input_schema": {"type": "object"}}
RULES = "Be careful. " * 40
ASK = {"role": "user", "content": "go"}
STABLE = stable_prefix(100, one_hour=False)


def edited(body: JsonObject | str, policy: Breakpoints = STABLE) -> JsonObject:
    text = body if isinstance(body, str) else json.dumps(body)
    members = Members.read(text.encode())
    return json.loads(members.edit(breakpoint_edits(members, policy)))


def marks(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "cache_control":
                yield path, inner
            else:
                yield from marks(inner, f"{path}/{name}")
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from marks(inner, f"{path}/{at}")


def at_messages(*places: Place, least: int = 1) -> Breakpoints:
    return Breakpoints(places=places, least=least)


def test_tools_and_system_end_with_one_each() -> None:
    body = {"tools": [TOOL, TOOL], "system": RULES, "messages": [ASK]}
    assert dict(marks(edited(body))) == {"/tools/1": SHORT, "/system/0": SHORT}


def test_a_system_text_becomes_a_block_that_says_the_same() -> None:
    found = edited({"system": RULES + '"quoted" \u00e9', "messages": [ASK]})
    assert found["system"] == [
        {"type": "text", "text": RULES + '"quoted" \u00e9', "cache_control": SHORT}
    ]


def test_short_tools_get_none_of_their_own() -> None:
    small = {"name": "t", "input_schema": {}}
    body = {"tools": [small], "system": RULES, "messages": [ASK]}
    assert dict(marks(edited(body))) == {"/system/0": SHORT}


def test_a_prefix_that_is_too_short_gets_none() -> None:
    body = {"tools": [TOOL], "system": RULES, "messages": [ASK]}
    assert edited(body, stable_prefix(100_000, one_hour=False)) == body


def test_an_hour_is_written_as_the_provider_wants_it() -> None:
    found = edited({"system": RULES, "messages": [ASK]}, stable_prefix(1, one_hour=True))
    assert dict(marks(found)) == {"/system/0": LONG}


@pytest.mark.parametrize(
    "marked",
    [
        {"cache_control": SHORT},
        {"tools": [{**TOOL, "cache_control": SHORT}]},
        {"system": [{"type": "text", "text": RULES, "cache_control": LONG}]},
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "x", "cache_control": SHORT}],
                }
            ]
        },
    ],
)
def test_the_callers_own_breakpoints_stay_alone(marked: JsonObject) -> None:
    body = {"tools": [TOOL], "system": RULES, "messages": [ASK], **marked}
    everywhere = Breakpoints(places=(*STABLE.places, Place(part=Part.MESSAGES, index=-1)), least=1)
    assert edited(body, everywhere) == body


def test_a_text_that_speaks_of_breakpoints_sets_none() -> None:
    body = {"system": RULES + 'Set "cache_control" often.', "messages": [ASK]}
    assert dict(marks(edited(body))) == {"/system/0": SHORT}


@pytest.mark.parametrize(
    ("system", "path"),
    [
        ([{"type": "text", "text": RULES}, {"type": "text", "text": ""}], "/system/0"),
        ([{"type": "text", "text": RULES}, {"type": "text", "text": "end"}], "/system/1"),
        ([], None),
        (" ", None),
    ],
)
def test_the_last_block_that_can_carry_one_does(system: Json, path: str | None) -> None:
    found = dict(
        marks(edited({"system": system, "messages": [ASK]}, stable_prefix(0, one_hour=False)))
    )
    assert list(found) == ([] if path is None else [path])


def test_tools_that_are_loaded_later_carry_none() -> None:
    later = {**TOOL, "defer_loading": True}
    body = {"tools": [TOOL, later], "messages": [ASK]}
    assert dict(marks(edited(body))) == {"/tools/0": SHORT}


def test_the_last_message_is_marked_by_its_index() -> None:
    body = {"messages": [ASK, {"role": "assistant", "content": "yes"}, ASK]}
    found = edited(body, at_messages(Place(part=Part.MESSAGES, index=-1)))
    assert dict(marks(found)) == {"/messages/2/content/0": SHORT}
    assert found["messages"][:2] == body["messages"][:2]


def test_thinking_carries_none() -> None:
    content = [
        {"type": "text", "text": "so"},
        {"type": "thinking", "thinking": "hm", "signature": "s"},
    ]
    body = {"messages": [ASK, {"role": "assistant", "content": content}]}
    found = edited(body, at_messages(Place(part=Part.MESSAGES, index=1)))
    assert dict(marks(found)) == {"/messages/1/content/0": SHORT}


def test_there_are_never_more_than_four_and_the_longest_prefixes_win() -> None:
    turns = [ASK, {"role": "assistant", "content": "yes"}] * 9
    body = {"tools": [TOOL], "system": RULES, "messages": [*turns, ASK]}
    policy = Breakpoints(places=(*STABLE.places, Place(part=Part.MESSAGES, role="user")), least=1)
    assert list(dict(marks(edited(body, policy)))) == [
        "/tools/0",
        "/system/0",
        "/messages/16/content/0",
        "/messages/18/content/0",
    ]


def test_a_message_whose_prefix_is_too_short_gets_none() -> None:
    body = {"messages": [ASK, {"role": "assistant", "content": "y" * 4000}, ASK]}
    policy = at_messages(Place(part=Part.MESSAGES, role="user"), least=500)
    assert dict(marks(edited(body, policy))) == {"/messages/2/content/0": SHORT}


@pytest.mark.parametrize(
    "body",
    [
        '{"system":5,"messages":[]}',
        '{"system":[5],"tools":[{}],"messages":[{"role":"user","content":"x"}]}',
        '{"tools":{"a":1},"system":null,"messages":7}',
        '{"messages":[{"content":3}]}',
    ],
)
def test_what_is_malformed_goes_on_as_it_came(body: str) -> None:
    policy = Breakpoints(places=(*STABLE.places, Place(part=Part.MESSAGES, index=-1)), least=0)
    assert edited(body, policy) == json.loads(body)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
blocks = st.builds(lambda text: {"type": "text", "text": text}, texts)
contents = texts | st.lists(blocks, min_size=1, max_size=3)
messages = st.lists(
    st.builds(
        lambda role, content: {"role": role, "content": content},
        st.sampled_from(["user", "assistant"]),
        contents,
    ),
    min_size=1,
    max_size=12,
)
places = st.lists(
    st.sampled_from(
        [
            Place(part=Part.TOOLS),
            Place(part=Part.SYSTEM),
            Place(part=Part.MESSAGES, role="user"),
            Place(part=Part.MESSAGES, role="assistant"),
            Place(part=Part.MESSAGES, index=-1),
            Place(part=Part.MESSAGES, index=0),
        ]
    ),
    max_size=4,
    unique=True,
)


def without_marks(value: Json) -> Json:
    """The prompt as the provider reads it: no marks, and a lone text block is a text."""
    if isinstance(value, dict):
        kept = {n: without_marks(v) for n, v in value.items() if n != "cache_control"}
        for name in ("content", "system"):
            inner = kept.get(name)
            if isinstance(inner, list) and len(inner) == 1 and set(inner[0]) == {"type", "text"}:
                kept[name] = inner[0]["text"]
        return kept
    if isinstance(value, list):
        return [without_marks(each) for each in value]
    return value


@given(
    system=contents | st.none(), turns=messages, wanted=places, indent=st.sampled_from([None, 1])
)
def test_the_prompt_says_the_same_and_never_has_five(system, turns, wanted, indent) -> None:
    body: JsonObject = {"model": "m", "tools": [TOOL], "messages": turns}
    if system is not None:
        body["system"] = system
    policy = Breakpoints(places=tuple(sorted(wanted, key=lambda p: p.part)), least=1)
    found = edited(json.dumps(body, indent=indent), policy)
    assert without_marks(found) == without_marks(body)
    assert len(list(marks(found))) <= 4
