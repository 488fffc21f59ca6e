"""Says a run in Markdown: the machine, the tables, the targets, and what failed.

It arranges; how a cell looks is in `cells`, and every number comes from a `Record`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from bench.cells import FAILED, NOTHING, Row, amount, ranged, rows_of, table
from bench.figures import paired_ratio
from bench.record import Disturbance, Metric, Record, Role
from bench.scenarios import SCENARIOS, Kind
from bench.targets import judged


def markdown(record: Record) -> str:
    """The whole report."""
    parts = (
        _run(record),
        _targets(record),
        _plain(record),
        _streams(record),
        _latency(record),
        _standing(record),
        _peers(record),
        _failures(record),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _run(record: Record) -> str:
    machine, effort, disturbance = record.machine, record.effort, record.disturbance
    memory = machine.memory_bytes / 2**30
    lines = [
        f"Measured {record.begun} with Tiergate {record.version}.",
        "Figures are medians of the rounds, with the least and the greatest in brackets.",
        "",
        f"- Machine: {machine.processor}, {machine.cores} cores, {memory:.0f} GB.",
        f"- System: {machine.virtual}, Linux {machine.kernel}.",
        f"- Software: {machine.python}, nginx {machine.nginx}, wrk {machine.wrk}.",
        f"- Cores: {record.layout}.",
        f"- Other work: {_percents(disturbance)}.",
        f"- Rounds: {effort.rounds} of {amount(effort.round_seconds)} s in every scenario.",
        f"- Slow gateways: {effort.slow_calls} calls a round instead of seconds.",
    ]
    if disturbance.serious:
        lines.append("- **The machine was not quiet: repeat the run before believing it.**")
    lines += [f"- {each.name}: `{_shown(each.command)}`" for each in record.contenders]
    return "\n".join(lines)


def _targets(record: Record) -> str:
    rows = [
        (
            verdict.name,
            f"{verdict.sense.value} {amount(verdict.limit)}{verdict.unit}",
            verdict.word,
            ranged(verdict.measured, verdict.unit),
        )
        for verdict in judged(record)
    ]
    return _section("Targets", ("target", "limit", "verdict", "measured"), rows, words=3)


def _plain(record: Record) -> str:
    rows = [
        (
            row.scenario.title,
            row.gateway,
            row.full(Metric.CPU_PER_CALL_US),
            row.times_nginx(Metric.CPU_PER_CALL_US),
            row.percent(Metric.SYSTEM_SHARE),
            ranged(row.figure(Metric.RATE_PER_S)),
            row.percent(Metric.CORE_BUSY),
        )
        for row in rows_of(record, Kind.CLOSED)
    ]
    head = (
        "scenario",
        "gateway",
        "CPU µs per call",
        "times nginx",
        "in kernel",
        "calls per s",
        "core busy",
    )
    note = (
        "Where a gateway's core is not busy, its rate is what the other core could ask for and "
        "answer, not what the gateway could do."
    )
    return _section("Plain calls", head, rows, note=note)


def _streams(record: Record) -> str:
    rows = [
        (
            row.scenario.title,
            row.gateway,
            row.full(Metric.CPU_PER_CHUNK_US),
            row.times_nginx(Metric.CPU_PER_CHUNK_US),
            row.count(Metric.STREAMS_AT_ONCE),
            row.milliseconds(Metric.ADDED_P50_US),
            row.milliseconds(Metric.ADDED_P99_US),
            row.milliseconds(Metric.ADDED_FIRST_P50_US),
            row.milliseconds(Metric.ADDED_FIRST_P99_US),
            row.percent(Metric.ALONE_SHARE),
        )
        for row in rows_of(record, Kind.STREAM)
    ]
    head = (
        "scenario",
        "gateway",
        "CPU µs per chunk",
        "times nginx",
        "streams at once",
        "added p50 ms",
        "added p99 ms",
        "first chunk added p50 ms",
        "first chunk added p99 ms",
        "came alone",
    )
    return _section("Streams", head, rows)


def _latency(record: Record) -> str:
    rows = [
        (
            row.scenario.title,
            row.gateway,
            row.full(Metric.ADDED_P50_US, 1e-3),
            ranged(row.figure(Metric.ADDED_P99_US, 1e-3)),
            row.milliseconds(Metric.DIRECT_P50_US),
            row.milliseconds(Metric.DIRECT_P99_US),
            row.count(Metric.OFFERED_PER_S),
            row.count(Metric.ACHIEVED_PER_S),
            row.milliseconds(Metric.LAG_P99_US),
            ranged(row.figure(Metric.CPU_PER_CALL_US)),
            row.times_nginx(Metric.CPU_PER_CALL_US),
        )
        for row in rows_of(record, Kind.PACED)
    ]
    head = (
        "scenario",
        "gateway",
        "added p50 ms",
        "added p99 ms",
        "direct p50 ms",
        "direct p99 ms",
        "offered per s",
        "reached per s",
        "generator late p99 ms",
        "CPU µs per call",
        "times nginx",
    )
    return _section("Added latency", head, rows)


def _standing(record: Record) -> str:
    """A matrix: one row a figure, one column a gateway."""
    lines: tuple[tuple[str, Kind, Callable[[Row], str]], ...] = (
        ("start to first answer", Kind.START, lambda row: row.full(Metric.START_S, unit=" s")),
        ("memory at rest", Kind.REST, lambda row: _megabytes(row, Metric.MEMORY_BYTES)),
        (
            "largest process at rest (RSS)",
            Kind.REST,
            lambda row: _megabytes(row, Metric.LARGEST_RSS_BYTES),
        ),
        (
            "CPU at rest, ms per s",
            Kind.REST,
            lambda row: row.full(Metric.REST_CPU_MS_PER_S),
        ),
        (
            f"memory with {record.effort.streams_held:,} open streams",
            Kind.HOLD,
            lambda row: _megabytes(row, Metric.MEMORY_BYTES),
        ),
        (
            "memory per open stream",
            Kind.HOLD,
            lambda row: row.full(Metric.PER_STREAM_BYTES, 1 / 1024, " KB"),
        ),
        (
            "from clients gone to upstream closed",
            Kind.HOLD,
            lambda row: row.full(Metric.RELEASE_S, unit=" s"),
        ),
    )
    names = tuple(contender.name for contender in record.contenders)
    rows: list[tuple[str, ...]] = []
    for title, kind, cell in lines:
        found = {row.gateway: cell(row) for row in rows_of(record, kind)}
        if found:
            rows.append((title, *(found.get(name, NOTHING) for name in names)))
    note = (
        "Memory is the proportional set size (PSS) of the whole process tree, in units of "
        "1,000,000 bytes."
    )
    return _section("Start and memory", ("figure", *names), rows, words=1, note=note)


def _peers(record: Record) -> str:
    """How many times Tiergate's CPU each peer uses."""
    rows: list[tuple[str, ...]] = []
    for peer in record.named(Role.PEER):
        for subject in record.named(Role.SUBJECT):
            for scenario in SCENARIOS:
                for metric in (Metric.CPU_PER_CALL_US, Metric.CPU_PER_CHUNK_US):
                    ratio = paired_ratio(
                        record.figures(scenario.name, peer, metric),
                        record.figures(scenario.name, subject, metric),
                    )
                    if ratio is not None:
                        rows.append((scenario.title, peer, ranged(ratio)))
    head = ("scenario", "peer", "CPU as times Tiergate's")
    return _section("Peers", head, rows)


def _failures(record: Record) -> str:
    if not record.failures:
        return ""
    lines = [
        f"- {each.scenario}, {each.gateway}, round {each.round + 1}: {_one_line(each.reason)}"
        for each in record.failures
    ]
    head = f"### Failed rounds\n\nA scenario with a failed round shows `{FAILED}` and no figure."
    return f"{head}\n\n" + "\n".join(lines)


def _percents(disturbance: Disturbance) -> str:
    return (
        f"{disturbance.before:.0%} of the machine's CPU time before the run, "
        f"{disturbance.after:.0%} after it"
    )


def _one_line(reason: str) -> str:
    """A reason on one line; of a long one, which holds a log, the beginning and the end."""
    words = " ".join(reason.split())
    return words if len(words) <= 300 else f"{words[:100]} ... {words[-200:]}"


def _shown(command: str) -> str:
    """A command without the folders of the machine it ran on."""
    words = command.split()
    return " ".join(Path(word).name if word.startswith("/") else word for word in words)


def _megabytes(row: Row, metric: Metric) -> str:
    return row.full(metric, 1e-6, " MB")


def _section(
    title: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    words: int = 2,
    note: str = "",
) -> str:
    if not rows:
        return ""
    return "\n\n".join(part for part in (f"### {title}", table(head, rows, words), note) if part)
