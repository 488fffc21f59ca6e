"""Runs Claude Code's own command line against an address, in an empty home, for a bounded time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from support.gateway import KEY

SECONDS = 60.0
"""What a run may take in all."""

PROGRAM = Path(__file__).parents[2] / ".tools" / "node" / "node_modules" / ".bin" / "claude"
"""Put there by `scripts/setup.sh test`."""


@dataclass(frozen=True, slots=True)
class Run:
    """How a run ended."""

    status: int
    output: str
    errors: str


async def claude(
    url: str, model: str, prompt: str, folder: Path, *, arguments: Sequence[str] = ()
) -> Run:
    """Let Claude Code answer one prompt.

    Args:
        url: of the gateway, without a path.
        model: the alias it asks for.
        prompt: what the user says.
        folder: holds its home (`home`, made here) and its working folder (`project`).
        arguments: further ones of its command line.

    Raises:
        TimeoutError: it did not end in time; it is stopped then.
    """
    home, project = folder / "home", folder / "project"
    for path in (home, project):
        path.mkdir(parents=True, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        str(PROGRAM),
        "-p",
        prompt,
        "--model",
        model,
        *arguments,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": KEY,
            # Without it, update checks and telemetry go out to the network.
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        },
        cwd=project,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(SECONDS):
            out, err = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):  # all of them have ended already
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    return Run(process.returncode or 0, out.decode(), err.decode())
