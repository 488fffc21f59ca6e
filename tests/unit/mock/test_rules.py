"""Rules and steps that make no sense cannot be built."""

from __future__ import annotations

import pytest

from tiergate.mock.rules import Fail, Reply, Rule


@pytest.mark.parametrize("status", [399, 600, 200, 0])
def test_a_failure_needs_an_error_status(status: int) -> None:
    with pytest.raises(ValueError, match=f"not {status}"):
        Fail(status)


def test_a_rule_needs_a_step() -> None:
    with pytest.raises(ValueError, match="at least one step"):
        Rule(())


def test_a_reply_left_empty_leaves_all_open() -> None:
    reply = Reply()
    assert reply.text is None
    assert reply.finish is None
    assert reply.usage.input is None
