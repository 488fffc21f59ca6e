"""Which of its two formats a scraper gets."""

from __future__ import annotations

import pytest

from tiergate.web.metrics_format import metrics_type, wants_openmetrics

PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (PROMETHEUS, True),
        ("Application/OpenMetrics-Text", True),
        ("text/plain, application/openmetrics-text; version=1.0.0", True),
        ("", False),
        ("*/*", False),
        ("text/plain;version=0.0.4", False),
        ("application/openmetrics-text; q=0, text/plain", False),
        ("application/openmetrics-text-else", False),
    ],
)
def test_openmetrics_is_for_those_who_ask_for_it(accept, wanted):
    assert wants_openmetrics(accept) is wanted


def test_each_format_says_what_it_is():
    assert metrics_type(True).startswith("application/openmetrics-text")
    assert metrics_type(False).startswith("text/plain")
