"""Closed-loop load, which finds the top rate: wrk for fast gateways, a counted loop for slow ones.

Closed loop means that a connection sends its next call when the last is answered. It gives the
cost per call and the rate, never an honest latency: that is `paced`'s work.
"""

import json
import os
import select
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bench import wire
from bench.client import Connection, Target, WrongAnswerError, check

_SCRIPT = Path(__file__).with_name("wrk.lua")
_TIMEOUT_SECONDS = 60.0
# wrk counts bytes of answers cut at its end, and servers vary a date or an id by some characters.
_SIZE_TOLERANCE = 0.1


class LoadFailedError(Exception):
    """Some calls of a run failed, so its figures mean nothing; the message counts them."""


@dataclass(frozen=True, slots=True)
class LoadRun:
    """Calls answered in a closed-loop run, and the wall seconds it took."""

    calls: int
    seconds: float

    @property
    def rate(self) -> float:
        """Calls per second."""
        return self.calls / self.seconds


@dataclass(frozen=True, slots=True)
class WrkCounts:
    """What wrk counted."""

    calls: int
    seconds: float
    received: int
    failures: dict[str, int]


def parse_wrk(output: str) -> WrkCounts:
    """Read the line that `wrk.lua` prints.

    Raises:
        LoadFailedError: wrk printed no such line.
    """
    for line in output.splitlines():
        if line.startswith("BENCH "):
            counts: dict[str, int] = json.loads(line.removeprefix("BENCH "))
            return WrkCounts(
                calls=counts["calls"],
                seconds=counts["microseconds"] / 1e6,
                received=counts["bytes"],
                failures={name: counts[name] for name in ("refused", "broken", "late")},
            )
    raise LoadFailedError(f"wrk gave no result: {output.strip()[-300:]}")


def judge_wrk(counts: WrkCounts, answer_bytes: int) -> LoadRun:
    """Turn wrk's counts into a run, or say why they are none.

    wrk looks at the status only, so the bytes are weighed too: an answer of another length than
    the one checked before is another answer.

    Raises:
        LoadFailedError: calls failed, or the answers are not of the size of the checked one.
    """
    failed = {name: count for name, count in counts.failures.items() if count}
    if failed:
        words = ", ".join(f"{count} {name}" for name, count in failed.items())
        raise LoadFailedError(f"of {counts.calls} calls: {words}")
    if counts.calls == 0:
        raise LoadFailedError("not one call was answered")
    size = counts.received / counts.calls
    if abs(size - answer_bytes) > answer_bytes * _SIZE_TOLERANCE:
        raise LoadFailedError(f"answers of {size:.0f} bytes where {answer_bytes} were expected")
    return LoadRun(counts.calls, counts.seconds)


def run_wrk(
    program: str,
    folder: Path,
    target: Target,
    *,
    connections: int,
    seconds: float,
    answer_bytes: int,
) -> LoadRun:
    """Load a target with wrk on this thread's cores.

    Raises:
        LoadFailedError: some call failed.
    """
    body, headers = folder / "wrk-body", folder / "wrk-headers"
    body.write_bytes(target.body)
    lines = [f"{name}: {value}\n" for name, value in wire.headers(target.dialect).items()]
    headers.write_text("".join(lines))
    command = [
        program,
        "-t1",
        f"-c{connections}",
        # wrk reads whole seconds only.
        f"-d{max(1, round(seconds))}s",
        f"--timeout={_TIMEOUT_SECONDS:.0f}s",
        f"-s{_SCRIPT}",
        f"http://127.0.0.1:{target.port}{target.dialect.value}",
    ]
    done = subprocess.run(
        command,
        env={**os.environ, "BENCH_BODY": str(body), "BENCH_HEADERS": str(headers)},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 2 * _TIMEOUT_SECONDS,
    )
    return judge_wrk(parse_wrk(done.stdout + done.stderr), answer_bytes)


def run_counted(target: Target, *, connections: int, calls: int) -> LoadRun:
    """Make exactly `calls` calls, `connections` at a time, and check every answer.

    A slow gateway answers so few calls in a second that those cut off at the end of a timed run
    would weigh; here none is cut off.

    Raises:
        LoadFailedError: an answer was wrong, or none came in a minute.
    """
    request = target.request()
    opened: list[Connection] = []
    begun = time.monotonic()
    try:
        for _ in range(min(connections, calls)):
            opened.append(Connection(target.port, _TIMEOUT_SECONDS))
            opened[-1].send(request)
        sent, answered = len(opened), 0
        while answered < calls:
            ready, _, _ = select.select(opened, (), (), _TIMEOUT_SECONDS)
            if not ready:
                raise LoadFailedError(f"no answer for {_TIMEOUT_SECONDS:.0f} s")
            for connection in ready:
                answer = connection.receive()
                if answer is None:
                    continue
                check(answer, target.dialect)
                answered += 1
                if sent < calls:
                    connection.send(request)
                    sent += 1
    except (OSError, WrongAnswerError) as error:
        raise LoadFailedError(f"a call failed: {error}") from error
    finally:
        for connection in opened:
            connection.close()
    return LoadRun(calls, time.monotonic() - begun)
