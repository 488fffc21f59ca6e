"""What a run measured, as values: metrics, samples by round, failures, and the JSON of all that.

It computes nothing; `figures` does, and `report` says it in tables.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bench.machines import Machine

_QUIET_MOST = 0.05


class Metric(StrEnum):
    """A measured figure; its name ends in its unit."""

    CPU_PER_CALL_US = "cpu_per_call_us"
    CPU_PER_CHUNK_US = "cpu_per_chunk_us"
    SYSTEM_SHARE = "system_share"
    RATE_PER_S = "rate_per_s"
    CORE_BUSY = "core_busy"
    OFFERED_PER_S = "offered_per_s"
    ACHIEVED_PER_S = "achieved_per_s"
    LAG_P99_US = "generator_lag_p99_us"
    DIRECT_P50_US = "direct_p50_us"
    DIRECT_P99_US = "direct_p99_us"
    ADDED_P50_US = "added_p50_us"
    ADDED_P99_US = "added_p99_us"
    ADDED_FIRST_P50_US = "added_first_p50_us"
    ADDED_FIRST_P99_US = "added_first_p99_us"
    ALONE_SHARE = "alone_share"
    STREAMS_AT_ONCE = "streams_at_once"
    START_S = "start_s"
    MEMORY_BYTES = "memory_bytes"
    LARGEST_RSS_BYTES = "largest_rss_bytes"
    REST_CPU_MS_PER_S = "rest_cpu_ms_per_s"
    PER_STREAM_BYTES = "per_stream_bytes"
    STREAMS_HELD = "streams_held"
    RELEASE_S = "release_s"


class Role(StrEnum):
    """What a gateway is in the comparison."""

    YARDSTICK = "yardstick"
    SUBJECT = "subject"
    PEER = "peer"


@dataclass(frozen=True, slots=True)
class Contender:
    """One gateway of a run: its name in the tables, its role, and its command as given."""

    name: str
    role: Role
    command: str


@dataclass(frozen=True, slots=True)
class Sample:
    """The figures of one gateway in one round of one scenario."""

    scenario: str
    gateway: str
    round: int
    metrics: Mapping[Metric, float]


@dataclass(frozen=True, slots=True)
class Failure:
    """A round that gave no figures, and why."""

    scenario: str
    gateway: str
    round: int
    reason: str


@dataclass(frozen=True, slots=True)
class Effort:
    """How much the run measured: rounds, seconds a round, and calls a round of slow gateways."""

    rounds: int
    round_seconds: float
    slow_calls: int
    streams_held: int
    starts: int


@dataclass(frozen=True, slots=True)
class Disturbance:
    """The share of the machine's CPU time that others took before and after the run, 0 to 1."""

    before: float
    after: float

    @property
    def serious(self) -> bool:
        """Whether the figures are to be doubted."""
        return max(self.before, self.after) > _QUIET_MOST


@dataclass(frozen=True, slots=True)
class Record:
    """A whole run."""

    begun: str
    version: str
    machine: Machine
    layout: str
    disturbance: Disturbance
    effort: Effort
    contenders: tuple[Contender, ...]
    samples: tuple[Sample, ...]
    failures: tuple[Failure, ...]

    def figures(self, scenario: str, gateway: str, metric: Metric) -> dict[int, float]:
        """One metric by round number; empty where it was not measured, or any round failed.

        What is left of a scenario after its failures would be its luckiest rounds.
        """
        if self.failure(scenario, gateway) is not None:
            return {}
        return {
            sample.round: sample.metrics[metric]
            for sample in self.samples
            if sample.scenario == scenario
            and sample.gateway == gateway
            and metric in sample.metrics
        }

    def failure(self, scenario: str, gateway: str) -> Failure | None:
        """The first failure of a gateway in a scenario."""
        for failure in self.failures:
            if failure.scenario == scenario and failure.gateway == gateway:
                return failure
        return None

    def named(self, role: Role) -> tuple[str, ...]:
        """The names of the gateways in this role."""
        return tuple(each.name for each in self.contenders if each.role is role)

    def as_json(self) -> str:
        """The run as a JSON document, every round of it."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"
