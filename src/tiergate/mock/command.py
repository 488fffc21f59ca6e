"""Runs the scripted providers until told to stop: the work behind `tiergate mock`."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import TextIO

from tiergate.mock.reading import ScriptError, read_yaml_rules
from tiergate.mock.rules import Rule
from tiergate.mock.server import MockServer

EXAMPLE = """curl {url}/v1/chat/completions -H 'content-type: application/json' \
-d '{{"model": "any-name", "messages": [{{"role": "user", "content": "mock:429"}}]}}'"""


async def run_mock(host: str, port: int, script_path: Path | None) -> int:
    """Serve until SIGINT or SIGTERM.

    Args:
        host: address to listen on.
        port: 0 picks a free one.
        script_path: YAML or JSON file with rules.

    Returns:
        Exit status: 0 after a stop, 1 if it cannot listen there, 2 if the script cannot be read.
    """
    try:
        rules = _read(script_path)
    except (OSError, ScriptError) as error:
        _say(f"tiergate mock: {script_path} cannot be used. {error}", sys.stderr)
        return 2
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        async with MockServer(host, port, rules) as server:
            example = EXAMPLE.format(url=server.url)
            _say(f"Scripted providers listen on {server.url}  Try: {example}", sys.stdout)
            await stop.wait()
    except OSError as error:
        _say(f"tiergate mock: {error.strerror or error}.", sys.stderr)
        return 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    return 0


def _read(path: Path | None) -> tuple[Rule, ...]:
    return read_yaml_rules(path.read_bytes()) if path else ()


def _say(line: str, to: TextIO) -> None:
    to.write(line + "\n")
    to.flush()
