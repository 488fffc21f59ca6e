"""One caller's request as the stages see it, and what depends on a provider's dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from tiergate.base.errors import Failure, Refused
from tiergate.base.values import AliasName, Dialect, Operation, Usage
from tiergate.core.affinity import Homing
from tiergate.core.caching import NO_CONTROLS, Controls
from tiergate.core.caller import LOCAL, Caller
from tiergate.core.catalog import Deployment
from tiergate.core.purpose import NO_PURPOSE, Purpose
from tiergate.core.telling import Telling
from tiergate.wire.members import Members

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


# Not frozen: some are made for every request, and a frozen one costs twice as much to make.
@dataclass(slots=True)
class OutputAsked:
    """How much of an answer a chat asks for, read on the way in so that nobody decodes it again.

    Attributes:
        members: The members that this was read of; it says nothing of others.
        limit: The most tokens of one answer; None where the request sets no limit.
        choices: How many answers are asked for.
    """

    members: Members
    limit: int | None
    choices: int


# Not frozen, as above.
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
        caller: Who is calling.
        purpose: What the call is for.
        tags: Every tag of the request and of its key, in their order.
        output: How much of an answer a chat asks for, once it has been read.
        cache: What it says of the response cache; read only where there is one.
        task: The task that serves the request, if whoever made this knew it; it saves looking.
        note: A place for the codec to keep the decoded request between attempts.
        home: Where the prefix of the conversation is warm; None where nobody asks.
        headers: Its headers, lower-cased names; for guards that pass some on.
        guardrails: The guards that it asks for by name.
        refusal: What a guard has answered it with, once a call was made for it.
        telling: What sinks are told of the call; None where there are none.
        labels: Names and values of the metric labels that the configuration adds.
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
    caller: Caller = LOCAL
    purpose: Purpose = NO_PURPOSE
    tags: tuple[str, ...] = ()
    cache: Controls = NO_CONTROLS
    output: OutputAsked | None = None
    task: object = field(default=None, repr=False)
    note: object = field(default=None, repr=False)
    home: Homing | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS, repr=False)
    guardrails: tuple[str, ...] = ()
    refusal: Refused | None = field(default=None, repr=False)
    telling: Telling | None = field(default=None, repr=False)
    labels: tuple[tuple[str, str], ...] = ()


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

    @property
    def metered(self) -> bool:
        """`usage` counts the whole answer so far, so that nothing of it must be estimated."""
        ...

    @property
    def said_bytes(self) -> int:
        """UTF-8 bytes of text, thoughts and tool arguments that have come so far, about."""
        ...

    @property
    def said_pieces(self) -> int:
        """Events that brought some of it; each has at least one token."""
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


class Meter(Protocol):
    """Says what a call has used: the provider's word, and our own count where it gave none.

    A usage of our own count says `estimated`.
    """

    def of_answer(self, inbound: Inbound, deployment: Deployment, answer: Answered) -> Usage:
        """Return what a plain answer has used."""
        ...

    def of_stream(self, inbound: Inbound, deployment: Deployment, reader: StreamReader) -> Usage:
        """Return what a stream has used so far, wherever it ended."""
        ...

    def of_prompt(self, inbound: Inbound, deployment: Deployment) -> Usage:
        """Return what a call has used that began, and brought nothing back."""
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
