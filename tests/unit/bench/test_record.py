import json

from bench.machines import Machine
from bench.record import Contender, Disturbance, Effort, Failure, Metric, Record, Role, Sample

MACHINE = Machine("CPU", 2, 2**33, "bare metal", "6.1", "CPython 3.11", "1.22", "4.1")
EFFORT = Effort(rounds=2, round_seconds=1.0, slow_calls=8, streams_held=10, starts=1)
QUIET = Disturbance(before=0.0, after=0.01)


def record(samples=(), failures=()) -> Record:
    contenders = (
        Contender("nginx", Role.YARDSTICK, "nginx"),
        Contender("tiergate", Role.SUBJECT, "tiergate"),
    )
    return Record(
        "today",
        "0.1",
        MACHINE,
        "layout",
        QUIET,
        EFFORT,
        contenders,
        tuple(samples),
        tuple(failures),
    )


def sample(number: int, value: float, gateway: str = "tiergate") -> Sample:
    return Sample("plain-openai", gateway, number, {Metric.CPU_PER_CALL_US: value})


def test_figures_are_found_by_round():
    found = record([sample(0, 10.0), sample(1, 12.0), sample(0, 3.0, "nginx")])

    assert found.figures("plain-openai", "tiergate", Metric.CPU_PER_CALL_US) == {0: 10.0, 1: 12.0}
    assert found.figures("plain-openai", "tiergate", Metric.RATE_PER_S) == {}


def test_one_failed_round_takes_all_figures_of_the_scenario():
    found = record([sample(0, 10.0)], [Failure("plain-openai", "tiergate", 1, "refused")])

    assert found.figures("plain-openai", "tiergate", Metric.CPU_PER_CALL_US) == {}
    assert found.failure("plain-openai", "tiergate") is not None
    assert found.failure("plain-openai", "nginx") is None


def test_gateways_are_found_by_role():
    assert record().named(Role.SUBJECT) == ("tiergate",)
    assert record().named(Role.PEER) == ()


def test_the_json_holds_every_round_under_the_names_of_the_metrics():
    value = json.loads(record([sample(0, 10.0), sample(1, 12.0)]).as_json())

    assert [each["metrics"] for each in value["samples"]] == [
        {"cpu_per_call_us": 10.0},
        {"cpu_per_call_us": 12.0},
    ]
    assert value["contenders"][0] == {"name": "nginx", "role": "yardstick", "command": "nginx"}
