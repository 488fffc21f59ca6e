"""How often connections are checked follows from the limits."""

from __future__ import annotations

from tiergate.front import Limits


def test_by_default_connections_are_checked_every_second() -> None:
    assert Limits().sweep_seconds == 1.0


def test_a_short_limit_is_late_by_a_quarter_of_itself_at_most() -> None:
    assert Limits(header_seconds=0.4).sweep_seconds == 0.1
    assert Limits(keep_alive_seconds=0.4).sweep_seconds == 0.1
    assert Limits(stalled_seconds=0.4).sweep_seconds == 0.1
    assert Limits(linger_seconds=0.1).sweep_seconds == 0.1
