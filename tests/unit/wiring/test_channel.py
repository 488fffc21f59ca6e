"""A worker that does not read, or says nonsense, holds nobody up."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import pytest

from tiergate.wiring import channel as module
from tiergate.wiring.channel import Channel, why_ended
from tiergate.wiring.frames import Frame, Frames, Kind


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    channel = Channel(process, ours)
    yield channel, theirs
    channel.close()
    theirs.close()


def read(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += sock.recv(size - len(data))
    return data


def test_what_is_not_taken_is_kept_and_sent_later(ends):
    channel, theirs = ends
    frame = Frame(Kind.SETTINGS, b"x" * 3_000_000)
    channel.send(frame)
    assert channel.held > 0
    size, data = len(frame.encode()), b""
    while len(data) < size:
        data += theirs.recv(1 << 20)
        channel.flush()
    assert Frames().feed(data) == [frame]
    assert channel.held == 0
    assert channel.open


def test_one_that_takes_nothing_for_ever_is_given_up(ends, monkeypatch):
    channel, _ = ends
    monkeypatch.setattr(module, "MOST_HELD", 1000)
    channel.send(Frame(Kind.SETTINGS, b"x" * 3_000_000))
    assert (channel.open, channel.held) == (False, 0)


def test_frames_are_received_and_then_the_end(ends):
    channel, theirs = ends
    assert channel.receive() == []
    theirs.sendall(Frame(Kind.READY).encode())
    assert channel.receive() == [Frame(Kind.READY)]
    theirs.close()
    assert channel.receive() == []
    assert not channel.open


def test_nonsense_closes(ends):
    channel, theirs = ends
    theirs.sendall(b"\x00\x00\x00\x00\xff")
    assert channel.receive() == []
    assert not channel.open


def test_sending_to_one_that_has_gone_is_no_error(ends):
    channel, theirs = ends
    theirs.close()
    channel.send(Frame(Kind.READ))
    channel.send(Frame(Kind.READ))
    assert not channel.open
    channel.signal(signal.SIGTERM)


@pytest.mark.parametrize(
    ("code", "words"), [(0, "status 0"), (1, "status 1"), (-9, "SIGKILL"), (-200, "signal 200")]
)
def test_an_end_is_told_in_words(code, words):
    assert why_ended(code) == words
