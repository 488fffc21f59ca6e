"""Reads what Linux says about processes: CPU time, memory, parents and listening sockets.

The parsers take text and are pure; the few readers beside them open the files. Nothing here starts
or stops a process.
"""

import contextlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_CPUCLOCK_SCHED = 2
_LISTEN = "0A"


@dataclass(frozen=True, slots=True)
class ProcessStat:
    """The fields of `/proc/PID/stat` that the accounting needs; CPU times in seconds."""

    pid: int
    state: str
    parent: int
    session: int
    user: float
    system: float
    reaped_user: float
    reaped_system: float

    @property
    def ended(self) -> bool:
        """Whether the process has ended and only waits for its parent to take notice."""
        return self.state == "Z"


@dataclass(frozen=True, slots=True)
class CpuTime:
    """CPU seconds of a process tree: `total` from the precise clock, `user` and `system` in ticks.

    The kernel counts both with the same scheduler clock, but prints the two halves in steps of
    10 ms. So `total` is the figure, and the halves only say how it divides.
    """

    total: float
    user: float
    system: float

    def since(self, earlier: "CpuTime") -> "CpuTime":
        """The CPU seconds used between two readings of the same tree."""
        return CpuTime(
            self.total - earlier.total, self.user - earlier.user, self.system - earlier.system
        )

    @property
    def system_share(self) -> float:
        """The part of the time spent in the kernel, 0 to 1."""
        both = self.user + self.system
        return self.system / both if both > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of a process tree in bytes.

    `proportional` (PSS) shares pages that several processes map among them, so it may be added up;
    `largest_resident` is the RSS of the biggest single process, as `ps` would print it.
    """

    proportional: int
    largest_resident: int


def parse_stat(text: str) -> ProcessStat:
    """Read one `/proc/PID/stat` line; the process name may contain spaces and parentheses."""
    head, _, tail = text.rpartition(")")
    fields = tail.split()
    user, system, reaped_user, reaped_system = (
        int(ticks) / _TICKS_PER_SECOND for ticks in fields[11:15]
    )
    return ProcessStat(
        pid=int(head.partition("(")[0]),
        state=fields[0],
        parent=int(fields[1]),
        session=int(fields[3]),
        user=user,
        system=system,
        reaped_user=reaped_user,
        reaped_system=reaped_system,
    )


def parse_rollup(text: str) -> tuple[int, int]:
    """Read `/proc/PID/smaps_rollup`: proportional and resident bytes."""
    sizes = {"Pss:": 0, "Rss:": 0}
    for line in text.splitlines():
        name, _, rest = line.partition(" ")
        if name in sizes:
            sizes[name] = int(rest.split()[0]) * 1024
    return sizes["Pss:"], sizes["Rss:"]


def parse_listeners(text: str, port: int) -> frozenset[int]:
    """The socket inodes that listen on `port`, from the text of `/proc/net/tcp` or `tcp6`."""
    inodes: set[int] = set()
    for line in text.splitlines()[1:]:
        fields = line.split()
        local_port = int(fields[1].rpartition(":")[2], 16)
        if fields[3] == _LISTEN and local_port == port:
            inodes.add(int(fields[9]))
    return frozenset(inodes)


def parse_busy(text: str) -> tuple[int, int]:
    """The machine's busy and total CPU ticks since its start, from the text of `/proc/stat`.

    Time taken by other guests of the same host (steal) is busy: it was not ours to use.
    """
    fields = [int(ticks) for ticks in text.splitlines()[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return sum(fields) - idle, sum(fields)


def select_tree(stats: Iterable[ProcessStat], root: int) -> frozenset[int]:
    """The process `root`, all that descend from it, and all in the session it leads.

    The session finds workers whose parent has gone and which were handed to process 1.
    """
    children: dict[int, list[int]] = {}
    found: set[int] = set()
    waiting = [root]
    for stat in stats:
        children.setdefault(stat.parent, []).append(stat.pid)
        if stat.session == root:
            waiting.append(stat.pid)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting.extend(children.get(pid, ()))
    return frozenset(found)


def read_stats() -> tuple[ProcessStat, ...]:
    """The state of every process now running; one that ends meanwhile is left out."""
    found: list[ProcessStat] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            stat = _read_stat(int(entry.name))
            if stat is not None:
                found.append(stat)
    return tuple(found)


def tree_of(root: int) -> frozenset[int]:
    """The process ids of the tree under `root`, as of now."""
    return select_tree(read_stats(), root)


def cpu_time(pids: Iterable[int]) -> CpuTime:
    """CPU seconds of these processes, all their threads and their children already reaped."""
    total = user = system = 0.0
    for pid in pids:
        stat = _read_stat(pid)
        if stat is None:
            continue
        own_user_and_system = _clock(pid)
        if own_user_and_system is None:
            own_user_and_system = stat.user + stat.system
        total += own_user_and_system + stat.reaped_user + stat.reaped_system
        user += stat.user + stat.reaped_user
        system += stat.system + stat.reaped_system
    return CpuTime(total, user, system)


def memory(pids: Iterable[int]) -> Memory:
    """Memory of these processes together."""
    proportional = largest = 0
    for pid in pids:
        try:
            pss, rss = parse_rollup(Path(f"/proc/{pid}/smaps_rollup").read_text())
        except (FileNotFoundError, ProcessLookupError):
            continue
        proportional += pss
        largest = max(largest, rss)
    return Memory(proportional, largest)


def listens_on(pids: Iterable[int], port: int) -> bool:
    """Whether `port` is listened on by these processes and by nobody else."""
    listeners: set[int] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        path = Path(table)
        if path.exists():
            listeners |= parse_listeners(path.read_text(), port)
    return bool(listeners) and listeners <= _sockets_of(pids)


def _read_stat(pid: int) -> ProcessStat | None:
    try:
        return parse_stat(Path(f"/proc/{pid}/stat").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return None


def _clock(pid: int) -> float | None:
    """The CPU clock of another process in seconds; None for one that has ended.

    Python does not offer `clock_getcpuclockid`. Linux makes the number from the process id: its
    complement, shifted by three, and the scheduler clock in the low bits.
    """
    try:
        return time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)
    except OSError:
        return None


def _sockets_of(pids: Iterable[int]) -> frozenset[int]:
    return frozenset(
        int(target.removeprefix("socket:[").removesuffix("]"))
        for pid in pids
        for target in _open_files(pid)
        if target.startswith("socket:[")
    )


def _open_files(pid: int) -> list[str]:
    """What the file descriptors of a process point to; those closed meanwhile are left out."""
    targets: list[str] = []
    try:
        entries = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return targets
    for entry in entries:
        with contextlib.suppress(OSError):
            targets.append(entry.readlink().name)
    return targets
