"""What a provider gets of turn n stands at the beginning of what it gets of turn n+1, in bytes.

Through every door to every provider, in recorded conversations of agents; the order is that in
which the provider reads: tools, system, messages.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import pairwise

import msgspec
import pytest

from support.engine import served_by
from support.turns import RULES, chatting, coding, looking, marked, seeing, unmarked
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import AliasName, Dialect, Operation
from tiergate.core.breakpoints import Breakpoints, Part, Place, stable_prefix
from tiergate.core.catalog import Deployment
from tiergate.ports import Inbound
from tiergate.providers.codec import ProviderCodec
from tiergate.wire.members import Members

TURNS = 12
STABLE = stable_prefix(1024, one_hour=False)


def native() -> list[JsonObject]:
    return coding(TURNS)


def thoughtful() -> list[JsonObject]:
    return coding(TURNS, thinking=True)


def moving_marks() -> list[JsonObject]:
    return marked(coding(TURNS))


def pictures() -> list[JsonObject]:
    return looking(TURNS)


def chat() -> list[JsonObject]:
    return chatting(TURNS)


def chat_pictures() -> list[JsonObject]:
    return seeing(TURNS)


TALKS: Sequence[tuple[Dialect, Callable[[], list[JsonObject]]]] = (
    (Dialect.ANTHROPIC, native),
    (Dialect.ANTHROPIC, thoughtful),
    (Dialect.ANTHROPIC, pictures),
    (Dialect.OPENAI, chat),
    (Dialect.OPENAI, chat_pictures),
)
PROVIDERS = {
    Dialect.ANTHROPIC: {"model": "claude-sonnet-4-5"},
    Dialect.OPENAI: {"model": "gpt-4o"},
}


def deployment(dialect: Dialect, marks: Breakpoints | None = None) -> Deployment:
    return served_by("a", "dep", dialect, breakpoints=marks, **PROVIDERS[dialect])


def inbound(door: Dialect, turn: JsonObject, indent: int | None = None) -> Inbound:
    body = json.dumps({"model": "a", "max_tokens": 2048, **turn}, indent=indent).encode()
    return Inbound(
        call_id="c",
        received=0.0,
        wall=0.0,
        dialect=door,
        operation=Operation.CHAT,
        asked="a",
        alias=AliasName("a"),
        stream=False,
        include_usage=False,
        members=Members.read(body),
    )


def sent(door: Dialect, turn: JsonObject, to: Deployment, indent: int | None = None) -> bytes:
    codec = ProviderCodec(lambda: 0.0, lambda start: f"{start}1")
    return codec.prepare(inbound(door, turn, indent), to).body


def prompt(body: bytes) -> bytes:
    """The prompt in the order in which it is read, without what closes it."""
    members = Members.read(body)
    parts = [members.raw(name) or b"" for name in ("tools", "system", "messages")]
    return b"\n".join(parts).rstrip().removesuffix(b"]").rstrip()


@pytest.mark.parametrize("provider", list(Dialect))
@pytest.mark.parametrize(("door", "talk"), TALKS)
@pytest.mark.parametrize("marks", [None, STABLE])
@pytest.mark.parametrize("indent", [None, 1])
def test_each_turn_begins_with_the_one_before(
    door: Dialect,
    talk: Callable[[], list[JsonObject]],
    provider: Dialect,
    marks: Breakpoints | None,
    indent: int | None,
) -> None:
    to = deployment(provider, marks if provider is Dialect.ANTHROPIC else None)
    bodies = [prompt(sent(door, turn, to, indent)) for turn in talk()]
    for before, after in pairwise(bodies):
        assert len(after) > len(before)
        assert after.startswith(before)


@pytest.mark.parametrize(
    ("door", "talk", "marks"),
    [
        (Dialect.ANTHROPIC, moving_marks, None),
        (
            Dialect.OPENAI,
            chat,
            Breakpoints(places=(*STABLE.places, Place(part=Part.MESSAGES, index=-1)), least=1024),
        ),
    ],
)
def test_marks_that_move_on_change_nothing_but_themselves(
    door: Dialect, talk: Callable[[], list[JsonObject]], marks: Breakpoints | None
) -> None:
    to = deployment(Dialect.ANTHROPIC, marks)
    bodies = [msgspec.json.decode(sent(door, turn, to)) for turn in talk()]
    for before, after in pairwise(bodies):
        for name in ("tools", "system"):
            assert unmarked(after[name]) == unmarked(before[name])
        said: list[Json] = before["messages"]
        assert unmarked(after["messages"][: len(said)]) == unmarked(said)
        assert 0 < msgspec.json.encode(after).count(b'"cache_control"') <= 4


@pytest.mark.parametrize("provider", list(Dialect))
@pytest.mark.parametrize(("door", "talk"), TALKS)
def test_equal_requests_are_equal_bytes(
    door: Dialect, talk: Callable[[], list[JsonObject]], provider: Dialect
) -> None:
    to = deployment(provider, STABLE if provider is Dialect.ANTHROPIC else None)
    turn = talk()[-1]
    assert len({sent(door, turn, to) for _ in range(3)}) == 1


def test_a_breakpoint_changes_only_its_own_place_in_the_callers_bytes() -> None:
    turn = coding(3)[-1]
    plain = sent(Dialect.ANTHROPIC, turn, deployment(Dialect.ANTHROPIC), 2)
    with_marks = sent(Dialect.ANTHROPIC, turn, deployment(Dialect.ANTHROPIC, STABLE), 2)
    # The marks are the only difference: without them it is what the caller wrote.
    assert with_marks.replace(b',"cache_control":{"type":"ephemeral"}', b"") == plain


def test_no_place_for_a_breakpoint_is_found_below_the_least_length() -> None:
    turn: JsonObject = {"system": RULES[:3000], "messages": [{"role": "user", "content": "x"}]}
    plain = sent(Dialect.ANTHROPIC, turn, deployment(Dialect.ANTHROPIC))
    assert sent(Dialect.ANTHROPIC, turn, deployment(Dialect.ANTHROPIC, STABLE)) == plain
