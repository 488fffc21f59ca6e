import pytest
from bench import cells
from bench.cells import Row
from bench.figures import Spread
from bench.machines import Machine
from bench.record import Contender, Disturbance, Effort, Failure, Metric, Record, Role, Sample
from bench.scenarios import Kind, named

MACHINE = Machine("CPU", 2, 2**33, "bare metal", "6.1", "CPython 3.11", "1.22", "4.1")
EFFORT = Effort(rounds=2, round_seconds=1.0, slow_calls=8, streams_held=10, starts=1)
QUIET = Disturbance(before=0.0, after=0.01)
CONTENDERS = (
    Contender("nginx", Role.YARDSTICK, "nginx"),
    Contender("tiergate", Role.SUBJECT, "tiergate"),
)
(SCENARIO,) = named(("plain-openai",))


def row(gateway: str, *samples: Sample, failures: tuple[Failure, ...] = ()) -> Row:
    run = Record("today", "0.1", MACHINE, "layout", QUIET, EFFORT, CONTENDERS, samples, failures)
    return Row(run, SCENARIO, gateway)


def sample(gateway: str, number: int, value: float) -> Sample:
    return Sample("plain-openai", gateway, number, {Metric.CPU_PER_CALL_US: value})


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0.00"),
        (0.014, "0.01"),
        (9.994, "9.99"),
        (9.996, "10.0"),
        (99.94, "99.9"),
        (99.96, "100"),
        (27_669.4, "27,669"),
        (-12.34, "-12.3"),
    ],
)
def test_an_amount_shows_about_three_digits(value, shown):
    assert cells.amount(value) == shown


def test_a_figure_of_many_rounds_shows_its_ends():
    assert cells.ranged(Spread(2.0, 1.0, 3.0, 5), " s") == "2.00 s (1.00 to 3.00)"
    assert cells.ranged(Spread(2.0, 2.0, 2.0, 1), " s") == "2.00 s"
    assert cells.ranged(None) == cells.NOTHING


def test_a_table_puts_words_left_and_numbers_right():
    assert cells.table(("a", "b"), [("x", "1")], words=1) == (
        "| a | b |\n| --- | ---: |\n| x | 1 |"
    )


def test_a_row_shows_its_figure_and_its_multiple_of_nginx():
    found = row("tiergate", sample("nginx", 0, 20.0), sample("tiergate", 0, 100.0))

    assert found.full(Metric.CPU_PER_CALL_US) == "100"
    assert found.times_nginx(Metric.CPU_PER_CALL_US) == "5.00"
    assert found.milliseconds(Metric.CPU_PER_CALL_US) == "0.10"
    assert found.count(Metric.CPU_PER_CALL_US) == "100"


def test_nginx_is_no_multiple_of_itself():
    found = row("nginx", sample("nginx", 0, 20.0))

    assert found.times_nginx(Metric.CPU_PER_CALL_US) == cells.NOTHING


def test_a_failed_scenario_says_so_and_shows_no_figure():
    failure = Failure("plain-openai", "tiergate", 1, "refused")
    found = row("tiergate", sample("tiergate", 0, 100.0), failures=(failure,))

    assert found.full(Metric.CPU_PER_CALL_US) == cells.FAILED
    assert found.middle(Metric.CPU_PER_CALL_US) == cells.NOTHING
    assert found.percent(Metric.SYSTEM_SHARE) == cells.NOTHING
    assert found.count(Metric.RATE_PER_S) == cells.NOTHING


def test_rows_are_those_measured_or_failed_in_the_order_of_the_table():
    failure = Failure("plain-anthropic", "tiergate", 0, "refused")
    run = row("x", sample("nginx", 0, 1.0), sample("tiergate", 0, 1.0), failures=(failure,)).record

    assert [(r.scenario.name, r.gateway) for r in cells.rows_of(run, Kind.CLOSED)] == [
        ("plain-openai", "nginx"),
        ("plain-openai", "tiergate"),
        ("plain-anthropic", "tiergate"),
    ]
