"""One of several workers: gets sockets and settings from its supervisor, then serves."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import uvloop

from tiergate.telemetry.logs import configure_logging
from tiergate.wiring.crew import Crew
from tiergate.wiring.process import Plan, run_gateway
from tiergate.wiring.server import PortTakenError
from tiergate.wiring.siblings import Siblings, SupervisorGoneError

LOG = logging.getLogger("tiergate")


def main(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a worker.

    Args:
        words: The crew as JSON, the worker's number, the descriptor of its end of the socket
            pair, and those of the sockets to listen on.
        environ: The environment.

    Returns:
        The exit status.
    """
    configure_logging(environ)
    text, number, *descriptors = words
    _name_lines(int(number))
    pair, *sockets = [socket.socket(fileno=int(descriptor)) for descriptor in descriptors]
    for sock in (pair, *sockets):
        sock.set_inheritable(False)
    try:
        uvloop.run(_work(Crew.from_json(text), pair, tuple(sockets), environ))
    except (PortTakenError, SupervisorGoneError, ValueError) as exc:
        LOG.error("not started", extra={"why": str(exc)})  # noqa: TRY400 - a sentence, no traceback
        return 1
    return 0


async def _work(
    crew: Crew, pair: socket.socket, sockets: tuple[socket.socket, ...], environ: Mapping[str, str]
) -> None:
    siblings = await Siblings.join(pair, crew.workers, sockets, crew.host)
    plan = Plan(
        paths=tuple(Path(path) for path in crew.paths),
        host=crew.host,
        port=crew.port,
        lenient=crew.lenient,
        strict=crew.strict,
        drain_seconds=crew.drain_seconds,
        drain_delay=crew.drain_delay,
        backlog=Path(crew.backlog) if crew.backlog else None,
    )
    try:
        await run_gateway(await siblings.settings(), plan, environ, siblings)
    finally:
        await siblings.aclose()


def _name_lines(number: int) -> None:
    """Let each line of this process's log tell which worker wrote it."""

    def name(record: logging.LogRecord) -> bool:
        record.worker = number
        return True

    for handler in LOG.handlers:
        handler.addFilter(name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
