"""How long an attempt may take, and how long to wait before the next; instants come as arguments.

`request_timeout` is the time of the whole request: all attempts, aliases and waits; for a
stream, until its first content. So that a provider that hangs leaves time for another one, an
attempt may use three quarters of what is left while another could follow. Once an attempt has
timed out, the rest is shared equally among all that could still follow. The last possible
attempt gets all that is left. A deployment's own `timeout` replaces this for its attempts: they
are not shared out, and their time does not count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tiergate.base.errors import Failure, FailureClass
from tiergate.core.catalog import Deployment, RouterPolicy

FIRST_SHARE = 0.75
"""The part of the time left that an attempt, or an obeyed Retry-After, may use up."""
LEAST_ATTEMPT = 0.01
"""Seconds below which another attempt is not worth a call."""
LONGEST_OBEYED = 60.0
"""Seconds of Retry-After that a request waits for at most (LiteLLM's number)."""
FIRST_BACKOFF = 0.25
LONGEST_BACKOFF = 8.0
BACKOFF_SHARE = 0.25
"""The part of the time left that a backoff may use up."""
TIMER_SLACK = 0.05
"""Seconds by which a timer may be early."""
LEAST_SILENCE = 600.0
"""Seconds between stream events that are allowed where no `stream_timeout` is set."""


# Not frozen: some are made for every request, and a frozen one costs twice as much to make.
@dataclass(slots=True)
class Limits:
    """The time limits of one attempt.

    Attributes:
        total_until: The instant by which the plain answer, or the first content of a stream,
            must be there.
        silence: Seconds allowed between events of a stream after its first content; None for
            plain calls.
        callers_own: True when the caller's own limit is the tightest: running into it is
            `FailureClass.CALLER_TIMEOUT` and says nothing about the deployment.
    """

    total_until: float
    silence: float | None
    callers_own: bool


def limits(
    policy: RouterPolicy,
    deployment: Deployment,
    now: float,
    shared: float,
    callers: float,
    *,
    stream: bool,
) -> Limits:
    """Return the time limits of an attempt at a deployment.

    Args:
        policy: The router's settings.
        deployment: Who is called; its own `timeout` takes the place of the share.
        now: The instant the attempt begins.
        shared: The instant until which the request lets it go on (see `share`).
        callers: The instant of the caller's own limit; infinity without one.
        stream: Whether it is a stream; its `stream_timeout` bounds the first content, too.
    """
    until = shared if deployment.timeout is None else now + deployment.timeout
    silence = None
    if stream:
        silence = longest_silence(policy, deployment)
        if deployment.stream_timeout is not None or policy.stream_timeout is not None:
            until = min(until, now + silence)
    if callers < until:
        return Limits(callers, silence, callers_own=True)
    return Limits(until, silence, callers_own=False)


def share(left: float, following: int, *, timed_out: bool) -> float:
    """Return how many of the seconds left one attempt may use.

    Args:
        left: Seconds left for the whole request.
        following: Attempts that could still follow this one.
        timed_out: Whether an attempt of this request has timed out already.
    """
    if following <= 0:
        return left
    return left / (following + 1) if timed_out else left * FIRST_SHARE


def ran_out(failure: Failure, attempt: Limits, now: float) -> bool:
    """Tell whether an attempt used up its time, unlike a provider's own quick 408 or 504."""
    return failure.kind is FailureClass.TIMEOUT and now >= attempt.total_until - TIMER_SLACK


def longest_silence(policy: RouterPolicy, deployment: Deployment) -> float:
    """Return the seconds a stream may be silent after its first content.

    `stream_timeout` of the deployment, else of the router; without one ten minutes, or the
    time limit of a call where that is longer. LiteLLM has no such limit (BerriAI/litellm issue
    38358): a silent upstream would hold the stream for ever.
    """
    own = deployment.stream_timeout
    if own is not None:
        return own
    if policy.stream_timeout is not None:
        return policy.stream_timeout
    total = policy.request_timeout if deployment.timeout is None else deployment.timeout
    return max(LEAST_SILENCE, total)


def backoff(retry: int, left: float, dice: Callable[[], float]) -> float:
    """Return the seconds to wait before the retry of that number (1 is the first).

    0.25 s, doubled with each retry up to 8 s, then spread from half to one and a half times, so
    that requests which failed together do not return together; at most a quarter of the time
    left.
    """
    seconds = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(retry - 1, 16))
    return min(seconds * (0.5 + dice()), max(0.0, left) * BACKOFF_SHARE)


def fits(wait: float, left: float) -> bool:
    """Tell whether a pause can be made: a minute at most, and a quarter of the time is left."""
    return wait <= LONGEST_OBEYED and wait <= left * FIRST_SHARE
