"""What is known of one request when it is over: one value for ledger, metrics, callbacks and logs.

Never prompts, answers or keys. Times are seconds, money is nano-USD.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from tiergate.base.errors import Failure, FailureClass
from tiergate.base.values import Dialect, NanoUsd, Operation, Usage
from tiergate.core.caller import LOCAL, Caller
from tiergate.core.catalog import Deployment
from tiergate.core.purpose import NO_PURPOSE, Purpose
from tiergate.core.telling import Telling


class Outcome(Enum):
    """How a request ended."""

    __hash__ = object.__hash__  # see `Dialect`

    SUCCESS = "success"
    FAILURE = "failure"
    """Every attempt failed, or a stream broke after its first content."""
    REFUSED = "refused"
    """The gateway itself said no: access, shape, size, tags, budget."""
    CANCELLED = "cancelled"
    """The caller left."""


def ended_as(failure: Failure | None, *, left: bool) -> Outcome:
    """Return how an answer ended that broke, or whose caller left, or neither."""
    if left:
        return Outcome.CANCELLED
    return Outcome.SUCCESS if failure is None else Outcome.FAILURE


# Not frozen: one is made per request, and a frozen one costs twice as much to make.
@dataclass(slots=True, kw_only=True)
class CallRecord:
    """One request; nobody changes it after it is made.

    Attributes:
        call_id: The id in the `x-litellm-call-id` header.
        wall: Unix time of arrival.
        dialect: Of the caller.
        operation: What was asked for.
        asked: The alias asked; empty when it is not one of ours (so it never becomes a label).
        deployment: Who served, or who failed last; None when nobody was called.
        outcome: How it ended.
        status: HTTP status the caller got.
        failure: The class of the failure the caller was told.
        error_type: Its type in the provider's words, for callbacks.
        message: Its sentence, for callbacks.
        stream: Whether a stream was asked for.
        usage: Tokens of the serving attempt; None when there are none.
        cost: What it cost, attempts that were paid for and did not serve included; None when
            the model has no price.
        paid: The part of `cost` that such attempts had.
        apart: The serving attempt itself has such a record already, so nothing of `usage` and
            `cost` belongs to this one in the ledger.
        part: 0 for the request; counts from 1 where the record is of such an attempt.
        retries: Attempts beyond the first in the alias that served.
        fallbacks: Aliases called beyond the first.
        why: The compact trail.
        seconds: From arrival to the end of the answer.
        first_seconds: From the serving attempt's begin to its answer or first content.
        upstream_seconds: Spent waiting for providers, all attempts together.
        overhead_seconds: Spent in the gateway until the answer began.
        tags: The request's tags, in its own order.
        user: `user` / `metadata.user_id`, if given.
        caller: Who called.
        purpose: What for.
        booked: Unix time of the hold, which decides the windows of budgets; 0 without one.
        escalated: A fallback brought the call to the escalation alias.
        bounded: Something that was used has no known price, and `cost` takes a bound for it.
        telling: What sinks are told beside this; None where there are none.
        failed: Calls to deployments that failed on the way, in their order.
        queue_seconds: From arrival until the first deployment was chosen.
        labels: Names and values of the metric labels that the configuration adds.
        headers: Of the provider's answer, for its rate limits; nothing else reads them.
    """

    call_id: str
    wall: float
    dialect: Dialect
    operation: Operation
    asked: str
    deployment: Deployment | None
    outcome: Outcome
    status: int
    failure: FailureClass | None = None
    error_type: str | None = None
    message: str | None = None
    stream: bool = False
    usage: Usage | None = None
    cost: NanoUsd | None = None
    paid: int = 0
    apart: bool = False
    part: int = 0
    retries: int = 0
    fallbacks: int = 0
    why: str = ""
    seconds: float = 0.0
    first_seconds: float = 0.0
    upstream_seconds: float = 0.0
    overhead_seconds: float = 0.0
    tags: tuple[str, ...] = ()
    user: str | None = None
    caller: Caller = LOCAL
    purpose: Purpose = NO_PURPOSE
    booked: float = 0.0
    escalated: bool = False
    bounded: bool = False
    cache: str = ""
    saving: int = 0
    telling: Telling | None = None
    failed: Sequence[tuple[Deployment, Failure]] = ()
    queue_seconds: float = 0.0
    labels: tuple[tuple[str, str], ...] = ()
    headers: Sequence[tuple[bytes, bytes]] = field(default=(), repr=False)
