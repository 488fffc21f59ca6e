"""The phases of a connection."""

from __future__ import annotations

from tiergate.front.phase import Phase


def test_requests_are_answered_until_all_is_said() -> None:
    assert [phase for phase in Phase if phase.answers] == [Phase.OPEN, Phase.LAST]
