"""Names the machine a run was made on, and decides which cores each part of the run may use.

It reads facts; it starts only the tools whose version it prints.
"""

import contextlib
import os
import platform
import resource
import shutil
import subprocess
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import procfs

_OPEN_FILES_WANTED = 65_536
_TOOL_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/sbin")


class MissingToolError(Exception):
    """A program the benchmark needs is not installed; the message says how to get it."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a reader needs to judge the figures of a run."""

    processor: str
    cores: int
    memory_bytes: int
    virtual: str
    kernel: str
    python: str
    nginx: str
    wrk: str


@dataclass(frozen=True, slots=True)
class CoreLayout:
    """Which cores the gateway under test, the upstream and the load generator may run on."""

    gateway: frozenset[int]
    upstream: frozenset[int]
    generator: frozenset[int]

    def words(self) -> str:
        """The layout in one sentence."""
        if self.gateway == self.generator:
            return "one core for everything: the load generator disturbs the gateway"
        if self.upstream == self.generator:
            return (
                f"gateway on core {_numbers(self.gateway)}, "
                f"upstream and load generator on core {_numbers(self.generator)}"
            )
        return (
            f"gateway on core {_numbers(self.gateway)}, upstream on core "
            f"{_numbers(self.upstream)}, load generator on core {_numbers(self.generator)}"
        )


@dataclass(frozen=True, slots=True)
class Tools:
    """Where the needed programs are."""

    nginx: str
    wrk: str


def lay_out(cores: Sequence[int]) -> CoreLayout:
    """Divide the cores: the gateway has one for itself wherever there are two."""
    if len(cores) == 1:
        only = frozenset(cores)
        return CoreLayout(only, only, only)
    if len(cores) == 2:
        other = frozenset({cores[1]})
        return CoreLayout(frozenset({cores[0]}), other, other)
    return CoreLayout(frozenset({cores[0]}), frozenset({cores[1]}), frozenset({cores[2]}))


def usable_cores() -> tuple[int, ...]:
    """The cores this process may use, lowest first."""
    return tuple(sorted(os.sched_getaffinity(0)))


def find_tools() -> Tools:
    """Find nginx and wrk.

    Raises:
        MissingToolError: one of them is not installed, or this is not Linux.
    """
    if not Path("/proc/self/stat").exists():
        raise MissingToolError(
            "The benchmark reads CPU time and memory from /proc, which only Linux has. "
            "Run it on Linux, for example in a container."
        )
    found = {name: find_program(name) for name in ("nginx", "wrk")}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise MissingToolError(
            f"The benchmark needs {' and '.join(missing)}, which this machine does not have. "
            f"On Debian or Ubuntu: apt-get install {' '.join(missing)}"
        )
    return Tools(nginx=found["nginx"] or "", wrk=found["wrk"] or "")


def find_program(name: str) -> str | None:
    """The path of a program, looked for in `PATH` and where Debian keeps servers."""
    folders = os.pathsep.join((os.environ.get("PATH", ""), *_TOOL_FOLDERS))
    return shutil.which(name, path=folders)


def describe(tools: Tools, cores: int) -> Machine:
    """Read the facts of this machine, of which the run may use `cores` cores."""
    cpu_info = Path("/proc/cpuinfo").read_text()
    memory_info = Path("/proc/meminfo").read_text()
    return Machine(
        processor=processor_name(cpu_info),
        cores=cores,
        memory_bytes=memory_size(memory_info),
        virtual="virtual machine" if "hypervisor" in cpu_info else "bare metal",
        kernel=platform.release(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        nginx=version_in(_output(tools.nginx, "-v"), "nginx/"),
        wrk=version_in(_output(tools.wrk, "-v"), "wrk "),
    )


def processor_name(cpu_info: str) -> str:
    """The processor's model from the text of `/proc/cpuinfo`; the architecture if it has none."""
    for line in cpu_info.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Model"}:
            return value.strip()
    return platform.machine()


def memory_size(memory_info: str) -> int:
    """The machine's memory in bytes from the text of `/proc/meminfo`; 0 if it does not say."""
    for line in memory_info.splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return 0


def version_in(output: str, marker: str) -> str:
    """The word that follows `marker` in a program's version line; `unknown` if it is not there."""
    _, found, rest = output.partition(marker)
    return rest.split()[0] if found and rest.split() else "unknown"


def other_work(seconds: float) -> float:
    """The share of the machine's CPU time that is in use now, 0 to 1, watched for some seconds.

    Asked while a run has nothing to do, it is the work of others, which disturbs every figure.
    """
    stat = Path("/proc/stat")
    busy, total = procfs.parse_busy(stat.read_text())
    time.sleep(seconds)
    busy_then, total_then = procfs.parse_busy(stat.read_text())
    return (busy_then - busy) / max(1, total_then - total)


def raise_open_file_limit() -> int:
    """Let this process and those it starts open many sockets; returns the limit reached."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES_WANTED if hard == resource.RLIM_INFINITY else hard
    wanted = max(soft, min(wanted, _OPEN_FILES_WANTED))
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


@contextlib.contextmanager
def running_on(cores: frozenset[int]) -> Generator[None, None, None]:
    """Move this thread to `cores`; what is started inside the block is born there and stays.

    A child inherits its parent's cores at birth, so no thread of it ever ran elsewhere, which
    pinning a process after its start could not promise.
    """
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _numbers(cores: frozenset[int]) -> str:
    return ", ".join(str(core) for core in sorted(cores))


def _output(program: str, *arguments: str) -> str:
    done = subprocess.run(
        (program, *arguments), capture_output=True, text=True, check=False, timeout=10
    )
    return done.stdout + done.stderr
