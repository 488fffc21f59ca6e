"""Which service tier a provider's word names."""

from __future__ import annotations

import pytest

from tiergate.base.jsontypes import Json
from tiergate.base.values import ServiceTier
from tiergate.providers.service_tiers import tier_named


@pytest.mark.parametrize("word", [None, "", "auto", "default", "standard", "on_demand"])
def test_the_usual_words_are_the_standard_tier(word: Json) -> None:
    assert tier_named(word) is ServiceTier.STANDARD


@pytest.mark.parametrize("word", ["flex", "priority", "fast", "batch"])
def test_special_tiers_have_their_own_word(word: str) -> None:
    assert tier_named(word) is ServiceTier(word)


@pytest.mark.parametrize("word", ["scale", "performance", "Flex", 5, True, ["flex"], {}])
def test_what_is_not_known_is_never_taken_for_the_standard(word: Json) -> None:
    assert tier_named(word) is ServiceTier.OTHER
