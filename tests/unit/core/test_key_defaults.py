"""Windows are compared by their length."""

from __future__ import annotations

import pytest

from tiergate.core.key_defaults import length


@pytest.mark.parametrize(
    ("shorter", "longer"),
    [
        ("rolling:60", "calendar:hour"),
        ("calendar:day", "rolling:86401"),
        ("calendar:week", "calendar:month"),
        ("calendar:month", "rolling:2678400"),
        ("calendar:year", "none"),
    ],
)
def test_windows_are_ordered_by_their_length(shorter, longer):
    assert length(shorter) < length(longer)


def test_a_calendar_month_is_no_longer_than_thirty_days():
    assert length("calendar:month") == length("rolling:2592000")
