"""A body for a provider of the same dialect arrives byte for byte, however oddly it is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.shapes import CHAT, MESSAGES
from support.stage import ANTHROPIC_ALIAS, ANTHROPIC_MODEL, OPENAI_ALIAS, OPENAI_MODEL, Stage

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

Drawn = TypeVar("Drawn")
Draw = Callable[[st.SearchStrategy[Drawn]], Drawn]

DOORS = {CHAT: (OPENAI_ALIAS, OPENAI_MODEL), MESSAGES: (ANTHROPIC_ALIAS, ANTHROPIC_MODEL)}
NUMBERS = ("0", "-0", "1.0", "1e5", "1E+2", "-1.50e-3", "12345678901234567890123", "0.1000")

spaces = st.text(" \t\r\n", max_size=3)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@st.composite
def strings(draw: Draw[str | bool]) -> str:
    """A JSON string, escaped as much as must be, or all beyond ASCII."""
    return json.dumps(draw(words), ensure_ascii=bool(draw(st.booleans())))


@st.composite
def lists(draw: Draw[object], values: st.SearchStrategy[str]) -> str:
    """A JSON list with odd spaces."""
    items = draw(st.lists(values, max_size=3))
    assert isinstance(items, list)
    return f"[{draw(spaces)}{','.join(items)}{draw(spaces)}]"


@st.composite
def objects(draw: Draw[object], values: st.SearchStrategy[str]) -> str:
    """A JSON object with odd spaces; a name may come twice, below the top."""
    names = draw(st.lists(strings(), max_size=3))
    assert isinstance(names, list)
    members = [
        f"{draw(spaces)}{name}{draw(spaces)}:{draw(spaces)}{draw(values)}" for name in names
    ]
    return f"{{{','.join(members)}{draw(spaces)}}}"


scalars = st.one_of(st.sampled_from((*NUMBERS, "true", "false", "null")), strings())
values = st.recursive(scalars, lambda inner: st.one_of(lists(inner), objects(inner)), max_leaves=8)


@st.composite
def bodies(draw: Draw[object], alias: str) -> tuple[str, str]:
    """A request, as the text before and after its model's value."""
    content = draw(strings())
    names = draw(st.lists(words.map(lambda word: f"x_{word}"), max_size=4, unique=True))
    assert isinstance(names, list)
    members = [(json.dumps(name), draw(values)) for name in names]
    members.append(('"messages"', f'[ {{"role":"user", "content" :{content}}}]'))
    members.append(('"max_tokens"', "100"))
    members.append(('"model"', json.dumps(alias)))
    order = draw(st.permutations(members))
    assert isinstance(order, list)
    before, after = "", ""
    for number, (name, value) in enumerate(order):
        comma = "," if number else ""
        head = f"{comma}{draw(spaces)}{name}{draw(spaces)}:{draw(spaces)}"
        if name == '"model"':
            before, after = before + head, ""
            continue
        if '"model"' in (seen for seen, _ in order[:number]):
            after += f"{head}{value}"
        else:
            before += f"{head}{value}"
    return f"{draw(spaces)}{{{before}", f"{after}{draw(spaces)}}}{draw(spaces)}"


@pytest.mark.parametrize("path", DOORS)
async def test_any_body_arrives_as_it_was_written_but_for_the_model(
    shared_stage: Stage, path: str
) -> None:
    alias, model = DOORS[path]
    upstream = shared_stage.of(alias)

    @given(body=bodies(alias))
    @settings(max_examples=50, deadline=None)
    def collected(body: tuple[str, str]) -> None:
        examples.append(body)

    examples: list[tuple[str, str]] = []
    collected()
    assert len(examples) >= 50
    for before, after in examples:
        upstream.requests.clear()
        sent = f'{before}"{alias}"{after}'.encode()
        answer = await shared_stage.gateway.post(path, sent)
        assert answer.status == 200, (sent, answer.text)
        assert upstream.last.body == f'{before}"{model}"{after}'.encode()


@pytest.mark.parametrize("path", DOORS)
async def test_a_model_written_with_escapes_is_understood(stage: Stage, path: str) -> None:
    alias, model = DOORS[path]
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in alias)
    text = '{"messages":[{"role":"user","content":"\\u00e9\\/"}], "max_tokens":9, "model":"%s"}'
    answer = await stage.gateway.post(path, (text % escaped).encode())
    assert answer.status == 200
    assert stage.of(alias).last.body == (text % model).encode()
