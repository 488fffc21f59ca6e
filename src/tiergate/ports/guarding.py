"""Guards: what looks at the texts of a call, and what it may say of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import Dialect
from tiergate.core.caller import Caller
from tiergate.core.guard_options import Reaction
from tiergate.core.guard_plan import Stage


class Place(Enum):
    """What a text is in its call."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    REASONING = "reasoning"
    TOOL_ARGUMENTS = "tool_arguments"
    TOOL_RESULT = "tool_result"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Passage:
    """One text of a call.

    Attributes:
        text: The text, decoded.
        place: What it is.
        path: Where it stands, for people: `messages[2].content[0]`.
        tool: The name of the tool, where it is about one.
    """

    text: str
    place: Place
    path: str = ""
    tool: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """The call whose texts are looked at.

    Attributes:
        call_id: The id in the `x-litellm-call-id` header.
        alias: The alias asked.
        dialect: Of the caller.
        stage: When.
        caller: Who calls.
        user: The caller's end user, if given.
        tags: The request's tags.
        prompt_tokens: An estimate of the prompt's tokens; 0 where there is none.
        tools: Names of the tools that the request offers; empty where no guard asks for them.
        headers: Headers of the request; empty where no guard asks for them.
    """

    call_id: str
    alias: str
    dialect: Dialect
    stage: Stage
    caller: Caller
    user: str | None = None
    tags: tuple[str, ...] = ()
    prompt_tokens: int = 0
    tools: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """Something that a guard has found.

    Attributes:
        passage: Index of the passage.
        start: Where it begins, in characters of the passage's text.
        end: Where it ends.
        kind: What it is, in the guard's words: `email`, `aws_access_key`, a rule's name.
        reaction: What is to be done.
        instead: What is written in its place when masked; empty for the engine's own
            numbered placeholder, such as `<EMAIL_1>`.
    """

    passage: int
    start: int
    end: int
    kind: str
    reaction: Reaction
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a guard says of some passages.

    Attributes:
        found: What it found, in the order of the passages and of the text.
        blocked: Why the call must not go on, for the caller; empty where only `found` decides.
        texts: Rewritten texts, one per passage, from guards that rewrite as a whole; None else.
    """

    found: tuple[Found, ...] = ()
    blocked: str = ""
    texts: tuple[str, ...] | None = None


CLEAN = Verdict()


class GuardError(Exception):
    """A guard could not decide: its service is away, answered nonsense, or it has a bug."""


class Blocked(Exception):  # noqa: N818 - what a guard says, not a fault of the program
    """A guard of whole calls says that the call must not go on. `str()` is for the caller.

    Attributes:
        status: HTTP status that the caller gets, from 400 to 499.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Guard(Protocol):
    """Looks at texts. One instance serves all calls of a worker at the same time."""

    @property
    def window(self) -> int | None:
        """The most characters that one finding can span; None when only whole texts will do.

        What must be seen behind a finding counts too. With a window, a stream is looked at again
        and again in pieces that overlap, so such a guard must be quick and ask nobody else.
        """
        ...

    @property
    def restores(self) -> bool:
        """Whether masked values of the request are put back into the answer."""
        ...

    async def look(self, passages: Sequence[Passage], occasion: Occasion) -> Verdict:
        """Look at the texts of one request, or of one answer.

        Raises:
            GuardError: It could not decide.
        """
        ...


class CallGuard(Protocol):
    """Is shown whole requests and answers as JSON, and may change them.

    All methods raise `Blocked` to stop the call, and `GuardError` when they could not decide.
    """

    @property
    def streams(self) -> bool:
        """Whether it takes streams event by event; else it is shown them whole, as plain ones."""
        ...

    async def request(self, body: JsonObject, occasion: Occasion) -> JsonObject | None:
        """Look at a request before the call; returns another one, or None for no change."""
        ...

    async def beside(self, body: JsonObject, occasion: Occasion) -> None:
        """Look at a request while it is called."""
        ...

    async def answer(
        self, body: JsonObject, answer: JsonObject, occasion: Occasion
    ) -> JsonObject | None:
        """Look at a plain answer; returns another one, or None for no change."""
        ...

    def events(
        self, body: JsonObject, events: AsyncIterator[JsonObject], occasion: Occasion
    ) -> AsyncIterator[JsonObject]:
        """Pass the events of a stream on, changed or not."""
        ...


class GuardWatch(Protocol):
    """Is told what guards did; must be quick and must not raise."""

    def guarded(self, name: str, stage: Stage, status: str, seconds: float, error: str) -> None:
        """A guard has looked.

        Args:
            name: Of the guard.
            stage: When.
            status: `success`, `guardrail_intervened` or `guardrail_failed_to_respond`.
            seconds: How long it took.
            error: Why it could not decide: `timeout`, `unavailable`, `bug`, `busy`; or empty.
        """
        ...

    def guard_acted(self, name: str, stage: Stage, reaction: Reaction, number: int) -> None:
        """A guard has found something, so many times."""
        ...


class Fetch(Protocol):
    """Asks an HTTP service and reads its answer."""

    async def __call__(
        self, url: str, headers: Sequence[tuple[str, str]], body: bytes, limit: int
    ) -> tuple[int, bytes]:
        """POST a body; return status and body of the answer, which has at most `limit` bytes.

        Raises:
            OSError: No answer came.
        """
        ...
