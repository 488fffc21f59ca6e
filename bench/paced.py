"""Open-loop load at a fixed rate, which measures latency: calls leave when due, whatever happens.

The calls of several lanes alternate, so that the way through a gateway and the direct way to the
upstream are measured in the same moments. A latency runs from the instant a call was due to the
last byte of its answer, so that a gateway that stalls is charged for the calls that had to wait.
"""

import ctypes
import gc
import random
import select
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.client import Connection, Target, WrongAnswerError, check
from bench.figures import percentile
from bench.load import LoadFailedError

_TIMEOUT_SECONDS = 30.0
_OPEN_CALLS_MOST = 400
_PR_SET_TIMERSLACK = 29
_DEFAULT_SLACK_NS = 50_000


@dataclass(frozen=True, slots=True)
class PacedRun:
    """Latencies of one lane in microseconds, beside the rate asked for and the rate reached.

    `lag_us` is how late the generator itself was in sending: where it is large, the machine was
    too busy for the figures to be believed.
    """

    latencies_us: tuple[float, ...]
    lag_us: tuple[float, ...]
    offered: float
    achieved: float

    def latency(self, percent: float) -> float:
        """A percentile of the latencies, in microseconds."""
        return percentile(self.latencies_us, percent)


@dataclass(slots=True)
class _Lane:
    """One way to the upstream while it is being loaded."""

    target: Target
    request: bytes
    idle: list[Connection] = field(default_factory=list)
    latencies_us: list[float] = field(default_factory=list)
    lag_us: list[float] = field(default_factory=list)
    last_answer: float = 0.0


@dataclass(frozen=True, slots=True)
class _Call:
    """One call on its way."""

    lane: _Lane
    connection: Connection
    due: float


def departures(rate: float, seconds: float, seed: int) -> tuple[float, ...]:
    """When calls leave, in seconds from the start: one in each slot, at a random place in it.

    Evenly spaced calls could fall into step with a timer of the system under test.
    """
    dice = random.Random(seed)
    return tuple((slot + dice.random()) / rate for slot in range(int(rate * seconds)))


def run_paced(
    targets: Sequence[Target], *, rate: float, seconds: float, seed: int
) -> tuple[PacedRun, ...]:
    """Load each target at `rate` calls per second, taking turns among them.

    Raises:
        LoadFailedError: an answer was wrong or late, or the calls piled up.
    """
    lanes = [_Lane(target, target.request()) for target in targets]
    schedule = departures(rate * len(lanes), seconds, seed)
    opened: list[Connection] = []
    with _steady_clock():
        start = time.monotonic() + 0.01
        try:
            _drive(lanes, [start + offset for offset in schedule], opened)
        except (OSError, WrongAnswerError) as error:
            raise LoadFailedError(f"a paced call failed: {error}") from error
        finally:
            for connection in opened:
                connection.close()
    return tuple(
        PacedRun(
            latencies_us=tuple(lane.latencies_us),
            lag_us=tuple(lane.lag_us),
            offered=rate,
            achieved=len(lane.latencies_us) / max(lane.last_answer - start, seconds),
        )
        for lane in lanes
    )


def _drive(lanes: Sequence[_Lane], due: Sequence[float], opened: list[Connection]) -> None:
    calls: dict[int, _Call] = {}
    following = 0
    while following < len(due) or calls:
        now = time.monotonic()
        wait = _TIMEOUT_SECONDS
        if following < len(due):
            wait = due[following] - now
            if wait <= 0:
                call = _depart(lanes[following % len(lanes)], due[following], opened)
                calls[call.connection.fileno()] = call
                following += 1
                wait = 0.0
        ready, _, _ = select.select(calls, (), (), wait)
        if not ready and wait == _TIMEOUT_SECONDS:
            raise LoadFailedError(f"{len(calls)} calls had no answer in {_TIMEOUT_SECONDS:.0f} s")
        for number in ready:
            if _arrive(calls[number]):
                del calls[number]


def _depart(lane: _Lane, due: float, opened: list[Connection]) -> _Call:
    connection = _idle_connection(lane, opened)
    if connection is None:
        if len(opened) >= _OPEN_CALLS_MOST:
            raise LoadFailedError(
                f"{_OPEN_CALLS_MOST} calls were open at once: the rate is more than can be served"
            )
        connection = Connection(lane.target.port, _TIMEOUT_SECONDS)
        opened.append(connection)
    lane.lag_us.append((time.monotonic() - due) * 1e6)
    connection.send(lane.request)
    return _Call(lane, connection, due)


def _idle_connection(lane: _Lane, opened: list[Connection]) -> Connection | None:
    """A kept connection that the server has not closed meanwhile."""
    while lane.idle:
        connection = lane.idle.pop()
        if not connection.is_stale():
            return connection
        opened.remove(connection)
        connection.close()
    return None


def _arrive(call: _Call) -> bool:
    answer = call.connection.receive()
    if answer is None:
        return False
    now = time.monotonic()
    check(answer, call.lane.target.dialect)
    call.lane.latencies_us.append((now - call.due) * 1e6)
    call.lane.last_answer = now
    call.lane.idle.append(call.connection)
    return True


@contextmanager
def _steady_clock() -> Generator[None, None, None]:
    """No garbage collection and precise sleeps while latencies are taken.

    Linux lets a thread oversleep by 50 microseconds unless it asks for less (`man 2 prctl`).
    """
    libc = ctypes.CDLL(None)
    gc.collect()
    gc.disable()
    libc.prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(_PR_SET_TIMERSLACK, _DEFAULT_SLACK_NS, 0, 0, 0)
        gc.enable()
