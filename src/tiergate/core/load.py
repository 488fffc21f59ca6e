"""What this process has lately seen of each deployment: calls in flight, latency, use per minute.

It is state for the strategies and decides nothing. The pipeline writes it, time is an argument,
and nothing here is shared between workers.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from tiergate.base.values import DeploymentId

LATENCY_SAMPLES = 10
LATENCY_LIFE = 3600.0
"""Seconds after which a latency sample says nothing any more (LiteLLM: one hour)."""
TIMED_OUT = 1000.0
"""The sample that a timed-out attempt leaves, in seconds (LiteLLM's number)."""


@dataclass(frozen=True, slots=True)
class MinuteUse:
    """Requests and tokens of one deployment in the current clock minute."""

    requests: int = 0
    tokens: int = 0


_UNUSED = MinuteUse()


@dataclass(slots=True)
class _Minute:
    number: int
    requests: int = 0
    tokens: int = 0


@dataclass(slots=True)
class Load:
    """The numbers of all deployments in this process."""

    _in_flight: dict[DeploymentId, int] = field(default_factory=dict[DeploymentId, int])
    _minutes: dict[DeploymentId, _Minute] = field(default_factory=dict[DeploymentId, _Minute])
    _samples: dict[tuple[DeploymentId, bool], deque[tuple[float, float]]] = field(
        default_factory=dict[tuple[DeploymentId, bool], deque[tuple[float, float]]]
    )

    def begun(self, deployment: DeploymentId, now: float) -> None:
        """Note that a call has gone out."""
        self._in_flight[deployment] = self._in_flight.get(deployment, 0) + 1
        self._minute(deployment, now).requests += 1

    def ended(self, deployment: DeploymentId) -> None:
        """Note that a call is over, however it ended; exactly once per `begun`."""
        left = self._in_flight.get(deployment, 0) - 1
        if left > 0:
            self._in_flight[deployment] = left
        else:
            self._in_flight.pop(deployment, None)

    def used(self, deployment: DeploymentId, tokens: int, now: float) -> None:
        """Add the tokens of an answer to the current minute."""
        self._minute(deployment, now).tokens += tokens

    def measured(
        self, deployment: DeploymentId, seconds: float, now: float, *, stream: bool
    ) -> None:
        """Keep a latency sample; plain calls and streams are kept apart.

        Args:
            deployment: Which deployment answered.
            seconds: For a plain answer seconds per output token, for a stream seconds to the
                first content, `TIMED_OUT` for an attempt that timed out.
            now: The instant of the sample.
            stream: Whether it was a stream.
        """
        samples = self._samples.get((deployment, stream))
        if samples is None:
            samples = self._samples[(deployment, stream)] = deque(maxlen=LATENCY_SAMPLES)
        samples.append((now, seconds))

    def in_flight(self, deployment: DeploymentId) -> int:
        """Return the number of calls that have begun and not ended."""
        return self._in_flight.get(deployment, 0)

    def latency(self, deployment: DeploymentId, now: float, *, stream: bool) -> float | None:
        """Return the mean of the young samples in seconds, or None where there are none."""
        samples = self._samples.get((deployment, stream), ())
        young = [seconds for at, seconds in samples if now - at < LATENCY_LIFE]
        return sum(young) / len(young) if young else None

    def minute(self, deployment: DeploymentId, now: float) -> MinuteUse:
        """Return the use of the current clock minute."""
        kept = self._minutes.get(deployment)
        if kept is None or kept.number != int(now // 60):
            return _UNUSED
        return MinuteUse(kept.requests, kept.tokens)

    def forget(self, keep: frozenset[DeploymentId]) -> None:
        """Drop the numbers of deployments that a new configuration no longer has.

        Calls in flight stay counted until they end.
        """
        for deployment in [d for d in self._minutes if d not in keep]:
            del self._minutes[deployment]
        for key in [k for k in self._samples if k[0] not in keep]:
            del self._samples[key]

    def _minute(self, deployment: DeploymentId, now: float) -> _Minute:
        number = int(now // 60)
        kept = self._minutes.get(deployment)
        if kept is None or kept.number != number:
            kept = self._minutes[deployment] = _Minute(number)
        return kept
