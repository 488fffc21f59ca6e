"""The word to stop, and what a second one means."""

from __future__ import annotations

import asyncio

from tiergate.wiring.leaving import Leaving


async def test_the_first_word_begins_and_the_second_hurries():
    leaving = Leaving()
    assert not leaving.begun.is_set()
    leaving.say()
    assert leaving.begun.is_set()
    assert not leaving.hurried.is_set()
    leaving.say()
    assert leaving.hurried.is_set()


async def test_one_of_several_workers_is_hurried_by_its_supervisor_only():
    leaving = Leaving(supervised=True)
    leaving.say()
    leaving.say()
    assert leaving.begun.is_set()
    assert not leaving.hurried.is_set()


async def test_a_wait_ends_with_its_time_or_with_a_second_word():
    leaving = Leaving()
    assert await leaving.hurried_within(0.01) is False
    waiting = asyncio.ensure_future(leaving.hurried_within(60))
    leaving.say()
    leaving.say()
    assert await asyncio.wait_for(waiting, 5) is True
