from __future__ import annotations

from tiergate.config.caps import show_cap, show_usd
from tiergate.config.durations import NO_WINDOW, Window
from tiergate.core.catalog import OnStoreFailure


def test_amounts_are_shown_in_dollars() -> None:
    assert [show_usd(x) for x in (0, 1, 1_500_000, 1_200_000_000_000)] == [
        "0 USD",
        "0.000000001 USD",
        "0.0015 USD",
        "1200 USD",
    ]


def test_a_cap_is_shown_with_its_window_and_what_holds_without_a_store() -> None:
    month = Window("monthly", "calendar:month")

    assert show_cap(5_000_000_000, month, OnStoreFailure.REFUSE) == (
        "5 USD, one calendar month; store down: refuse"
    )
    assert show_cap(0, NO_WINDOW, OnStoreFailure.ALLOW) == "0 USD, no end; store down: allow"
