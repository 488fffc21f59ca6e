import pytest
from bench import rounds
from bench.load import LoadFailedError
from bench.record import Failure, Metric, Sample
from bench.rounds import Results
from bench.scenarios import named

(SCENARIO,) = named(("latency",))


def test_every_other_round_goes_backwards():
    assert [rounds.in_turn("ab", number) for number in range(3)] == [
        ("a", "b"),
        ("b", "a"),
        ("a", "b"),
    ]


def test_a_round_that_went_well_is_kept_and_told():
    said = []
    results = Results(said.append)

    results.take(SCENARIO, "tiergate", 0, lambda: {Metric.ADDED_P50_US: 250.0})

    assert results.samples == [Sample("latency", "tiergate", 0, {Metric.ADDED_P50_US: 250.0})]
    assert said == ["  latency #1 tiergate: added_p50_us 250"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [(LoadFailedError("of 9 calls: 1 refused"), "of 9 calls: 1 refused"), (OSError(), "OSError")],
)
def test_a_round_that_failed_is_kept_with_its_reason(error, reason):
    results = Results(lambda _: None)

    def work():
        raise error

    results.take(SCENARIO, "tiergate", 1, work)

    assert results.samples == []
    assert results.failures == [Failure("latency", "tiergate", 1, reason)]


def test_a_programming_error_is_not_taken_for_a_failed_round():
    def work():
        raise KeyError("nginx")

    with pytest.raises(KeyError):
        Results(lambda _: None).take(SCENARIO, "tiergate", 0, work)
