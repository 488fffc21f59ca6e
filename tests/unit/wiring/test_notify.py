"""What the service manager hears, over a real socket."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tiergate.wiring.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """The end of the service manager, and the name by which services find it."""
    name = f"@tiergate-test-{os.getpid()}" if request.param == "abstract" else f"{tmp_path}/n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("\0" + name[1:] if name.startswith("@") else name)
        sock.settimeout(5)
        yield sock, name


def test_each_event_is_one_datagram(manager):
    sock, name = manager
    notifier = Notifier({"NOTIFY_SOCKET": name})
    notifier.ready()
    assert sock.recv(4096) == b"READY=1"
    before = time.monotonic_ns() // 1000
    notifier.reloading()
    first, second = sock.recv(4096).split(b"\n")
    assert first == b"RELOADING=1"
    assert before <= int(second.removeprefix(b"MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000
    notifier.stopping(32.5)
    assert sock.recv(4096) == b"STOPPING=1\nEXTEND_TIMEOUT_USEC=32500000"
    notifier.alive()
    assert sock.recv(4096) == b"WATCHDOG=1"


@pytest.mark.parametrize("place", [None, "", "relative/path"])
def test_without_a_service_manager_nothing_is_told_and_nobody_listens_for_a_pulse(place):
    environ = {"WATCHDOG_USEC": "1000000"}
    notifier = Notifier(environ if place is None else {**environ, "NOTIFY_SOCKET": place})
    notifier.ready()
    assert notifier.pulse_seconds is None


def test_a_service_manager_that_is_gone_disturbs_nobody(tmp_path, caplog):
    Notifier({"NOTIFY_SOCKET": f"{tmp_path}/gone"}).ready()


@pytest.mark.parametrize(
    ("usec", "pid", "seconds"),
    [
        ("30000000", None, 15.0),
        ("30000000", "own", 15.0),
        ("30000000", "1", None),
        ("0", None, None),
        ("soon", None, None),
        (None, None, None),
    ],
)
def test_the_pulse_is_twice_as_quick_as_the_watchdog_is_patient(tmp_path, usec, pid, seconds):
    environ = {"NOTIFY_SOCKET": f"{tmp_path}/n"}
    if usec is not None:
        environ["WATCHDOG_USEC"] = usec
    if pid is not None:
        environ["WATCHDOG_PID"] = str(os.getpid()) if pid == "own" else pid
    assert Notifier(environ).pulse_seconds == seconds
