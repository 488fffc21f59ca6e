import pytest
from bench import targets
from bench.machines import Machine
from bench.record import Contender, Disturbance, Effort, Metric, Record, Role, Sample

MACHINE = Machine("CPU", 2, 2**33, "bare metal", "6.1", "CPython 3.11", "1.22", "4.1")
EFFORT = Effort(rounds=2, round_seconds=1.0, slow_calls=8, streams_held=10, starts=1)
QUIET = Disturbance(before=0.0, after=0.01)
CONTENDERS = (
    Contender("nginx", Role.YARDSTICK, "nginx"),
    Contender("tiergate", Role.SUBJECT, "tiergate"),
    Contender("LiteLLM-1", Role.PEER, "litellm"),
    Contender("other", Role.PEER, "other"),
)


def record(*samples: Sample) -> Record:
    return Record("today", "0.1", MACHINE, "layout", QUIET, EFFORT, CONTENDERS, samples, ())


def sample(scenario: str, gateway: str, metric: Metric, value: float) -> Sample:
    return Sample(scenario, gateway, 0, {metric: value})


def word(run: Record, name: str) -> str:
    return {verdict.name: verdict.word for verdict in targets.judged(run)}[name]


@pytest.mark.parametrize(("cpu", "expected"), [(160.0, "kept"), (160.1, "missed")])
def test_a_plain_call_may_cost_eight_times_nginx(cpu, expected):
    run = record(
        sample("plain-400k", "nginx", Metric.CPU_PER_CALL_US, 20.0),
        sample("plain-400k", "tiergate", Metric.CPU_PER_CALL_US, cpu),
    )

    assert word(run, "CPU per call, plain-400k") == expected


@pytest.mark.parametrize(("cpu", "expected"), [(70.0, "kept"), (70.1, "missed")])
def test_a_chunk_may_cost_three_and_a_half_times_nginx(cpu, expected):
    run = record(
        sample("stream-openai", "nginx", Metric.CPU_PER_CHUNK_US, 20.0),
        sample("stream-openai", "tiergate", Metric.CPU_PER_CHUNK_US, cpu),
    )

    assert word(run, "CPU per chunk, stream-openai") == expected


@pytest.mark.parametrize(("cpu", "expected"), [(5_000.0, "kept"), (4_999.0, "missed")])
def test_litellm_must_cost_fifty_times_more(cpu, expected):
    run = record(
        sample("plain-openai", "tiergate", Metric.CPU_PER_CALL_US, 100.0),
        sample("plain-openai", "LiteLLM-1", Metric.CPU_PER_CALL_US, cpu),
    )

    assert word(run, "CPU per call of LiteLLM-1, plain-openai") == expected


def test_other_peers_have_no_target():
    assert not [v for v in targets.judged(record()) if "other" in v.name]


@pytest.mark.parametrize(
    ("scenario", "metric", "value", "name", "expected"),
    [
        ("start", Metric.START_S, 1.0, "start to first answer", "kept"),
        ("start", Metric.START_S, 1.01, "start to first answer", "missed"),
        ("rest", Metric.MEMORY_BYTES, 80e6, "memory at rest", "kept"),
        ("rest", Metric.MEMORY_BYTES, 81e6, "memory at rest", "missed"),
    ],
)
def test_start_and_memory_have_limits_of_their_own(scenario, metric, value, name, expected):
    assert word(record(sample(scenario, "tiergate", metric, value)), name) == expected


def test_what_was_not_measured_has_no_verdict():
    assert {verdict.word for verdict in targets.judged(record())} == {"not measured"}
