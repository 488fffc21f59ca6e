"""Each stop of the tour shows what it promises, or the demo fails."""

from __future__ import annotations

import contextlib

import click
import pytest

from support.attempts import deployment, settings
from support.running import at, gateway
from tiergate.core.catalog import RouterPolicy
from tiergate.demo import tour as stops
from tiergate.demo.command import HOST
from tiergate.demo.tour import Answer, Tour, TourError, take
from tiergate.mock import MockServer
from tiergate.wiring.server import Listener, listen


@contextlib.asynccontextmanager
async def touring(policy: RouterPolicy | None = None):
    """A gateway with one alias, which is not what the tour expects."""
    async with MockServer() as mock:
        one = deployment("cheap", "a", model="claude-haiku-4-5")
        made = gateway(settings(at(mock, (one,)), policy or RouterPolicy(num_retries=0)))
        front = await listen(made.plane(), Listener(HOST, 0))
        try:
            yield Tour(mock, HOST, front.port)
        finally:
            await front.aclose()
            await made.aclose()


async def test_a_stop_that_does_not_show_what_it_promises_fails_the_demo(capsys):
    async with touring() as tour:
        failed = await take(tour)

    said = click.unstyle(capsys.readouterr().out)
    assert failed == 1
    assert "1. An answer" in said
    assert "6. It keeps failing" in said, "the others are shown all the same"
    assert "This did not work: expected an answer by balanced" in said


async def test_a_stop_tells_the_answer_who_served_and_why():
    async with touring() as tour:
        try:
            told = await stops._answer(tour)
        finally:
            await tour.aclose()

    assert "served:  cheap/anthropic/claude-haiku-4-5" in told
    assert "why:     cheap/a ok" in told
    assert "model:   cheap" in told


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"choices":[{"message":{"content":"hi"}}]}', "hi"),
        (b'{"choices":[{"message":{"content":null}}]}', ""),
        (b'{"choices":[]}', ""),
        (b'{"error":{}}', ""),
        (b"[]", ""),
    ],
)
def test_the_text_of_an_answer(body, text):
    assert stops._text(Answer(200, {}, body)) == text


def test_what_was_expected_and_what_came():
    with pytest.raises(TourError, match="expected an answer, got 500 b'down'"):
        stops._expect(False, "an answer", Answer(500, {}, b"down"))
