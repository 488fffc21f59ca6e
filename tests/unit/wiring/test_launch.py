"""What the supervisor is started with: the port, the settings, the plan; or nothing at all."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from support.attempts import deployments, settings
from support.engine import RICH
from tiergate.base.values import AliasName, Secret
from tiergate.core.catalog import Access
from tiergate.core.phases import EscalationPolicy, WorkPolicy
from tiergate.core.rules import StoreKind, StorePlan
from tiergate.wiring.crew import Crew, take
from tiergate.wiring.handover import unpack_settings
from tiergate.wiring.launch import SUPERVISOR, launch
from tiergate.wiring.process import Plan
from tiergate.wiring.server import PortTakenError

KEY = "sk-9hQ2vK7xLw4ZpTb8RmYc3NfD"
GIVEN = settings(deployments(cheap="a"), access=Access(master_key=Secret(KEY)))
PLAN = Plan(
    (Path("c.yaml"),), "127.0.0.1", 0, watch=True, drain_seconds=3.0, backlog=Path("b.json")
)


def test_the_process_becomes_the_supervisor_with_port_and_settings():
    calls: list[list[str]] = []

    def become(program: str, words: list[str]) -> None:
        calls.append(words)
        look(words)

    launch(GIVEN, PLAN, 3, become)
    assert len(calls) == 1


def look(words: list[str]) -> None:
    """What the new program finds."""
    at = words.index(SUPERVISOR)
    text, kept, *descriptors = words[at + 1 :]
    crew = Crew.from_json(text)
    assert (crew.paths, crew.workers, crew.watch) == (("c.yaml",), 3, True)
    assert (crew.drain_seconds, crew.drain_delay, crew.leave_seconds) == (3.0, None, 3.0)
    assert crew.aliases == "cheap"
    assert (crew.backlog, crew.watched) == ("b.json", ("c.yaml", "b.json"))
    assert KEY not in " ".join(words)
    assert unpack_settings(take(int(kept))) == GIVEN
    for descriptor in descriptors:
        assert os.get_inheritable(int(descriptor))
        with socket.socket(fileno=os.dup(int(descriptor))) as sock:
            assert sock.getsockname() == ("127.0.0.1", crew.port)


def never(program: str, words: list[str]) -> None:
    raise AssertionError("the process must not be replaced")


def test_a_port_that_is_taken_is_told_before():
    with socket.create_server(("127.0.0.1", 0)) as other:
        plan = replace(PLAN, port=other.getsockname()[1])
        with pytest.raises(PortTakenError, match="--port"):
            launch(GIVEN, plan, 2, never)


def test_budgets_in_memory_would_hold_in_each_worker_apart():
    memory = StorePlan(kind=StoreKind.MEMORY)
    given = replace(GIVEN, budgets=(RICH,), stores=memory)
    with pytest.raises(ValueError, match="--num_workers 1"):
        launch(given, PLAN, 2, never)


@pytest.mark.parametrize(("limit", "refused"), [(1, True), (None, False)])
def test_escalations_in_memory_would_be_counted_in_each_worker_apart(limit, refused):
    policy = WorkPolicy(escalation=EscalationPolicy(alias=AliasName("cheap"), limit=limit))
    given = replace(GIVEN, work=policy, stores=StorePlan(kind=StoreKind.MEMORY))
    became: list[str] = []
    if refused:
        with pytest.raises(ValueError, match="counted in each process apart"):
            launch(given, PLAN, 2, never)
    else:
        launch(given, PLAN, 2, lambda program, words: became.append(program))
    assert len(became) == (not refused)


def test_an_open_address_without_a_key_is_told_before():
    with pytest.raises(PortTakenError, match="master key"):
        launch(settings(deployments(cheap="a")), replace(PLAN, host="0.0.0.0"), 2, never)
