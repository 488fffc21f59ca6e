from bench import report
from bench.machines import Machine
from bench.record import Contender, Disturbance, Effort, Failure, Metric, Record, Role, Sample

MACHINE = Machine(
    "AMD EPYC", 2, 24 * 2**30, "virtual machine", "6.1", "CPython 3.11.7", "1.22.1", "4.1"
)
EFFORT = Effort(rounds=2, round_seconds=3.0, slow_calls=8, streams_held=1_000, starts=1)
QUIET = Disturbance(before=0.0, after=0.01)
CONTENDERS = (
    Contender("nginx", Role.YARDSTICK, "nginx (proxy_pass)"),
    Contender("tiergate", Role.SUBJECT, "/some/folder/bin/tiergate serve --port {port}"),
    Contender("litellm", Role.PEER, "env A=b /other/bin/litellm --port {port}"),
)


def text(
    *samples: Sample, failures: tuple[Failure, ...] = (), disturbance: Disturbance = QUIET
) -> str:
    run = Record(
        "2026-01-02 03:04 UTC",
        "0.1, commit abc",
        MACHINE,
        "gateway on core 0",
        disturbance,
        EFFORT,
        CONTENDERS,
        samples,
        failures,
    )
    return report.markdown(run)


def sample(scenario: str, gateway: str, number: int, **metrics: float) -> Sample:
    return Sample(scenario, gateway, number, {Metric(name): v for name, v in metrics.items()})


def test_the_machine_and_the_software_are_named():
    found = text()

    assert "- Machine: AMD EPYC, 2 cores, 24 GB." in found
    assert "CPython 3.11.7, nginx 1.22.1, wrk 4.1" in found
    assert "Measured 2026-01-02 03:04 UTC with Tiergate 0.1, commit abc." in found


def test_a_busy_machine_is_confessed():
    found = text(disturbance=Disturbance(before=0.02, after=0.31))

    assert "2% of the machine's CPU time before the run, 31% after it" in found
    assert "not quiet" in found
    assert "not quiet" not in text()


def test_commands_are_shown_without_the_folders_of_the_machine():
    found = text()

    assert "- tiergate: `tiergate serve --port {port}`" in found
    assert "- litellm: `env A=b litellm --port {port}`" in found


def test_a_plain_call_has_its_row():
    found = text(
        sample("plain-openai", "nginx", 0, cpu_per_call_us=25, rate_per_s=40_000, core_busy=0.9),
        sample("plain-openai", "tiergate", 0, cpu_per_call_us=150, rate_per_s=6_000, core_busy=1),
        sample("plain-openai", "tiergate", 1, cpu_per_call_us=160, rate_per_s=5_000, core_busy=1),
    )

    assert "| Plain 2 KB, OpenAI | nginx | 25.0 | - | - | 40,000 | 90% |" in found
    assert (
        "| Plain 2 KB, OpenAI | tiergate | 155 (150 to 160) | 6.00 | - "
        "| 5,500 (5,000 to 6,000) | 100% |"
    ) in found


def test_streams_latency_and_memory_have_their_tables():
    found = text(
        sample("stream-openai", "tiergate", 0, cpu_per_chunk_us=58, streams_at_once=40),
        sample("latency", "tiergate", 0, added_p50_us=250, added_p99_us=900, offered_per_s=1000),
        sample("start", "tiergate", 0, start_s=0.5),
        sample("rest", "tiergate", 0, memory_bytes=50e6),
        sample("hold", "tiergate", 0, memory_bytes=90e6, per_stream_bytes=40_960),
    )

    assert "| Stream, OpenAI | tiergate | 58.0 | - | 40 |" in found
    assert "| Added latency, plain 2 KB | tiergate | 0.25 | 0.90 |" in found
    assert "| start to first answer | - | 0.50 s | - |" in found
    assert "| memory at rest | - | 50.0 MB | - |" in found
    assert "| memory with 1,000 open streams | - | 90.0 MB | - |" in found
    assert "| memory per open stream | - | 40.0 KB | - |" in found


def test_peers_are_compared_with_tiergate_round_by_round():
    found = text(
        sample("plain-openai", "tiergate", 0, cpu_per_call_us=200),
        sample("plain-openai", "litellm", 0, cpu_per_call_us=20_000),
    )

    assert "| Plain 2 KB, OpenAI | litellm | 100 |" in found
    assert (
        "| CPU per call of litellm, plain-openai | at least 50.0 times Tiergate's | kept |"
        in found
    )


def test_failures_are_listed_on_one_line_each():
    found = text(failures=(Failure("hold", "tiergate", 0, "ended\n  with   status 3"),))

    assert "- hold, tiergate, round 1: ended with status 3" in found
    assert "| memory per open stream | - | failed | - |" in found


def test_a_long_reason_keeps_its_beginning_and_its_end():
    reason = "it did not start: " + "x" * 1_000 + " no such file"
    (line,) = [
        line
        for line in text(failures=(Failure("hold", "tiergate", 0, reason),)).splitlines()
        if line.startswith("- hold")
    ]

    assert "it did not start" in line
    assert line.endswith("no such file")
    assert len(line) < 400


def test_a_section_without_rows_is_left_out():
    found = text()

    assert "### Targets" in found
    assert not [title for title in ("Plain calls", "Streams", "Peers", "Failed") if title in found]
