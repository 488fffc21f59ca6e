"""What is known of one request when it is over: one value for ledger, metrics, callbacks and logs.

Never prompts, answers or keys. Times are seconds, money is nano-USD.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tiergate.base.errors import FailureClass
from tiergate.base.values import Dialect, NanoUsd, Operation, Usage
from tiergate.core.catalog import Deployment


class Outcome(Enum):
    """How a request ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    """Every attempt failed, or a stream broke after its first content."""
    REFUSED = "refused"
    """The gateway itself said no: access, shape, size, tags, budget."""
    CANCELLED = "cancelled"
    """The caller left."""


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
        cost: What it cost; None when the model has no price.
        retries: Attempts beyond the first in the alias that served.
        fallbacks: Aliases called beyond the first.
        why: The compact trail.
        seconds: From arrival to the end of the answer.
        first_seconds: From the serving attempt's begin to its answer or first content.
        upstream_seconds: Spent waiting for providers, all attempts together.
        overhead_seconds: Spent in the gateway until the answer began.
        tags: The request's tags, in its own order.
        user: `user` / `metadata.user_id`, if given.
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
    retries: int = 0
    fallbacks: int = 0
    why: str = ""
    seconds: float = 0.0
    first_seconds: float = 0.0
    upstream_seconds: float = 0.0
    overhead_seconds: float = 0.0
    tags: tuple[str, ...] = ()
    user: str | None = None
