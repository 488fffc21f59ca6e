"""Starts the servers of a run, asks the kernel what they cost, and stops them all.

It knows nothing of HTTP; who answers, and rightly, is checked in `answers`.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import procfs
from bench.machines import running_on

_STOP_SECONDS = 10.0
_KILL_SECONDS = 5.0
_LOG_LINES_SHOWN = 25


class ProcessFailedError(Exception):
    """A server ended by itself or never answered; the message carries the end of its log."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start one server: its command, added environment, cores and log file."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    cores: frozenset[int]
    log: Path


class Server:
    """One started server with everything it started itself."""

    __slots__ = ("_popen", "launch", "started_at")

    def __init__(
        self, launch: Launch, popen: "subprocess.Popen[bytes]", started_at: float
    ) -> None:
        self.launch = launch
        self.started_at = started_at
        self._popen = popen

    @property
    def name(self) -> str:
        """The name used in messages and tables."""
        return self.launch.name

    def tree(self) -> frozenset[int]:
        """The process ids that belong to this server now."""
        return procfs.tree_of(self._popen.pid)

    def cpu(self) -> procfs.CpuTime:
        """CPU seconds of the whole tree since its start."""
        return procfs.cpu_time(self.tree())

    def memory(self) -> procfs.Memory:
        """Memory of the whole tree."""
        return procfs.memory(self.tree())

    def owns(self, port: int) -> bool:
        """Whether this server, and nobody else, listens on the port."""
        return procfs.listens_on(self.tree(), port)

    def check_alive(self) -> None:
        """Raise if the server has ended.

        Raises:
            ProcessFailedError: with the exit status and the end of the log.
        """
        status = self._popen.poll()
        if status is not None:
            raise ProcessFailedError(f"{self.name} ended with status {status}.\n{self.log_end()}")

    def log_end(self) -> str:
        """The last lines the server wrote."""
        try:
            lines = self.launch.log.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            lines = []
        shown = lines[-_LOG_LINES_SHOWN:]
        return "\n".join(f"  {line}" for line in shown) if shown else "  (it wrote nothing)"

    def stop(self) -> None:
        """End the tree: politely, then by force; returns once all of it is gone."""
        root = frozenset({self._popen.pid})
        _signal(root, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(_STOP_SECONDS)
        _signal(self._living() - root, signal.SIGTERM)
        if not self._gone_within(1.0):
            _signal(self._living(), signal.SIGKILL)
            self._gone_within(_KILL_SECONDS)

    def _living(self) -> frozenset[int]:
        """The tree without what has ended; asked anew before each signal, as ids are reused."""
        self._popen.poll()
        running = frozenset(stat.pid for stat in procfs.read_stats() if not stat.ended)
        return running & self.tree()

    def _gone_within(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while self._living():
            if time.monotonic() >= end:
                return False
            time.sleep(0.02)
        return True


def start(launch: Launch) -> Server:
    """Start a server in a session of its own, on its cores, writing to its log.

    Raises:
        ProcessFailedError: the program cannot be started.
    """
    environment = {**os.environ, **launch.environment}
    with launch.log.open("ab") as log, running_on(launch.cores):
        started_at = time.monotonic()
        try:
            popen = subprocess.Popen(
                launch.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise ProcessFailedError(
                f"{launch.name} cannot be started: {error.strerror}: {launch.command[0]}"
            ) from error
    return Server(launch, popen, started_at)


@contextlib.contextmanager
def running(launch: Launch) -> Generator[Server, None, None]:
    """A server for the length of a block."""
    server = start(launch)
    try:
        yield server
    finally:
        server.stop()


def free_ports(count: int) -> tuple[int, ...]:
    """Ports of 127.0.0.1 that are free now, all different."""
    with contextlib.ExitStack() as held:
        sockets = [
            held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            for _ in range(count)
        ]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return tuple(int(each.getsockname()[1]) for each in sockets)


@contextlib.contextmanager
def stopping_on_signals(signals: Sequence[signal.Signals]) -> Generator[None, None, None]:
    """Turn these signals into `KeyboardInterrupt`, so that every server is stopped on the way."""

    def interrupt(number: int, _frame: object) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    before = {each: signal.signal(each, interrupt) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _signal(pids: frozenset[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
