"""A worker that cannot begin says why and ends with status 1; its lines bear its number."""

from __future__ import annotations

import logging
import re
import socket
from pathlib import Path

import pytest

from support.attempts import deployments, settings
from tiergate.wiring import worker
from tiergate.wiring.crew import Crew
from tiergate.wiring.frames import Frame, Kind
from tiergate.wiring.handover import pack_settings

CREW = Crew(
    ("c.yaml",), "127.0.0.1", 4000, 2, True, False, True, 2.5, 1.5, 4.0, "x", "none", "b.json"
)


@pytest.fixture(autouse=True)
def logs_as_before():
    logger = logging.getLogger("tiergate")
    kept = (logger.handlers, logger.level, logger.propagate)
    yield
    logger.handlers, logger.level, logger.propagate = kept


def run(*frames: Frame) -> int:
    ours, theirs = socket.socketpair()
    with ours:
        ours.sendall(b"".join(frame.encode() for frame in frames))
        ours.shutdown(socket.SHUT_WR)
        return worker.main([CREW.to_json(), "2", str(theirs.detach())], {})


def test_without_settings_it_ends(capsys):
    assert run() == 1
    assert re.search(r"error not started .*supervisor.* worker=2", capsys.readouterr().err)


def test_another_version_of_the_program_is_told(capsys):
    assert run(Frame(Kind.SETTINGS, b"0.0.0\0")) == 1
    assert "Restart the gateway" in capsys.readouterr().err


def test_it_runs_by_its_crew_and_leaves_the_watch_to_the_supervisor(monkeypatch):
    given = settings(deployments(cheap="a"))
    runs: list[tuple[object, ...]] = []

    async def run_gateway(found, plan, environ, siblings) -> bool:
        runs.append(
            (found, plan.port, plan.drain_seconds, plan.drain_delay, plan.lenient, plan.watch)
        )
        assert plan.backlog == Path("b.json")
        assert (siblings.host, siblings.workers) == ("127.0.0.1", 2)
        return True

    monkeypatch.setattr(worker, "run_gateway", run_gateway)
    assert run(Frame(Kind.SETTINGS, pack_settings(given))) == 0
    assert runs == [(given, 4000, 2.5, 1.5, True, False)]
