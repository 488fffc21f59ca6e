"""Reads the command line of `python -m bench`.

It says what was asked for; whether the programs exist is found out later.
"""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from bench.record import Contender, Effort, Role
from bench.scenarios import SCENARIOS, Scenario, named

_NAMED_PEER = re.compile(r"([A-Za-z][\w.+-]*)=(.+)", re.DOTALL)
_SECONDS = 15.0
_QUICK_SECONDS = 2.0

_EPILOG = """\
A peer's command may use {config}, {host} and {port}; the configuration is in LiteLLM's format.
Environment variables for a peer are set with env:
  --peer 'litellm=env LITELLM_LOG=ERROR litellm --config {config} --host {host} --port {port}'
Scenarios: """


class Task(Enum):
    """What the command is asked to do."""

    BENCH = "bench"
    PROFILE = "profile"


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    task: Task
    effort: Effort
    scenarios: tuple[Scenario, ...]
    peers: tuple[Contender, ...]
    subject_command: str | None
    json_file: Path | None
    write: bool


def parse(arguments: Sequence[str]) -> Options:
    """Read the arguments; prints usage and exits with status 2 where they make no sense."""
    parser = _parser()
    found = parser.parse_args(arguments)
    seconds: float = found.seconds or (_QUICK_SECONDS if found.quick else _SECONDS)
    try:
        scenarios = named(tuple(found.only or ()))
        peers = tuple(peer_of(text) for text in found.peer)
        names = [peer.name for peer in peers]
        if len(set(names) | {"nginx", "tiergate"}) != len(names) + 2:
            parser.error("each gateway needs a name of its own: --peer NAME='COMMAND'")
    except ValueError as error:
        parser.error(str(error))
    return Options(
        task=Task(found.task),
        effort=effort_of(seconds, quick=found.quick),
        scenarios=scenarios,
        peers=peers,
        subject_command=found.tiergate,
        json_file=found.json,
        write=found.write,
    )


def peer_of(text: str) -> Contender:
    """Read `NAME=COMMAND` or `COMMAND`, which is then named after its program.

    Raises:
        ValueError: there is no command.
    """
    match = _NAMED_PEER.fullmatch(text.strip())
    name, command = (match[1], match[2]) if match else ("", text.strip())
    if not command.strip():
        raise ValueError("a peer needs a command")
    return Contender(name or Path(command.split()[0]).name, Role.PEER, command)


def effort_of(seconds: float, *, quick: bool) -> Effort:
    """Divide the seconds for each gateway and scenario into rounds.

    wrk counts in whole seconds, so a round has at least one.
    """
    rounds = 2 if quick else 5
    return Effort(
        rounds=rounds,
        round_seconds=max(1.0, round(seconds / rounds)),
        slow_calls=32 if quick else 80,
        streams_held=200 if quick else 1_000,
        starts=2 if quick else 5,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure nginx, Tiergate and any peer side by side on this machine.",
        epilog=_EPILOG + ", ".join(scenario.name for scenario in SCENARIOS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "task",
        nargs="?",
        default=Task.BENCH.value,
        choices=[task.value for task in Task],
        help="bench (the default), or profile: where Tiergate's time goes in a plain call",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a short run that shows the order of magnitude"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        help=f"seconds for each gateway and scenario, all rounds together ({_SECONDS:.0f})",
    )
    parser.add_argument(
        "--only", action="append", metavar="SCENARIO", help="only this scenario (repeatable)"
    )
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="[NAME=]COMMAND",
        help="another gateway to measure (repeatable)",
    )
    parser.add_argument(
        "--tiergate", metavar="COMMAND", help="start Tiergate by this command instead of ours"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round to FILE")
    parser.add_argument(
        "--write", action="store_true", help="put the report into docs/performance.md"
    )
    return parser
