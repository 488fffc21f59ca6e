"""What is left out is noted."""

from __future__ import annotations

import pytest

from tiergate.base.errors import Untranslatable
from tiergate.providers.losses import UNNAMED, Losses


def test_each_loss_is_noted_once_in_order() -> None:
    losses = Losses(lenient=False)
    for word in ("top_k", "cache_control", "top_k"):
        losses.add(word)
    assert losses.words == ("top_k", "cache_control")


def test_a_loss_that_changes_the_answer_is_refused() -> None:
    losses = Losses(lenient=False)
    with pytest.raises(Untranslatable) as caught:
        losses.refuse("prefill", "Why.", param="messages")
    assert (caught.value.message, caught.value.param) == ("Why.", "messages")
    assert losses.words == ()


def test_drop_params_turns_it_into_a_loss() -> None:
    losses = Losses(lenient=True)
    losses.refuse("prefill", "Why.")
    assert losses.words == ("prefill",)


@pytest.mark.parametrize("word", ["a\r\nset-cookie: x", "", "ü", "x" * 200])
def test_a_name_that_cannot_stand_in_a_header_is_not_shown(word: str) -> None:
    losses = Losses(lenient=False)
    losses.add(word)
    assert losses.words == (UNNAMED,)
