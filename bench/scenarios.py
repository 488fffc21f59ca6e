"""The list of what is measured: each scenario's calls, sizes and configuration, and its title.

It is a table. How a scenario of each kind is carried out is in `rounds`.
"""

from dataclasses import dataclass
from enum import Enum

from bench.gateways import Config
from bench.wire import Dialect, StreamScript

_TYPICAL = StreamScript(chunks=100, interval_ms=5)


class Kind(Enum):
    """How a scenario is measured."""

    START = "start"
    REST = "rest"
    CLOSED = "closed loop"
    PACED = "paced"
    STREAM = "stream"
    HOLD = "hold"


class Pace(Enum):
    """At which rate the paced calls of a gateway leave."""

    OWN = "at most 1,000 a second and half of what the gateway can do"
    SLOWEST = "half of what the slowest gateway of the run can do"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing to measure. `size` is the request's bytes, `script` what the upstream plays."""

    name: str
    title: str
    kind: Kind
    dialect: Dialect = Dialect.OPENAI
    alias: str = "plain-openai"
    size: int = 2_048
    config: Config = Config.EVERYTHING
    script: StreamScript = _TYPICAL
    connections: int = 32
    pace: Pace = Pace.OWN


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("start", "Start to first answer", Kind.START),
    Scenario("rest", "At rest", Kind.REST),
    Scenario("plain-openai", "Plain 2 KB, OpenAI", Kind.CLOSED),
    Scenario(
        "plain-anthropic",
        "Plain 2 KB, Anthropic",
        Kind.CLOSED,
        dialect=Dialect.ANTHROPIC,
        alias="plain-anthropic",
    ),
    Scenario("plain-400k", "Plain 400 KB, OpenAI", Kind.CLOSED, size=400_000, connections=8),
    Scenario(
        "translated",
        "Plain 2 KB, OpenAI client on Anthropic",
        Kind.CLOSED,
        alias="plain-anthropic",
    ),
    Scenario("bare", "Plain 2 KB, OpenAI, bare settings", Kind.CLOSED, config=Config.BARE),
    Scenario("latency", "Added latency, plain 2 KB", Kind.PACED),
    Scenario(
        "latency-slow",
        "Added latency at the slowest gateway's rate, plain 2 KB",
        Kind.PACED,
        pace=Pace.SLOWEST,
    ),
    Scenario("stream-openai", "Stream, OpenAI", Kind.STREAM, alias="stream-openai"),
    Scenario(
        "stream-anthropic",
        "Stream, Anthropic",
        Kind.STREAM,
        dialect=Dialect.ANTHROPIC,
        alias="stream-anthropic",
    ),
    Scenario(
        "stream-translated",
        "Stream, OpenAI client on Anthropic",
        Kind.STREAM,
        alias="stream-anthropic",
    ),
    Scenario(
        "hold",
        "Open streams",
        Kind.HOLD,
        alias="stream-openai",
        script=StreamScript(chunks=1_000_000, interval_ms=10_000),
    ),
)


def named(names: tuple[str, ...]) -> tuple[Scenario, ...]:
    """The scenarios of these names, in the table's order; all of them for no names.

    Raises:
        ValueError: a name is unknown; the message lists those that exist.
    """
    known = {scenario.name for scenario in SCENARIOS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"unknown scenario {unknown[0]!r}; there are: {', '.join(sorted(known))}")
    return tuple(s for s in SCENARIOS if not names or s.name in names)
