"""The hot routes: chat, messages, completions, embeddings, from bytes to engine and back.

What is answered is the engine's decision; here it becomes headers, bodies and streams.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tiergate.base.errors import Failure, Refused
from tiergate.base.money import format_usd
from tiergate.base.values import DeploymentId, Dialect, Operation
from tiergate.core.catalog import Access, Deployment, Settings
from tiergate.core.plan import Wish
from tiergate.pipeline.attempt import Open, Plain
from tiergate.pipeline.counting import Counting
from tiergate.pipeline.leading import Runs
from tiergate.pipeline.parts import GaveUp
from tiergate.pipeline.relay import cut_short, relay
from tiergate.pipeline.served import Served
from tiergate.ports import Clock, Inbound
from tiergate.web import wire
from tiergate.web.access import Gate
from tiergate.web.aliases import RequestRules
from tiergate.web.caching import controls_of
from tiergate.web.data_plane import (
    RsgiProtocol,
    RsgiScope,
    admit,
    admit_now,
    send_error,
    send_refused,
)
from tiergate.web.requests import Arrival, read_request
from tiergate.web.telling import TellingRules

LOG = logging.getLogger("tiergate.web")

Pairs = list[tuple[str, str]]

_PLAIN_TYPE = ("content-type", "application/json")
_STREAM_TYPES = (
    ("content-type", "text/event-stream; charset=utf-8"),
    ("cache-control", "no-cache"),
)
_PASSED_NAMES = frozenset({b"request-id", b"x-request-id", b"openai-processing-ms"})
_PASSED_STARTS = (b"x-ratelimit-", b"anthropic-ratelimit-")
_LONGEST_CALL_ID = 128
_CALLER_LEFT = 499


class CountGuard(Protocol):
    """What looks at requests whose tokens are to be counted: they reach a provider too."""

    async def counted(self, inbound: Inbound) -> Inbound:
        """Return the request as it may go out."""
        ...


@dataclass(frozen=True, slots=True)
class Serving:
    """Everything that belongs to one configuration; replaced whole on reload."""

    gate: Gate
    access: Access
    rules: RequestRules
    engine: Runs
    counting: Counting
    settings: Settings
    metrics_guarded: bool
    """Whether `/metrics` asks for the key."""
    caching: bool = False
    """Whether requests may say something to a cache."""
    guards: CountGuard | None = None
    """Lets guards look at requests whose tokens are to be counted; None without guards."""
    telling: TellingRules | None = None
    """How requests are read for callbacks; None where there are none."""


class Inference:
    """Handles the hot routes.

    Args:
        serving: Gives the configuration in force; asked once per request.
        clock: Monotonic seconds, the event loop's own.
        wall: Unix seconds.
        new_id: Gives a fresh call id.
        calls: Is kept to have the calls under way, by the identity of their object; None where
            nobody looks.
    """

    def __init__(
        self,
        serving: Callable[[], Serving],
        clock: Clock,
        wall: Clock,
        new_id: Callable[[], str],
        calls: dict[int, Inbound] | None = None,
    ) -> None:
        self._serving = serving
        self._clock = clock
        self._wall = wall
        self._new_id = new_id
        self._calls = calls
        self._fixed: dict[tuple[DeploymentId, bool], tuple[Deployment, Pairs]] = {}

    async def handle(
        self,
        scope: RsgiScope,
        proto: RsgiProtocol,
        headers: dict[str, str],
        route: tuple[Dialect, Operation],
    ) -> None:
        """Answer one request; every error becomes an answer in the caller's shape."""
        received = self._clock()
        dialect, operation = route
        serving = self._serving()
        call_id = self._call_id(headers)
        inbound: Inbound | None = None
        try:
            admitted = admit_now(proto, headers, serving.gate, serving.access)
            if admitted is None:
                admitted = await admit(proto, headers, serving.gate, serving.access)
            body, caller = admitted
            arrival = Arrival(
                dialect,
                operation,
                headers,
                _query(scope.query_string),
                call_id,
                received,
                self._wall(),
                caller,
            )
            read, wish = read_request(body, arrival, serving.rules)
            if serving.caching:
                read.cache = controls_of(read, headers)
            if serving.telling is not None:
                read.telling = serving.telling.of(read, headers)
            inbound = read
            if operation is Operation.COUNT_TOKENS:
                if serving.guards is not None:
                    inbound = await serving.guards.counted(inbound)
                counted = await serving.counting.count(inbound, wish)
                proto.response_bytes(200, [_PLAIN_TYPE, ("x-litellm-call-id", call_id)], counted)
                return
            await self._call(serving, proto, inbound, wish)
        except Refused as refused:
            if inbound is None:
                serving.engine.refused(dialect, operation, refused.status, self._wall())
            send_refused(proto, refused, dialect, call_id)
        except GaveUp as gave_up:
            self._send_give_up(proto, gave_up, dialect, call_id)

    async def _call(
        self, serving: Serving, proto: RsgiProtocol, inbound: Inbound, wish: Wish
    ) -> None:
        """Run the engine, ending it when the caller leaves."""
        leaver = _Leaver()
        inbound.task = leaver.task
        proto.watch(leaver.leave)
        if self._calls is not None:
            self._calls[id(inbound)] = inbound
        try:
            served = await serving.engine.run(inbound, wish)
            leaver.answering = True
            outcome = served.outcome
            if isinstance(outcome, Plain):
                cost = serving.engine.finished(served, outcome.usage, None)
                head = self._headers(serving, served, outcome.headers, outcome.losses)
                if cost is not None:
                    head.append(("x-litellm-response-cost", format_usd(cost)))
                proto.response_bytes(200, head, outcome.answer.body)
            else:
                await self._stream(serving, proto, served, outcome, leaver)
        except asyncio.CancelledError:
            if not leaver.left:
                raise
            leaver.task.uncancel()
            if not leaver.answering:
                proto.response_empty(_CALLER_LEFT, [])  # nobody reads it; the server wants one
        except ConnectionError:
            # The caller left in the middle of a write: there is nobody to be told.
            LOG.debug("caller left", extra={"call_id": inbound.call_id})
        finally:
            proto.watch(None)
            if self._calls is not None:
                del self._calls[id(inbound)]

    async def _stream(
        self,
        serving: Serving,
        proto: RsgiProtocol,
        served: Served,
        opened: Open,
        leaver: _Leaver,
    ) -> None:
        """Send a stream on; whatever ends it, the books are closed.

        A stream that is cancelled though its caller is there ends with the gateway: it says so.
        """
        failure: Failure | None = None
        complete = False
        try:
            head = self._headers(serving, served, opened.exchange.headers, opened.losses)
            transport = proto.response_stream(200, head)
            try:
                failure = await relay(opened, transport.send_bytes, served.limits.silence)
                complete = True
            except asyncio.CancelledError:
                if leaver.left:
                    raise
                leaver.task.uncancel()
                await cut_short(opened, transport.send_bytes)
        finally:
            if not complete:
                opened.exchange.close()
            serving.engine.finished(served, opened.usage, failure, left=not complete)

    def _headers(
        self,
        serving: Serving,
        served: Served,
        upstream: list[tuple[bytes, bytes]],
        losses: tuple[str, ...],
    ) -> Pairs:
        """All headers of a served answer but its type and cost."""
        now = self._clock()
        total = (now - served.inbound.received) * 1000
        added = total - served.upstream_seconds * 1000
        head = [
            *self._fixed_headers(served.deployment, stream=served.inbound.stream),
            ("x-litellm-call-id", served.inbound.call_id),
            *(
                _NOTHING_TRIED
                if not served.retries and not served.fallbacks
                else _tried(served.retries, served.fallbacks)
            ),
            ("x-litellm-response-duration-ms", f"{total:.3f}"),
            ("x-litellm-overhead-duration-ms", f"{added:.3f}" if added > 0 else "0.000"),
            ("x-tiergate-why", served.why),
        ]
        if served.marks:
            head += served.marks
        if losses:
            head.append(("x-tiergate-dropped", _header_safe(",".join(losses))))
        passed = _PASSED_STARTS
        if served.admission is not None:
            # The limits that this caller meets are the gateway's, not the provider's.
            head += serving.engine.limit_headers(served)
            passed = _PASSED_STARTS[1:]
        for name, value in upstream:
            if name in _PASSED_NAMES or name.startswith(passed):
                head.append((name.decode("latin-1"), value.decode("latin-1")))
        return head

    def _fixed_headers(self, deployment: Deployment, *, stream: bool) -> Pairs:
        """The headers that only depend on the deployment; made once."""
        known = self._fixed.get((deployment.id, stream))
        if known is not None and known[0] is deployment:
            return known[1]
        pairs = [
            *(_STREAM_TYPES if stream else (_PLAIN_TYPE,)),
            ("x-litellm-model-id", _header_safe(deployment.id)),
            ("x-litellm-model-group", _header_safe(deployment.alias)),
            ("x-litellm-model-api-base", _header_safe(deployment.api_base)),
            (
                "x-tiergate-served",
                _header_safe(f"{deployment.alias}/{deployment.provider}/{deployment.model}"),
            ),
        ]
        self._fixed[deployment.id, stream] = (deployment, pairs)
        return pairs

    def _send_give_up(
        self, proto: RsgiProtocol, gave_up: GaveUp, dialect: Dialect, call_id: str
    ) -> None:
        """Answer with the first alias's error; headers say what else was tried."""
        extra = (
            *_tried(gave_up.retries, gave_up.fallbacks),
            ("x-tiergate-why", gave_up.why),
        )
        error = gave_up.error
        if isinstance(error, Refused):
            send_refused(proto, error, dialect, call_id, extra)
        else:
            send_error(
                proto,
                wire.of_failure(error, dialect, call_id),
                call_id,
                (*extra, *wire.retry_headers(_exact_wait(gave_up, error))),
            )

    def _call_id(self, headers: dict[str, str]) -> str:
        """Take the caller's call id if it is one; else make one."""
        own = headers.get("x-litellm-call-id")
        if own and len(own) <= _LONGEST_CALL_ID and own.isascii() and own.isprintable():
            return own
        return self._new_id()


def _tried(retries: int, fallbacks: int) -> tuple[tuple[str, str], ...]:
    """The headers that say how often it was tried beyond the first call."""
    return (
        ("x-litellm-attempted-retries", str(retries)),
        ("x-litellm-attempted-fallbacks", str(fallbacks)),
    )


_NOTHING_TRIED = _tried(0, 0)


def _exact_wait(gave_up: GaveUp, error: Failure) -> float | None:
    """Return the seconds to tell the caller: the provider's own figure where there is one."""
    return error.retry_after if error.retry_after is not None else gave_up.retry_after


class _Leaver:
    """Cancels the task of a request when its caller leaves, and remembers that it was that."""

    __slots__ = ("answering", "left", "task")

    def __init__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request must be handled inside a task")
        self.task = task
        self.left = False
        self.answering = False

    def leave(self) -> None:
        """The caller has left."""
        self.left = True
        self.task.cancel()


def _header_safe(text: str) -> str:
    """Make a configured name fit a header value; what does not is percent-encoded."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if c.isascii() and c.isprintable() else "".join(f"%{b:02X}" for b in c.encode())
        for c in text
    )


def _query(query: str) -> str:
    """Return the query to repeat upstream; one that may hold a key is not repeated."""
    if not query or "key" in query.lower() or not query.isascii():
        return ""
    return query
