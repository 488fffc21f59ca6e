"""The figures Tiergate promises, and whether a run kept them.

Each target is a ratio inside the run or a limit that any machine of today should keep, so that the
verdict does not depend on the machine. A target that the run did not measure has no verdict.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from bench.figures import Spread, paired_ratio, spread
from bench.record import Metric, Record, Role

_CPU_PER_CALL_TIMES_NGINX = 8.0
_CPU_PER_CHUNK_TIMES_NGINX = 3.5
_LITELLM_TIMES_CPU = 50.0
_START_SECONDS = 1.0
_REST_MEGABYTES = 80.0


class Sense(Enum):
    """On which side of the limit the figure must lie."""

    AT_MOST = "at most"
    AT_LEAST = "at least"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target beside what was measured, which is None where the run has no such figure."""

    name: str
    sense: Sense
    limit: float
    unit: str
    measured: Spread | None

    @property
    def kept(self) -> bool | None:
        """Whether the median keeps the limit; None where nothing was measured."""
        if self.measured is None:
            return None
        if self.sense is Sense.AT_MOST:
            return self.measured.median <= self.limit
        return self.measured.median >= self.limit

    @property
    def word(self) -> str:
        """The verdict in a word or two."""
        match self.kept:
            case None:
                return "not measured"
            case True:
                return "kept"
            case False:
                return "missed"


def judged(record: Record) -> tuple[Verdict, ...]:
    """Every target with what this run has to say on it."""
    subject = next(iter(record.named(Role.SUBJECT)), "")
    nginx = next(iter(record.named(Role.YARDSTICK)), "")
    return (
        *_ratios(record, subject, nginx),
        *_litellm(record, subject),
        *_limits(record, subject),
    )


def _ratios(record: Record, subject: str, nginx: str) -> Iterator[Verdict]:
    for metric, limit, scenarios in (
        (
            Metric.CPU_PER_CALL_US,
            _CPU_PER_CALL_TIMES_NGINX,
            ("plain-openai", "plain-anthropic", "plain-400k"),
        ),
        (
            Metric.CPU_PER_CHUNK_US,
            _CPU_PER_CHUNK_TIMES_NGINX,
            ("stream-openai", "stream-anthropic"),
        ),
    ):
        what = "call" if metric is Metric.CPU_PER_CALL_US else "chunk"
        for scenario in scenarios:
            measured = paired_ratio(
                record.figures(scenario, subject, metric), record.figures(scenario, nginx, metric)
            )
            name = f"CPU per {what}, {scenario}"
            yield Verdict(name, Sense.AT_MOST, limit, " times nginx", measured)


def _litellm(record: Record, subject: str) -> Iterator[Verdict]:
    """LiteLLM is any peer that was given a name with `litellm` in it."""
    for peer in record.named(Role.PEER):
        if "litellm" in peer.lower():
            measured = paired_ratio(
                record.figures("plain-openai", peer, Metric.CPU_PER_CALL_US),
                record.figures("plain-openai", subject, Metric.CPU_PER_CALL_US),
            )
            name = f"CPU per call of {peer}, plain-openai"
            yield Verdict(name, Sense.AT_LEAST, _LITELLM_TIMES_CPU, " times Tiergate's", measured)


def _limits(record: Record, subject: str) -> Iterator[Verdict]:
    for name, scenario, metric, limit, unit, scale in (
        ("start to first answer", "start", Metric.START_S, _START_SECONDS, " s", 1.0),
        ("memory at rest", "rest", Metric.MEMORY_BYTES, _REST_MEGABYTES, " MB", 1e-6),
    ):
        values = record.figures(scenario, subject, metric).values()
        measured = spread([value * scale for value in values]) if values else None
        yield Verdict(name, Sense.AT_MOST, limit, unit, measured)
