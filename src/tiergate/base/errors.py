"""Why a call failed, in one vocabulary for all providers; what follows from it is decided in core.

`FailureClass` is what retry, fallback and cooldown look at. `Failure` is one failed attempt.
`Refusal` is an error the gateway itself answers with, before or instead of a provider.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tiergate.base.jsontypes import Json
from tiergate.base.values import Dialect, Usage


class FailureClass(Enum):
    """Whose fault a failed attempt was; decides retry, chain and cooldown."""

    CONNECTION = "connection"
    """No connection, reset, or an answer that broke off or was not HTTP."""
    TIMEOUT = "timeout"
    """Our time limit, or the provider's own 408/504."""
    CALLER_TIMEOUT = "caller_timeout"
    """The caller's own shorter limit passed; says nothing about the deployment."""
    RATE_LIMIT = "rate_limit"
    """429."""
    UPSTREAM = "upstream"
    """5xx, 529, an error event in a stream, an answer that cannot be understood."""
    CONFLICT = "conflict"
    """409; retried like an upstream fault."""
    CREDENTIALS = "credentials"
    """401 or 403 of the upstream: our key, not the caller's."""
    NOT_FOUND = "not_found"
    """404 of the upstream: the model or path does not exist there."""
    CONTEXT_WINDOW = "context_window"
    """The prompt is longer than the model takes."""
    CONTENT_POLICY = "content_policy"
    """The provider refused for safety reasons."""
    BAD_REQUEST = "bad_request"
    """Other 4xx: the request itself is wrong."""
    UNTRANSLATABLE = "untranslatable"
    """The request says something that this deployment's dialect cannot say."""
    BUDGET = "budget"
    """A budget of the deployment or provider refuses the attempt; nothing was sent."""
    CANCELLED = "cancelled"
    """The caller left."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed attempt, as the provider told it.

    Attributes:
        kind: Whose fault it was.
        status: HTTP status for the caller if this failure is shown (for an upstream answer
            its own status).
        message: The provider's sentence, or ours. Safe to show: no keys, no addresses.
        type: The provider's error type (`overloaded_error`, `invalid_request_error`), if any.
        code: The provider's error code (`context_length_exceeded`), if any.
        param: The parameter the provider blames, if any.
        retry_after: Seconds the provider asked to wait, if it did.
        body: The provider's error body as it came, if it was JSON.
        dialect: The dialect of `body`.
        charged: True when the provider will bill the attempt.
        usage: What it will bill, as far as it has told; None where it has told nothing.
    """

    kind: FailureClass
    status: int
    message: str
    type: str | None = None
    code: str | None = None
    param: str | None = None
    retry_after: float | None = None
    body: bytes | None = None
    dialect: Dialect | None = None
    charged: bool = False
    usage: Usage | None = None


class Refused(Exception):  # noqa: N818 - it is the gateway's answer, not a fault of the program
    """The gateway answers a request with an error of its own.

    Attributes:
        status: HTTP status.
        code: Machine-readable code, the OpenAI `error.code`.
        type: Error type in OpenAI's words; the Anthropic type follows from the status unless
            `anthropic_type` is given.
        headers: Extra response headers (`retry-after`, `x-should-retry`).
        param: The request parameter at fault, if one is.
        details: Further members of the error object, e.g. a budget's scope.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        type: str = "invalid_request_error",  # noqa: A002 - the wire's own word
        anthropic_type: str | None = None,
        param: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        details: tuple[tuple[str, Json], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.type = type
        self.anthropic_type = anthropic_type
        self.param = param
        self.headers = headers
        self.details = details


class Untranslatable(Exception):  # noqa: N818 - says what the request is, not that we failed
    """A request says something that the other dialect cannot say.

    `message` names the block or field, what cannot be done, and what would work instead.
    """

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
