"""Where answers are kept for the next identical request, and how their forms are changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from tiergate.base.values import DeploymentId, Usage
from tiergate.ports.calls import Inbound


class Form(Enum):
    """How an answer is written down."""

    PLAIN = "plain"
    """The body of a plain answer."""
    STREAM = "stream"
    """The events of a stream, its end included."""
    METERED = "metered"
    """As STREAM, with the usage chunk that OpenAI's callers must ask for."""


# Not frozen: one is made for every answer, and a frozen one costs twice as much to make.
@dataclass(slots=True)
class StoredAnswer:
    """A complete, successful answer, as its first caller got it. Nobody changes it.

    Attributes:
        form: How `body` is written.
        body: In the caller's dialect.
        deployment: Who gave it.
        usage: Tokens as the provider told them; None when it did not.
        created: Unix time.
        expires: Unix time from which it serves nobody any more.
        losses: What the deployment's dialect could not carry of the request.
    """

    form: Form
    body: bytes = field(repr=False)
    deployment: DeploymentId
    usage: Usage | None
    created: float
    expires: float
    losses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFigures:
    """What a store says of itself; None where it cannot know.

    Attributes:
        kind: `local`, `disk`, `redis`, `s3`.
        place: Where it is, in words for people; without logins.
        fault: Why it does not work now; None while it does.
        entries: How many answers it keeps.
        size: Bytes that they take.
        most: Bytes that it may take.
        dropped: Answers that made room for others.
        errors: How often it failed.
    """

    kind: str
    place: str
    fault: str | None = None
    entries: int | None = None
    size: int | None = None
    most: int | None = None
    dropped: int | None = None
    errors: int = 0


class AnswerStore(Protocol):
    """Keeps answers. None of its methods raises for a store that is down.

    A store that does not answer is left alone until it does again; meanwhile nothing is found
    and nothing is kept, and no request waits for it.
    """

    async def get(self, key: str) -> StoredAnswer | None:
        """Return an answer; None where there is none, or the store is down."""
        ...

    async def put(self, key: str, answer: StoredAnswer) -> None:
        """Keep an answer until it expires, or until there is no room for it."""
        ...

    def post(self, key: str, answer: StoredAnswer, done: Callable[[], None]) -> bool:
        """Begin to do as `put`, where that needs no task of its own.

        Args:
            key: As in `put`.
            answer: A small one; what must be compressed takes a while.
            done: Called once, now or later, when the answer is kept or will not be.

        Returns:
            False if this cannot be done here: `done` is not called, and `put` is the way.
        """
        ...

    async def delete(self, keys: Sequence[str]) -> int | None:
        """Forget answers; returns how many there were, None where the store is down."""
        ...

    async def clear(self, namespace: str) -> int | None:
        """Forget all answers of a namespace and nothing else; returns as `delete`."""
        ...

    async def ping(self) -> str | None:
        """Ask the store whether it works now; returns why not, None if it does."""
        ...

    async def figures(self) -> StoreFigures:
        """Return what it says of itself."""
        ...

    @property
    def fault(self) -> str | None:
        """Why the store does not work, as far as is known; None while it does."""
        ...

    async def aclose(self) -> None:
        """Give back connections. Nothing may be asked afterwards."""
        ...


class Forms(Protocol):
    """Turns the form of an answer into another one, in the dialect of its caller."""

    def as_stream(self, inbound: Inbound, body: bytes) -> bytes | None:
        """Write a plain answer as the stream of this caller; None if that cannot be done."""
        ...

    def as_plain(self, inbound: Inbound, events: bytes, usage: Usage | None) -> bytes | None:
        """Write a complete stream as a plain answer; None if that cannot be done.

        `usage` is what the provider told, which the events need not repeat.
        """
        ...


class LookupWatch(Protocol):
    """Is told what came of look-ups; must be quick and must not raise."""

    def looked_up(self, inbound: Inbound, result: str) -> None:
        """A request was looked up: `hit`, `shared`, `miss`, `miss_down`, or `bypass_` and why."""
        ...
