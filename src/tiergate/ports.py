"""What the stages await: Protocols that shells implement, and the values that cross them.

Nothing here does I/O. The pipeline knows providers, stores and the network only by these names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from tiergate.base.errors import Failure, Refused
from tiergate.base.values import AliasName, Dialect, NanoUsd, Operation, Usage
from tiergate.core.budget import Budget, BudgetId, Hold, Standing
from tiergate.core.catalog import Deployment, ScopeKind
from tiergate.core.record import CallRecord
from tiergate.wire.members import Members

# ----------------------------------------------------------------------------- the call


@dataclass(slots=True)
class Inbound:
    """One caller's request, read and checked, before anything is decided about it.

    Attributes:
        call_id: The caller's `x-litellm-call-id`, or a new one.
        received: Monotonic instant of arrival, seconds.
        wall: Unix time of arrival, seconds.
        asked: The model name as the caller wrote it; answers show it again.
        alias: The alias that name means.
        control: Top-level members meant for the gateway; never sent on.
        metadata: Replacement for the `metadata` member once the gateway's own entries are taken
            out: None when it goes unchanged, empty bytes when it goes altogether.
        forward: Request headers that go to a provider of the same dialect, lower-cased names.
        query: The query string to repeat towards a provider of the same dialect.
        user: The end user that the caller names (`user`, `metadata.user_id`).
        task: The task that serves the request, if whoever made this knew it; it saves looking.
        note: A place for the codec to keep the decoded request between attempts.
    """

    call_id: str
    received: float
    wall: float
    dialect: Dialect
    operation: Operation
    asked: str
    alias: AliasName
    stream: bool
    include_usage: bool
    members: Members
    control: tuple[str, ...] = ()
    metadata: bytes | None = None
    forward: tuple[tuple[str, str], ...] = ()
    query: str = ""
    user: str | None = None
    task: object = field(default=None, repr=False)
    note: object = field(default=None, repr=False)


# Not frozen: some are made for every request, and a frozen one costs twice as much to make.
@dataclass(slots=True)
class Prepared:
    """An upstream request, ready to be written.

    `losses` names what the deployment's dialect could not carry (response header
    `x-tiergate-dropped`).
    """

    head: bytes = field(repr=False)
    body: bytes = field(repr=False)
    losses: tuple[str, ...] = ()


# Not frozen: some are made for every request, and a frozen one costs twice as much to make.
@dataclass(slots=True)
class Answered:
    """A complete plain answer in the caller's dialect.

    `refused` is True when the model ended with a content-policy stop inside a 200.
    """

    body: bytes = field(repr=False)
    usage: Usage | None
    refused: bool = False


class StreamReader(Protocol):
    """One upstream stream turned into the caller's stream, a piece at a time; sans-I/O.

    The attributes tell what has been seen so far. After `failure` or `ended` is set nothing more
    may be fed.
    """

    @property
    def content(self) -> bool:
        """The first event that carries an answer has been seen (the commit point)."""
        ...

    @property
    def ended(self) -> bool:
        """The stream ended as its dialect says it must."""
        ...

    @property
    def failure(self) -> Failure | None:
        """An error event, a broken end, or bytes that are no stream."""
        ...

    @property
    def refused(self) -> bool:
        """The model ended with a content-policy stop."""
        ...

    @property
    def usage(self) -> Usage | None:
        """Usage so far; final after `ended`."""
        ...

    def feed(self, piece: bytes) -> bytes:
        """Take upstream bytes; return the bytes that the caller gets for them."""
        ...

    def eof(self) -> bytes:
        """The upstream closed its body; return closing bytes, or set `failure`."""
        ...

    def error(self, failure: Failure) -> bytes:
        """Return the caller's in-band error frame for a failure after the commit point."""
        ...


class Codec(Protocol):
    """Everything that depends on what a provider speaks."""

    def prepare(self, inbound: Inbound, deployment: Deployment) -> Prepared:
        """Make the upstream request.

        Raises:
            Untranslatable: The request says what this deployment's dialect cannot say.
            Refused: The request is malformed in the caller's own dialect.
        """
        ...

    def answer(self, inbound: Inbound, deployment: Deployment, body: bytes) -> Answered | Failure:
        """Read a 200 answer to a plain call."""
        ...

    def stream(self, inbound: Inbound, deployment: Deployment) -> StreamReader:
        """Begin to read a 200 answer to a streaming call."""
        ...

    def replay(
        self, inbound: Inbound, deployment: Deployment, body: bytes
    ) -> tuple[StreamReader, bytes] | Failure:
        """Turn a whole answer, given to a streaming call, into the caller's stream."""
        ...

    def failure(
        self,
        deployment: Deployment,
        status: int,
        body: bytes,
        retry_after: str | None,
        wall: float,
    ) -> Failure:
        """Read an error answer. `wall` is the Unix time, for HTTP dates in `retry-after`."""
        ...


# ----------------------------------------------------------------------------- the network


class Fault(Enum):
    """Where an exchange with a provider broke, below HTTP."""

    CONNECT = "connect"
    """No TCP connection, or none in time."""
    DNS = "dns"
    """The host name has no address, or none was found in time."""
    TLS = "tls"
    """The handshake failed, the certificate was refused, or the encrypted stream is damaged."""
    RESET = "reset"
    """The connection was cut while a request was on it (RST, or the network gave up)."""
    CLOSED_EARLY = "closed-early"
    """The peer closed in an orderly way before its answer was complete."""
    PROTOCOL = "protocol"
    """What came is not HTTP/1.1."""
    TOO_LARGE = "too-large"
    """Head or body exceed the limit they were read with."""
    PROXY = "proxy"
    """The proxy named in the environment cannot be used, reached, or refused to connect."""


class TransportError(Exception):
    """An exchange with a provider that did not come to its proper end.

    The message names host, port and what happened, never header values or bodies.

    Attributes:
        fault: What kind of failure it was.
        reused: Whether the connection had carried an earlier request. A RESET or CLOSED_EARLY on
            such a connection before any answer mostly means that the peer closed it while idle.
    """

    def __init__(self, fault: Fault, message: str, *, reused: bool = False) -> None:
        super().__init__(message)
        self.fault = fault
        self.reused = reused


class Exchange(Protocol):
    """An upstream answer whose head has arrived."""

    status: int
    headers: list[tuple[bytes, bytes]]
    """Names are lower-cased."""

    def header(self, name: bytes) -> bytes | None:
        """Return the first value of a header."""
        ...

    async def read(self, limit: int) -> bytes:
        """Return the rest of the body.

        Raises:
            TransportError: It broke off, or is longer than `limit` bytes.
        """
        ...

    async def next(self) -> bytes:
        """Return the body bytes that have arrived, at least one; empty at the proper end.

        Raises:
            TransportError: It broke off.
        """
        ...

    def close(self) -> None:
        """End the exchange; an unfinished one aborts its connection at once."""
        ...

    def release(self) -> None:
        """Take no more, but let the body end, so that the connection can be used again."""
        ...


class Upstreams(Protocol):
    """The way to the providers."""

    async def send(self, deployment: Deployment, head: bytes, body: bytes) -> Exchange:
        """Write a request and wait for the answer's head.

        Raises:
            TransportError: No answer came.
        """
        ...


Clock = Callable[[], float]
"""Gives seconds; monotonic or Unix time, as the place says."""

Dice = Callable[[], float]
"""Gives a number in [0, 1)."""


# ----------------------------------------------------------------------------- money and records


class HoldToken(Protocol):
    """An open hold; opaque to everybody but the `Accounts` that gave it."""


@dataclass(frozen=True, slots=True)
class BudgetStop:
    """A budget refused an attempt; nothing was set aside anywhere.

    `refusal` is a 429 `budget_exceeded` with scope, name, limit, spent, held and reset.
    """

    scope: ScopeKind
    refusal: Refused


class Accounts(Protocol):
    """Money of this gateway: holds before a call, settlement after it."""

    def hold(
        self, inbound: Inbound, deployment: Deployment, now: float
    ) -> HoldToken | BudgetStop | None:
        """Set aside the most the attempt can cost, in every budget it touches or in none.

        Returns:
            The hold; None when no budget applies; a stop when one refuses.
        """
        ...

    def settle(
        self, hold: HoldToken | None, deployment: Deployment, usage: Usage | None, now: float
    ) -> NanoUsd | None:
        """Replace a hold by the true cost.

        Returns:
            The cost in nano-USD; None when the model has no price, or the provider told no usage
            and nothing was held.
        """
        ...

    def release(self, hold: HoldToken | None, now: float) -> None:
        """Give a hold back: the attempt cost nothing."""
        ...

    def over(self, deployment: Deployment) -> str | None:
        """Say why a budget of the deployment or its provider is used up; None when it is not."""
        ...


# ----------------------------------------------------------------------------- budgets


class BudgetStore(Protocol):
    """Keeps the balances of all budgets. Whatever it is made of, it acts as `core.budget` does.

    Nothing here awaits, because no call waits for a store. A store that several processes share
    fits in like this: it leases a slice of each budget to the worker, and the slice is a
    `core.budget.Budgets` of the worker's own, where every call is decided. A task beside the
    calls reports what was settled and fetches further slices before these are used up. Slices
    shrink near the cap, so that all of them together never exceed it; one that is not renewed
    returns to the store when its lease ends, and counts as spent until then. Where a slice cannot
    bear an amount, `try_hold` answers with the shared sums as they were last seen. If by these
    the budget still has that much `left`, that is no refusal yet: the caller may wait for one
    more slice and try again, one round trip for the few calls near the cap.
    """

    def configure(self, budgets: Iterable[Budget]) -> None:
        """Take over the budgets of a configuration; see `core.budget.Budgets.configure`."""
        ...

    def try_hold(
        self, budgets: Sequence[BudgetId], amount: NanoUsd, now: float, expires: float
    ) -> Hold | Standing:
        """Set an amount aside in all budgets or in none; see `core.budget.Budgets.try_hold`."""
        ...

    def settle(self, hold: Hold, cost: NanoUsd) -> None:
        """Replace a hold by the true cost; once per hold."""
        ...

    def release(self, hold: Hold) -> None:
        """Give a hold back: nothing was spent."""
        ...

    def expire(self, now: float) -> int:
        """Charge holds past their expiry (Unix seconds) in full; return how many there were."""
        ...

    def standing(self, name: BudgetId, now: float) -> Standing:
        """Return how a budget stands at a Unix time.

        Raises:
            KeyError: There is no such budget.
        """
        ...

    def standings(self, now: float) -> list[Standing]:
        """Return how every budget stands, in the order of the configuration."""
        ...


class Observer(Protocol):
    """Is told what happens, as it happens; must be quick and must not raise."""

    def began(self) -> None:
        """A request has been read."""
        ...

    def ended(self, record: CallRecord) -> None:
        """A request is over."""
        ...

    def refused(self, dialect: Dialect, operation: Operation, status: int, wall: float) -> None:
        """A request was refused before it was understood (access, shape, size, model)."""
        ...

    def attempt_failed(self, deployment: Deployment, failure: Failure) -> None:
        """An attempt failed; another may follow."""
        ...

    def cooled(self, deployment: Deployment, failure: Failure, seconds: float) -> None:
        """A deployment has begun to cool."""
        ...
