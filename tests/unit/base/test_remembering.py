"""What is remembered is bounded."""

from __future__ import annotations

from tiergate.base.remembering import remember


def test_values_are_kept_until_there_are_too_many():
    known: dict[str, int] = {}
    for number, name in enumerate("abc"):
        remember(known, name, number, 3)
    assert known == {"a": 0, "b": 1, "c": 2}

    remember(known, "d", 3, 3)

    assert known == {"d": 3}
