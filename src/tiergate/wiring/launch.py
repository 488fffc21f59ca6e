"""Turns the process that has read the configuration into the supervisor of several workers.

The supervisor is a small program: it has no use for what reading a configuration loads, so the
process is replaced (`execv`) and keeps its id. The reserved sockets and the settings go with it
as open descriptors.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from tiergate.core.catalog import Settings
from tiergate.core.rules import StoreKind
from tiergate.wiring.crew import Crew, command, keep
from tiergate.wiring.handover import pack_settings
from tiergate.wiring.process import Plan, choose_host, describe
from tiergate.wiring.reserve import reserve
from tiergate.wiring.server import PortTakenError

SUPERVISOR = "tiergate.wiring.supervisor"


def launch(
    settings: Settings,
    plan: Plan,
    workers: int,
    become: Callable[[str, list[str]], object] = os.execv,
) -> None:
    """Become the supervisor of some workers; does not return.

    Args:
        settings: What the configuration means.
        plan: How to run.
        workers: How many; at least 2.
        become: Replaces the process.

    Raises:
        PortTakenError: The address cannot be listened on, or must not be.
        ValueError: Budgets, or the limit of escalations, could not hold over several workers.
    """
    if settings.budgets and settings.stores.kind is StoreKind.MEMORY:
        raise ValueError(
            "budgets that are kept in memory (state_dir: ':memory:') hold in one process only. "
            "Give a state_dir, or use --num_workers 1."
        )
    escalation = settings.work.escalation if settings.work is not None else None
    limited = escalation is not None and escalation.limit is not None
    if limited and settings.stores.kind is StoreKind.MEMORY:
        raise ValueError(
            "escalations that are counted in memory (state_dir: ':memory:') are counted in each "
            "process apart, so maxEscalationsPerTicket would not hold. Give a state_dir, or use "
            "--num_workers 1."
        )
    host = choose_host(settings, plan.host)
    try:
        held = asyncio.run(reserve(host, plan.port))
    except OSError as exc:
        raise PortTakenError(f"{exc}. Choose another with --port.") from None
    told = describe(settings)
    crew = Crew(
        paths=tuple(str(path) for path in plan.paths),
        host=host,
        port=held[0].getsockname()[1],
        workers=workers,
        lenient=plan.lenient,
        strict=plan.strict,
        watch=plan.watch,
        drain_seconds=plan.drain_seconds,
        drain_delay=plan.drain_delay,
        leave_seconds=plan.life(settings).longest_leave,
        aliases=told["aliases"],
        access=told["access"],
        backlog=str(plan.backlog or ""),
        watched=tuple(str(path) for path in plan.watched),
    )
    kept = keep(pack_settings(settings))
    descriptors = [str(sock.fileno()) for sock in held]
    words = command(SUPERVISOR, crew.to_json(), str(kept), *descriptors)
    try:
        become(words[0], words)
    finally:  # only where the process could not be replaced
        for sock in held:
            sock.close()
