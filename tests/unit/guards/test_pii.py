"""What counts as personal data, and what is done about it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from support.guarded import cut, look, occasion
from tiergate.core.guard_options import Direction, PiiEngine, PiiOptions, Reaction
from tiergate.core.guard_plan import Stage
from tiergate.guards.pii import Entity, PiiGuard, widest
from tiergate.ports.guarding import CLEAN, Passage, Place

TEXT = "Jane jane@example.com example.com"
NAME = Entity(0, 0, 4, "PERSON", 0.85)
MAIL = Entity(0, 5, 21, "EMAIL_ADDRESS", 1.0)
HOST = Entity(0, 10, 21, "URL", 0.5)
LINK = Entity(0, 22, 33, "URL", 0.5)


class Scripted:
    """A finder that finds what it is told, in texts that are not empty."""

    window = 77

    def __init__(self, *entities: Entity) -> None:
        self.entities = entities

    async def find(self, texts: Sequence[str]) -> list[Entity]:
        return [each for each in self.entities if texts[each.passage]]


def guard(**options: object) -> PiiGuard:
    given = PiiOptions(engine=PiiEngine.PATTERNS, **options)
    return PiiGuard(given, Scripted(NAME, MAIL, HOST, LINK))


async def test_everything_is_masked_by_its_kind_where_nothing_is_named():
    verdict = await look(guard(), TEXT)
    assert cut(verdict, TEXT) == [
        ("PERSON", "Jane"),
        ("EMAIL_ADDRESS", "jane@example.com"),
        ("URL", "example.com"),
    ]
    assert [f.instead for f in verdict.found] == ["<PERSON>", "<EMAIL_ADDRESS>", "<URL>"]
    assert {f.reaction for f in verdict.found} == {Reaction.MASK}


async def test_named_kinds_count_alone_each_with_its_reaction():
    entities = {"PERSON": Reaction.BLOCK, "URL": Reaction.LOG}
    verdict = await look(guard(entities=entities), TEXT)
    assert [(f.kind, f.reaction) for f in verdict.found] == [
        ("PERSON", Reaction.BLOCK),
        ("URL", Reaction.LOG),
    ]


async def test_ignored_kinds_and_allowed_texts_are_no_finding():
    options = {"ignored": frozenset({"URL"}), "allowed": frozenset({"jane"})}
    assert cut(await look(guard(**options), TEXT), TEXT) == [("EMAIL_ADDRESS", "jane@example.com")]


@pytest.mark.parametrize(
    ("scores", "kinds"),
    [
        ({"ALL": 0.7}, ["PERSON", "EMAIL_ADDRESS"]),
        ({"ALL": 0.7, "URL": 0.4}, ["PERSON", "EMAIL_ADDRESS", "URL"]),
        ({"PERSON": 0.9}, ["EMAIL_ADDRESS", "URL"]),
        ({"PERSON": 0.85}, ["PERSON", "EMAIL_ADDRESS", "URL"]),
    ],
)
async def test_a_finding_must_be_sure_enough(scores, kinds):
    assert [f.kind for f in (await look(guard(scores=scores), TEXT)).found] == kinds


async def test_values_that_are_put_back_get_numbered_placeholders():
    restoring = guard(restores=True)
    assert restoring.restores
    assert {f.instead for f in (await look(restoring, TEXT)).found} == {""}
    assert not guard().restores


@pytest.mark.parametrize(
    ("direction", "stages"),
    [
        (Direction.BOTH, set(Stage)),
        (Direction.INPUT, {Stage.PRE_CALL, Stage.DURING_CALL, Stage.LOGGING_ONLY}),
        (Direction.OUTPUT, {Stage.POST_CALL, Stage.LOGGING_ONLY}),
    ],
)
async def test_only_the_wanted_side_is_looked_at(direction, stages):
    looked = {
        stage
        for stage in Stage
        if await look(guard(direction=direction), TEXT, stage=stage) is not CLEAN
    }
    assert looked == stages


async def test_system_messages_can_be_left_out():
    passages = [Passage(TEXT, Place.SYSTEM)]
    assert await guard(skip_system=True).look(passages, occasion()) is CLEAN
    assert (await guard().look(passages, occasion())).found


def test_the_window_is_that_of_the_finder():
    assert guard().window == 77


def test_what_lies_inside_another_finding_is_not_one_more():
    assert widest([HOST, MAIL, NAME, MAIL]) == [NAME, MAIL]
    other = Entity(1, 10, 21, "URL", 0.5)
    assert widest([other, MAIL]) == [MAIL, other]
