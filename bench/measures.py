"""Measures one gateway once in one scenario: how each kind of figure is taken.

Each figure is bracketed by checks: before and after it, the gateway's port must belong to the
process that was started, and the answer must be the upstream's. Any error raises and gives no
figure. How often and in which order this happens is decided in `rounds`.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from bench import streams
from bench.client import (
    Target,
    WrongAnswerError,
    checked_call,
    plain_calls_seen,
    streams_open,
)
from bench.figures import percentile
from bench.gateways import Gateway, Site
from bench.load import LoadFailedError, LoadRun, run_counted, run_wrk
from bench.paced import run_paced
from bench.procfs import Memory
from bench.record import Effort, Metric
from bench.scenarios import Pace, Scenario
from bench.streams import StreamLoad, StreamRun
from bench.wire import Dialect, chat_body

_FAST_CALLS_PER_S = 150.0
_PACED_RATE_MOST = 1_000.0
_PACED_CALLS_LEAST = 200
_SLOW_CONNECTIONS = 8
_STREAMS_AT_ONCE = 40
_SLOW_STREAMS_AT_ONCE = 2
# Of what the direct way reaches: on a busy machine the reader itself is late and then finds
# several chunks waiting. A gateway that holds chunks back comes to nothing.
_ALONE_LEAST = 0.1
_RELEASE_SECONDS_MOST = 10.0
_ANSWER_SECONDS = 60.0

Metrics = dict[Metric, float]


@dataclass(frozen=True, slots=True)
class Pacer:
    """How much each gateway is asked for: the run's effort, and roughly what each can do.

    `rates` are plain calls per second from the trial that `try_out` makes.
    """

    effort: Effort
    rates: Mapping[str, float]

    def is_fast(self, name: str) -> bool:
        """Whether a timed run of this gateway counts enough calls to be worth timing."""
        return self.rates[name] >= _FAST_CALLS_PER_S

    def streams_at_once(self, name: str) -> int:
        """How many paced streams the gateway carries without falling behind."""
        return _STREAMS_AT_ONCE if self.is_fast(name) else _SLOW_STREAMS_AT_ONCE

    def streams_per_round(self, name: str, script_seconds: float) -> int:
        """How many streams make one round."""
        turns = max(1, round(self.effort.round_seconds / script_seconds))
        return self.streams_at_once(name) * turns

    def paced_rate(self, pace: Pace, name: str) -> float:
        """Calls per second of a paced run."""
        slowest = min(self.rates.values()) / 2
        own = self.rates[name] / 2
        return min(_PACED_RATE_MOST, slowest if pace is Pace.SLOWEST else own)

    def has_slow(self) -> bool:
        """Whether some gateway cannot take the usual paced rate."""
        return min(self.rates.values()) / 2 < _PACED_RATE_MOST


def try_out(gateway: Gateway) -> float:
    """Warm a gateway up and find out roughly how many plain calls per second it answers.

    Raises:
        LoadFailedError: a call failed.
    """
    target = Target(gateway.plain_port, Dialect.OPENAI, chat_body("plain-openai", 2_048))
    run_counted(target, connections=_SLOW_CONNECTIONS, calls=24)
    first = run_counted(target, connections=_SLOW_CONNECTIONS, calls=48)
    if first.rate < _FAST_CALLS_PER_S:
        return first.rate
    return run_counted(target, connections=_SLOW_CONNECTIONS, calls=2_000).rate


def at_rest(gateway: Gateway, scenario: Scenario) -> Metrics:
    """Memory and CPU of a gateway that has answered a few calls and now has nothing to do."""
    target = _target(scenario, gateway)
    check_answers(gateway, target)
    time.sleep(1.0)
    before, begun = gateway.server.cpu(), time.monotonic()
    time.sleep(2.0)
    used, seconds = gateway.server.cpu().since(before), time.monotonic() - begun
    memory = gateway.server.memory()
    check_answers(gateway, target)
    return {
        Metric.MEMORY_BYTES: memory.proportional,
        Metric.LARGEST_RSS_BYTES: memory.largest_resident,
        Metric.REST_CPU_MS_PER_S: used.total * 1e3 / seconds,
    }


def closed_loop(gateway: Gateway, scenario: Scenario, site: Site, pacer: Pacer) -> Metrics:
    """CPU per call and calls per second of a gateway kept busy."""
    target = _target(scenario, gateway)
    size = check_answers(gateway, target)
    seen_before = plain_calls_seen(site.plain_port)
    before, begun = gateway.server.cpu(), time.monotonic()
    run = _load(gateway, scenario, site, pacer, target, size)
    used, seconds = gateway.server.cpu().since(before), time.monotonic() - begun
    seen = plain_calls_seen(site.plain_port) - seen_before
    if seen < run.calls:
        raise LoadFailedError(
            f"{run.calls} calls were answered, but the upstream saw {seen}: "
            "the gateway answered some by itself"
        )
    check_answers(gateway, target)
    return {
        Metric.CPU_PER_CALL_US: used.total / run.calls * 1e6,
        Metric.SYSTEM_SHARE: used.system_share,
        Metric.RATE_PER_S: run.rate,
        Metric.CORE_BUSY: used.total / seconds,
    }


def paced(gateway: Gateway, scenario: Scenario, site: Site, pacer: Pacer, seed: int) -> Metrics:
    """Latency through the gateway and past it, in the same moments, at a fixed rate."""
    target = _target(scenario, gateway)
    rate = pacer.paced_rate(scenario.pace, gateway.name)
    check_answers(gateway, target)
    before = gateway.server.cpu()
    direct, through = run_paced(
        (Target(site.plain_port, target.dialect, target.body), target),
        rate=rate,
        seconds=max(pacer.effort.round_seconds, _PACED_CALLS_LEAST / rate),
        seed=seed,
    )
    used = gateway.server.cpu().since(before)
    check_answers(gateway, target)
    return {
        Metric.CPU_PER_CALL_US: used.total / len(through.latencies_us) * 1e6,
        Metric.OFFERED_PER_S: through.offered,
        Metric.ACHIEVED_PER_S: through.achieved,
        Metric.DIRECT_P50_US: direct.latency(50),
        Metric.DIRECT_P99_US: direct.latency(99),
        Metric.ADDED_P50_US: through.latency(50) - direct.latency(50),
        Metric.ADDED_P99_US: through.latency(99) - direct.latency(99),
        Metric.LAG_P99_US: percentile(direct.lag_us + through.lag_us, 99),
    }


def direct_streams(scenario: Scenario, site: Site, at_once: int, total: int) -> StreamRun:
    """The same streams without a gateway."""
    return streams.run_streams(_stream_load(scenario, site.stream_port, at_once), total)


def streamed(
    gateway: Gateway, scenario: Scenario, direct: StreamRun, at_once: int, total: int
) -> Metrics:
    """CPU per content chunk, and how much later chunks come than on the direct way.

    The CPU of the whole stream is divided by its content chunks, so the opening and the closing
    of a stream are in the figure.
    """
    load = _stream_load(scenario, gateway.stream_port, at_once)
    _check_owner(gateway, gateway.stream_port)
    streams.run_streams(load, at_once)
    before, begun = gateway.server.cpu(), time.monotonic()
    run = streams.run_streams(load, total)
    used, seconds = gateway.server.cpu().since(before), time.monotonic() - begun
    _check_owner(gateway, gateway.stream_port)
    if run.alone_share < _ALONE_LEAST * direct.alone_share:
        raise LoadFailedError(
            f"{run.alone_share:.0%} of the chunks came by themselves, {direct.alone_share:.0%} on "
            "the direct way: the gateway holds them back"
        )
    return {
        Metric.CPU_PER_CHUNK_US: used.total / run.chunks * 1e6,
        Metric.SYSTEM_SHARE: used.system_share,
        Metric.RATE_PER_S: run.chunks / run.seconds,
        Metric.CORE_BUSY: used.total / seconds,
        Metric.STREAMS_AT_ONCE: at_once,
        Metric.DIRECT_P50_US: direct.delay(50),
        Metric.DIRECT_P99_US: direct.delay(99),
        Metric.ADDED_P50_US: run.delay(50) - direct.delay(50),
        Metric.ADDED_P99_US: run.delay(99) - direct.delay(99),
        Metric.ADDED_FIRST_P50_US: run.first(50) - direct.first(50),
        Metric.ADDED_FIRST_P99_US: run.first(99) - direct.first(99),
        Metric.ALONE_SHARE: run.alone_share,
    }


def held(gateway: Gateway, scenario: Scenario, site: Site, pacer: Pacer) -> Metrics:
    """Memory with many streams open, and how soon the upstream is left when the clients leave."""
    count = pacer.effort.streams_held
    _check_owner(gateway, gateway.stream_port)
    if streams_open(site.stream_port):
        raise LoadFailedError("the upstream still has streams of an earlier round open")
    before = gateway.server.memory()

    def look() -> tuple[int, Memory]:
        return streams_open(site.stream_port), gateway.server.memory()

    upstream_open, memory = streams.hold_streams(
        _stream_load(scenario, gateway.stream_port, count), look
    )
    left = time.monotonic()
    if upstream_open != count:
        raise LoadFailedError(f"{count} streams were open, but {upstream_open} at the upstream")
    while streams_open(site.stream_port):
        if time.monotonic() - left > _RELEASE_SECONDS_MOST:
            raise LoadFailedError(
                f"upstream streams were still open {_RELEASE_SECONDS_MOST:.0f} s after the "
                "clients had left"
            )
        time.sleep(0.01)
    released = time.monotonic() - left
    check_answers(gateway, _plain_target(gateway))
    return {
        Metric.STREAMS_HELD: count,
        Metric.MEMORY_BYTES: memory.proportional,
        Metric.LARGEST_RSS_BYTES: memory.largest_resident,
        Metric.PER_STREAM_BYTES: (memory.proportional - before.proportional) / count,
        Metric.RELEASE_S: released,
    }


def check_answers(gateway: Gateway, target: Target) -> int:
    """Check owner and answer; returns the answer's length on the wire in bytes.

    Raises:
        WrongAnswerError: another process answers on the port, or the answer is wrong.
    """
    _check_owner(gateway, target.port)
    return checked_call(target, _ANSWER_SECONDS).wire_bytes


def _check_owner(gateway: Gateway, port: int) -> None:
    gateway.server.check_alive()
    if not gateway.server.owns(port):
        raise WrongAnswerError(f"port {port} does not belong to the {gateway.name} of this run")


def _load(
    gateway: Gateway, scenario: Scenario, site: Site, pacer: Pacer, target: Target, size: int
) -> LoadRun:
    if not pacer.is_fast(gateway.name):
        return run_counted(target, connections=_SLOW_CONNECTIONS, calls=pacer.effort.slow_calls)
    return run_wrk(
        site.tools.wrk,
        site.folder,
        target,
        connections=scenario.connections,
        seconds=pacer.effort.round_seconds,
        answer_bytes=size,
    )


def _target(scenario: Scenario, gateway: Gateway) -> Target:
    return Target(gateway.plain_port, scenario.dialect, chat_body(scenario.alias, scenario.size))


def _plain_target(gateway: Gateway) -> Target:
    return Target(gateway.plain_port, Dialect.OPENAI, chat_body("plain-openai", 2_048))


def _stream_load(scenario: Scenario, port: int, at_once: int) -> StreamLoad:
    return StreamLoad(port, scenario.dialect, scenario.alias, scenario.script, at_once)
