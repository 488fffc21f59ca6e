"""How long a request may be."""

from __future__ import annotations

from support.guarded import look, occasion, user
from tiergate.core.guard_options import LengthOptions, Reaction
from tiergate.guards.length import LengthGuard
from tiergate.ports.guarding import CLEAN


async def test_the_gateways_own_estimate_decides_about_tokens():
    guard = LengthGuard(LengthOptions(tokens=100))
    assert await guard.look([user("x" * 4000)], occasion(prompt_tokens=100)) is CLEAN
    verdict = await guard.look([user("x")], occasion(prompt_tokens=101))
    assert verdict.blocked == "the prompt has about 101 tokens and may have 100; shorten it"


async def test_without_an_estimate_four_characters_are_a_token():
    guard = LengthGuard(LengthOptions(tokens=2))
    assert await look(guard, "1234", "5678") is CLEAN
    assert "about 3 tokens" in (await look(guard, "1234", "56789")).blocked


async def test_characters_of_all_texts_count_together():
    guard = LengthGuard(LengthOptions(characters=5))
    assert await look(guard, "123", "45") is CLEAN
    assert (await look(guard, "123", "456")).blocked.startswith("the texts have 6 characters")


async def test_a_limit_can_be_logged_only():
    guard = LengthGuard(LengthOptions(characters=1, reaction=Reaction.LOG))
    verdict = await look(guard, "1", "234")
    assert not verdict.blocked
    (found,) = verdict.found
    assert (found.passage, found.kind, found.reaction) == (1, "max_tokens", Reaction.LOG)
    nothing = LengthGuard(LengthOptions(tokens=1, reaction=Reaction.LOG))
    assert (await nothing.look([], occasion(prompt_tokens=2))).found[0].passage == 0


def test_only_whole_texts_have_a_length():
    guard = LengthGuard(LengthOptions(tokens=1))
    assert (guard.window, guard.restores) == (None, False)
