"""One attempt: one call to one deployment, until its plain answer or its first content.

Which deployment, and what follows from the outcome, is decided by `core.plan`. A failed attempt
leaves nothing behind: its connection is closed before the failure is returned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from tiergate.base.errors import Failure, FailureClass, Untranslatable
from tiergate.base.values import Usage
from tiergate.core.catalog import Deployment
from tiergate.core.timing import Limits
from tiergate.pipeline.deadline import Deadlines
from tiergate.ports import (
    Answered,
    Clock,
    Codec,
    Exchange,
    Fault,
    Inbound,
    Meter,
    StreamReader,
    TransportError,
    Upstreams,
)

MAX_ANSWER_BYTES = 64 * 1024 * 1024
MAX_ERROR_BYTES = 256 * 1024
_OK = range(200, 300)
_NOTHING = Failure(FailureClass.CANCELLED, 499, "The caller left.")


@dataclass(slots=True)
class Plain:
    """A complete plain answer."""

    answer: Answered
    headers: list[tuple[bytes, bytes]]
    losses: tuple[str, ...] = ()

    @property
    def usage(self) -> Usage | None:
        """What it has used."""
        return self.answer.usage


@dataclass(slots=True)
class Open:
    """A stream that has shown its first content and not yet been sent on.

    `count` says what it has used so far; without it the provider's own word is all there is.
    """

    exchange: Exchange = field(repr=False)
    reader: StreamReader = field(repr=False)
    held: bytes = field(repr=False)
    losses: tuple[str, ...] = ()
    count: Callable[[StreamReader], Usage] | None = field(default=None, repr=False)

    @property
    def usage(self) -> Usage | None:
        """What it has used so far; our own count says `estimated`."""
        return self.reader.usage if self.count is None else self.count(self.reader)


class Attempts:
    """Makes attempts.

    Args:
        codec: What the providers speak.
        upstreams: The way to them.
        clock: Monotonic seconds, the event loop's own.
        wall: Unix seconds.
        meter: Counts what a provider does not; None takes the provider's word alone.
    """

    def __init__(
        self,
        codec: Codec,
        upstreams: Upstreams,
        clock: Clock,
        wall: Clock,
        meter: Meter | None = None,
    ) -> None:
        self._codec = codec
        self._upstreams = upstreams
        self._clock = clock
        self._wall = wall
        self._meter = meter
        self._deadlines = Deadlines()

    async def make(
        self, inbound: Inbound, deployment: Deployment, limits: Limits
    ) -> Plain | Open | Failure:
        """Call a deployment.

        Returns:
            The answer, or the failure as the provider (or the network, or the clock) gave it.

        Raises:
            Refused: The request is malformed in the caller's own dialect.
            asyncio.CancelledError: The caller left; the upstream connection is closed.
        """
        try:
            prepared = self._codec.prepare(inbound, deployment)
        except Untranslatable as exc:
            return Failure(FailureClass.UNTRANSLATABLE, 400, exc.message, param=exc.param)
        exchange: Exchange | None = None
        outcome: Plain | Open | Failure = _NOTHING
        try:
            with self._deadlines.until(limits.total_until, inbound.task):
                exchange = await self._upstreams.send(deployment, prepared.head, prepared.body)
                if exchange.status not in _OK:
                    outcome = await self._error(exchange, deployment)
                elif inbound.stream:
                    outcome = await self._open(exchange, inbound, deployment)
                else:
                    body = await exchange.read(MAX_ANSWER_BYTES)
                    answer = self._codec.answer(inbound, deployment, body)
                    if isinstance(answer, Failure):
                        outcome = answer
                    else:
                        if self._meter is not None:
                            answer.usage = self._meter.of_answer(inbound, deployment, answer)
                        outcome = Plain(answer, exchange.headers)
        except TimeoutError:
            outcome = timed_out(deployment, limits)
        except TransportError as exc:
            outcome = unreachable(exc)
        finally:
            if exchange is not None and not isinstance(outcome, Open | Plain):
                exchange.close()
        if isinstance(outcome, Open) and self._meter is not None:
            outcome.count = partial(self._meter.of_stream, inbound, deployment)
        if prepared.losses and isinstance(outcome, Plain | Open):
            outcome.losses = prepared.losses
        return outcome

    def begun(self, inbound: Inbound, deployment: Deployment) -> Usage | None:
        """Return what an attempt has used that was begun and brought nothing; None: not known."""
        return None if self._meter is None else self._meter.of_prompt(inbound, deployment)

    async def _error(self, exchange: Exchange, deployment: Deployment) -> Failure:
        """Read an error answer; a body that breaks off or never ends does not hide the status."""
        retry_after = exchange.header(b"retry-after")
        exact = exchange.header(b"retry-after-ms")
        pieces: list[bytes] = []
        size = 0
        try:
            while size < MAX_ERROR_BYTES and (piece := await exchange.next()):
                pieces.append(piece)
                size += len(piece)
        except TransportError:
            pass  # what has come of the body is told
        body = b"".join(pieces)[:MAX_ERROR_BYTES]
        text = retry_after.decode("latin-1") if retry_after is not None else None
        if exact is not None and exact.isdigit():
            text = str(int(exact) / 1000)
        return self._codec.failure(deployment, exchange.status, body, text, self._wall())

    async def _open(
        self, exchange: Exchange, inbound: Inbound, deployment: Deployment
    ) -> Open | Failure:
        """Read a stream up to its first content; nothing has been sent to the caller yet."""
        if (exchange.header(b"content-type") or b"").startswith(b"application/json"):
            whole = await exchange.read(MAX_ANSWER_BYTES)
            played = self._codec.replay(inbound, deployment, whole)
            return played if isinstance(played, Failure) else Open(exchange, *played)
        reader = self._codec.stream(inbound, deployment)
        held: list[bytes] = []
        while True:
            try:
                piece = await exchange.next()
            except TransportError as exc:
                # What the provider has told that it counts, it bills.
                usage = reader.usage
                return replace(unreachable(exc), charged=usage is not None, usage=usage)
            held.append(reader.feed(piece) if piece else reader.eof())
            if reader.failure is not None:
                return reader.failure
            if reader.content or reader.ended:
                return Open(exchange, reader, b"".join(held))


def timed_out(deployment: Deployment, limits: Limits) -> Failure:
    """The failure of an attempt that had no more time."""
    if limits.callers_own:
        return Failure(
            FailureClass.CALLER_TIMEOUT,
            408,
            "The time limit that the request set (x-litellm-timeout or `timeout`) passed before "
            f"{deployment.provider} answered.",
            type="timeout_error",
            code="timeout",
        )
    return Failure(
        FailureClass.TIMEOUT,
        408,
        f"{deployment.provider} did not answer within the configured time limit.",
        type="timeout_error",
        code="timeout",
    )


def unreachable(error: TransportError) -> Failure:
    """The failure of an attempt that the network ended. The address stays in the log."""
    told = {
        Fault.CONNECT: "could not be connected to",
        Fault.DNS: "has a host name that cannot be resolved",
        Fault.TLS: "failed the TLS handshake",
        Fault.RESET: "reset the connection",
        Fault.CLOSED_EARLY: "closed the connection before its answer was complete",
        Fault.PROTOCOL: "sent something that is not valid HTTP",
        Fault.TOO_LARGE: "sent an answer that is too large",
        Fault.PROXY: "cannot be reached through the configured proxy",
    }[error.fault]
    return Failure(
        FailureClass.CONNECTION,
        502,
        f"The provider {told}.",
        type="api_error",
        code=error.fault.value,
    )
