"""Finds out where Tiergate's CPU time goes in a plain call, with py-spy, perf, or both.

py-spy names Python functions, perf names what the extension modules and the kernel do. Neither is
required: what is not installed is said and left out.
"""

import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.client import Target
from bench.gateways import Config, Site, gateway
from bench.load import LoadFailedError, run_wrk
from bench.machines import find_program
from bench.measures import check_answers, try_out
from bench.record import Contender
from bench.wire import Dialect, chat_body

_SECONDS = 10
_SAMPLES_PER_SECOND = 199
_LINES_SHOWN = 25
_CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Hotspot:
    """A function: its share of the samples by itself, and together with what it called."""

    name: str
    own: float
    total: float


def parse_stacks(text: str) -> tuple[Hotspot, ...]:
    """Read collapsed stacks (`outer;inner COUNT` a line), most of its own time first."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    whole = 0
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        if not stack or not count.isdigit():
            continue
        # py-spy opens each stack with the process's command line, which is no function.
        frames = [frame for frame in stack.split(";") if not frame.startswith("process ")]
        if not frames:
            continue
        whole += int(count)
        own[frames[-1]] += int(count)
        for frame in set(frames):
            total[frame] += int(count)
    return tuple(
        Hotspot(name, own[name] / whole, total[name] / whole)
        for name, _ in sorted(total.items(), key=lambda item: (-own[item[0]], -item[1], item[0]))
    )


def perf_lines(report: str) -> tuple[str, ...]:
    """The table of a `perf report --stdio`, without its comments and blank lines."""
    return tuple(
        line.strip() for line in report.splitlines() if line.strip() and not line.startswith("#")
    )


def profile(site: Site, contender: Contender, tell: Callable[[str], None]) -> str:
    """Load the gateway with plain 2 KB calls under each profiler in turn; the report in Markdown.

    Raises:
        LoadFailedError: the gateway did not answer as it should.
    """
    parts: list[str] = []
    for profiler in _PROFILERS:
        program = find_program(profiler.name)
        if program is None:
            tell(f"{profiler.name} is not installed and is left out ({profiler.how_to_get})")
        else:
            tell(f"profiling with {profiler.name} for {_SECONDS} s")
            parts.append(_profiled(site, contender, profiler, program))
    return "\n\n".join(parts) or "No profile: neither py-spy nor perf is installed."


@dataclass(frozen=True, slots=True)
class _Profiler:
    """One profiler: how to get it, and how to make it describe some processes as text.

    `record` takes the program, the process ids with the first started one first, and a folder.
    """

    name: str
    how_to_get: str
    record: Callable[[str, Sequence[int], Path], str]


def _profiled(site: Site, contender: Contender, profiler: _Profiler, program: str) -> str:
    with gateway(site, contender, Config.EVERYTHING) as running:
        try_out(running)
        target = Target(running.plain_port, Dialect.OPENAI, chat_body("plain-openai", 2_048))
        size = check_answers(running, target)
        with ThreadPoolExecutor(1) as loader:
            load = loader.submit(
                run_wrk,
                site.tools.wrk,
                site.folder,
                target,
                connections=_CONNECTIONS,
                seconds=_SECONDS + 3,
                answer_bytes=size,
            )
            text = profiler.record(program, sorted(running.server.tree()), site.folder)
            rate = load.result().rate
    return (
        f"### Profile by {profiler.name}\n\n"
        f"Plain 2 KB calls on {_CONNECTIONS} connections, {rate:,.0f} calls per second while "
        f"sampled.\n\n```text\n{text.rstrip()}\n```"
    )


def _by_py_spy(program: str, pids: Sequence[int], folder: Path) -> str:
    stacks = folder / "py-spy.txt"
    options = f"--subprocesses --function --format raw --rate {_SAMPLES_PER_SECOND}"
    where = f"--duration {_SECONDS} --pid {pids[0]} --output"
    _run((program, "record", *options.split(), *where.split(), str(stacks)))
    shown = parse_stacks(stacks.read_text())[:_LINES_SHOWN]
    lines = [f"{spot.own:6.1%}  {spot.total:6.1%}  {spot.name}" for spot in shown]
    return "\n".join(("   own   total  function", *lines))


def _by_perf(program: str, pids: Sequence[int], folder: Path) -> str:
    data = folder / "perf.data"
    joined = ",".join(str(pid) for pid in pids)
    options = f"record -q -F {_SAMPLES_PER_SECOND} -p {joined} -o"
    _run((program, *options.split(), str(data), "--", "sleep", str(_SECONDS)))
    parts: list[str] = []
    for title, fields, count in (("by file", "dso", 12), ("by symbol", "dso,sym", _LINES_SHOWN)):
        report = _run((program, "report", "-q", "--stdio", "-i", str(data), "--sort", fields))
        parts.append("\n".join((title, *perf_lines(report)[:count])))
    return "\n\n".join(parts)


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=_SECONDS * 6
    )
    if done.returncode != 0:
        raise LoadFailedError(f"{command[0]} failed: {done.stderr.strip()[-500:]}")
    return done.stdout


_PROFILERS = (
    _Profiler("py-spy", "pip install py-spy", _by_py_spy),
    _Profiler("perf", "apt-get install linux-perf", _by_perf),
)
