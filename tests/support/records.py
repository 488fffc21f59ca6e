"""Records of requests, for the sinks."""

from __future__ import annotations

from dataclasses import replace

from support.attempts import deployment
from tiergate.base.errors import Failure, FailureClass
from tiergate.base.values import Dialect, NanoUsd, Operation, Usage
from tiergate.core.record import CallRecord, Outcome

DEPLOYMENT = deployment("balanced", "dep-b", provider="anthropic")
FAILURE = Failure(FailureClass.UPSTREAM, 503, "down", type="overloaded_error")
SERVED = CallRecord(
    call_id="call-1",
    wall=1_790_000_000.0,
    dialect=Dialect.OPENAI,
    operation=Operation.CHAT,
    asked="cheap",
    deployment=DEPLOYMENT,
    outcome=Outcome.SUCCESS,
    status=200,
    usage=Usage(input=10, output=5, cache_read=20, cache_write_5m=3, cache_write_1h=4),
    cost=NanoUsd(1_536_000),
    retries=1,
    fallbacks=1,
    why="cheap/dep-a 503 upstream > balanced/dep-b ok",
    seconds=2.5,
    first_seconds=0.7,
    upstream_seconds=2.25,
    overhead_seconds=0.25,
    tags=("critical",),
)
FAILED = replace(
    SERVED,
    outcome=Outcome.FAILURE,
    status=503,
    failure=FailureClass.UPSTREAM,
    error_type="overloaded_error",
    message="down",
    usage=None,
    cost=None,
)
BROKEN = replace(
    SERVED, outcome=Outcome.FAILURE, failure=FailureClass.CONNECTION, stream=True, message="cut"
)
LEFT = replace(SERVED, outcome=Outcome.CANCELLED, stream=True)
REFUSED = replace(FAILED, outcome=Outcome.REFUSED, status=429, failure=None, deployment=None)
