import pytest
from bench.figures import Spread, paired_ratio, percentile, spread
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.lists(st.floats(0, 1e9, allow_nan=False), min_size=1, max_size=200)


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1), (1, 1), (50, 50), (50.1, 51), (99, 99), (100, 100)]
)
def test_a_percentile_is_the_nearest_rank(percent, expected):
    values = list(range(100, 0, -1))

    assert percentile(values, percent) == expected


@given(VALUES, st.floats(0, 100))
def test_a_percentile_is_one_of_the_values_and_covers_its_share(values, percent):
    found = percentile(values, percent)

    assert found in values
    assert sum(value <= found for value in values) >= len(values) * percent / 100 - 1e-6


def test_no_values_have_no_percentile():
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_percent_outside_its_range_is_refused(percent):
    with pytest.raises(ValueError, match="between 0 and 100"):
        percentile([1.0], percent)


def test_a_spread_keeps_the_median_and_both_ends():
    assert spread([5.0, 1.0, 9.0]) == Spread(median=5.0, least=1.0, greatest=9.0, rounds=3)


def test_no_values_have_no_spread():
    with pytest.raises(ValueError, match="no values"):
        spread([])


def test_a_ratio_is_taken_inside_each_round():
    """The machine ran at half speed in round 1; the ratio does not show it."""
    ratio = paired_ratio({0: 40.0, 1: 80.0}, {0: 10.0, 1: 20.0})

    assert ratio == Spread(median=4.0, least=4.0, greatest=4.0, rounds=2)


def test_a_ratio_leaves_out_rounds_that_only_one_side_has():
    ratio = paired_ratio({0: 40.0, 2: 90.0}, {0: 10.0, 1: 20.0})

    assert ratio == Spread(median=4.0, least=4.0, greatest=4.0, rounds=1)


@pytest.mark.parametrize("baseline", [{}, {1: 3.0}, {0: 0.0}])
def test_there_is_no_ratio_without_a_baseline(baseline):
    assert paired_ratio({0: 40.0}, baseline) is None
