from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.config.durations import (
    LONGEST_SECONDS,
    SECONDS,
    BadDuration,
    Window,
    seconds,
    show_seconds,
    window,
)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30", 30),
        ("0", 0),
        ("0.5", 0.5),
        ("30s", 30),
        ("30sec", 30),
        ("0.5s", 0.5),
        ("1m", 60),
        ("5min", 300),
        ("1h", 3600),
        ("1.5h", 5400),
        ("1d", 86_400),
        ("1w", 604_800),
    ],
)
def test_lengths_of_time_in_seconds(text: str, length: float) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("1mo", "30s"),
        ("monthly", "30s"),
        ("soon", "30s"),
        ("", "30s"),
        ("-5s", "30s"),
        ("5 s", "Write 5s."),
        ("5 Minutes", "Write 5min."),
        ("5S", "Write 5s."),
        ("1M", "1mo for months or 1min for minutes"),
        ("1e3s", "30s"),
    ],
)
def test_what_is_no_length_says_what_to_write(text: str, advice: str) -> None:
    with pytest.raises(BadDuration) as caught:
        seconds(text)

    assert advice in caught.value.advice


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("hourly", "calendar:hour"),
        ("daily", "calendar:day"),
        ("weekly", "calendar:week"),
        ("monthly", "calendar:month"),
        ("Monthly", "calendar:month"),
        ("yearly", "calendar:year"),
        ("1h", "calendar:hour"),
        ("1d", "calendar:day"),
        ("1w", "calendar:week"),
        ("1mo", "calendar:month"),
        ("1y", "calendar:year"),
        ("none", "none"),
        ("60s", "rolling:60"),
        ("1s", "rolling:1"),
        ("1min", "rolling:60"),
        ("5m", "rolling:300"),
        ("24h", "rolling:86400"),
        ("7d", "rolling:604800"),
        ("30d", "rolling:2592000"),
        ("2w", "rolling:1209600"),
    ],
)
def test_one_calendar_unit_follows_the_calendar_and_several_roll(text: str, period: str) -> None:
    read = window(text)

    assert (read.text, read.period) == (text, period)


def test_a_bare_number_is_seconds_and_a_number_in_quotes_lacks_a_unit() -> None:
    assert window(86_400).period == "rolling:86400"

    with pytest.raises(BadDuration) as caught:
        window("30")

    assert "30s" in caught.value.advice
    assert "30d" in caught.value.advice


def test_1m_is_a_month_where_the_page_writes_it_and_a_minute_elsewhere() -> None:
    month, minute = window("1m", m_is_month=True), window("1m")

    assert (month.period, month.month_by_m, month.minute_by_m) == ("calendar:month", True, False)
    assert (minute.period, minute.month_by_m, minute.minute_by_m) == ("rolling:60", False, True)


@pytest.mark.parametrize("text", ["2m", "5m", "30m"])
def test_several_m_at_the_place_of_the_page_are_ambiguous(text: str) -> None:
    with pytest.raises(BadDuration) as caught:
        window(text, m_is_month=True)

    assert f"{text[:-1]}min" in caught.value.advice


@pytest.mark.parametrize(
    "value",
    ["", "1 fortnight", "-1d", "0d", "0mo", "2mo", "3y", "1.5h", "1M", "1month", "Month", "m",
     "9" * 20 + "d", "999999999w", "1d ", "１d", 0, -5, 0.5, float("inf"), float("nan")],
)  # fmt: skip
@pytest.mark.parametrize("m_is_month", [True, False])
def test_a_window_that_is_not_understood_is_never_guessed(
    value: str | float, m_is_month: bool
) -> None:
    with pytest.raises(BadDuration) as caught:
        window(value, m_is_month=m_is_month)

    assert caught.value.message
    assert caught.value.advice


@pytest.mark.parametrize(
    ("text", "advice"),
    [("month", "Write monthly."), ("1 month", "Write 1mo."), ("2 days", "Write 2d.")],
)
def test_a_near_miss_is_told_the_right_form(text: str, advice: str) -> None:
    with pytest.raises(BadDuration) as caught:
        window(text)

    assert caught.value.advice == advice


@given(st.integers(1, 10_000), st.sampled_from(sorted(SECONDS)))
def test_a_count_of_a_unit_is_that_many_seconds(count: int, unit: str) -> None:
    length = count * SECONDS[unit]
    if length <= LONGEST_SECONDS:
        assert seconds(f"{count}{unit}") == length
        assert count == 1 or window(f"{count}{unit}").period == f"rolling:{length}"


def complaint(read: Callable[[str], object], text: str) -> tuple[str, str] | None:
    """What is said of a text: message and advice, or None when it is read."""
    try:
        read(text)
    except BadDuration as bad:
        return bad.message, bad.advice
    return None


@given(st.text(), st.booleans())
def test_every_text_is_read_or_refused_with_advice(text: str, m_is_month: bool) -> None:
    for read in (seconds, lambda t: window(t, m_is_month=m_is_month)):
        said = complaint(read, text)
        assert said is None or all(said)


@given(st.floats())
def test_every_number_is_a_window_of_whole_seconds_or_refused(number: float) -> None:
    try:
        read = window(number)
    except BadDuration:
        return
    assert read.period == f"rolling:{int(number)}"


@pytest.mark.parametrize(
    ("window_", "words"),
    [
        (window("monthly"), "one calendar month"),
        (window("30d"), "30 days from the first use"),
        (window("60s"), "1 minute from the first use"),
        (window("90s"), "90 seconds from the first use"),
        (window("none"), "no end"),
    ],
)
def test_windows_are_told_in_words(window_: Window, words: str) -> None:
    assert window_.meaning == words


def test_seconds_are_shown_in_the_largest_unit_that_fits() -> None:
    assert [show_seconds(x) for x in (0, 1, 0.5, 60, 7200, 86_400)] == [
        "0 seconds",
        "1 second",
        "0.5 seconds",
        "1 minute",
        "2 hours",
        "1 day",
    ]
