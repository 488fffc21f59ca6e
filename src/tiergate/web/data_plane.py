"""RSGI face of the gateway: routes a request, reads its body within limits, answers errors.

The hot routes are handled in `inference`, everything else in `control`. Nothing is decided here
but the path, the size, and who may come in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from tiergate.base.errors import Refused
from tiergate.base.values import Dialect, Operation
from tiergate.core.caller import Caller
from tiergate.core.catalog import Access
from tiergate.web import wire
from tiergate.web.access import Gate

_LONGEST_LENGTH = 18
"""Digits of a `content-length`; Python refuses to read very long numbers."""


class RsgiHeaders(Protocol):
    """The request headers."""

    def items(self) -> list[tuple[str, str]]:
        """Return all headers, names lower-cased."""
        ...


class RsgiScope(Protocol):
    """What the server tells of a request."""

    proto: str
    method: str
    path: str
    query_string: str
    client: str

    @property
    def headers(self) -> RsgiHeaders:
        """Return the request headers."""
        ...


class RsgiStream(Protocol):
    """An answer under way."""

    async def send_bytes(self, data: bytes) -> None:
        """Write; waits when the client is slow."""
        ...


class RsgiReady(Protocol):
    """The part of a body that needs no waiting."""

    complete: bool
    """All of it has come."""

    def take(self) -> bytes:
        """Return what has come and was not read."""
        ...


class RsgiProtocol(Protocol):
    """The server's side of one request: RSGI's interface, with `body` and `watch` beside it."""

    async def __call__(self) -> bytes:
        """Read the whole body."""
        ...

    def __aiter__(self) -> RsgiBody:
        """Read the body in pieces."""
        ...

    @property
    def body(self) -> RsgiReady:
        """What has come of the body."""
        ...

    def watch(self, callback: Callable[[], None] | None) -> None:
        """Set what is called once if the client leaves before the answer is complete."""
        ...

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        """Answer without a body."""
        ...

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Answer."""
        ...

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> RsgiStream:
        """Begin an answer."""
        ...


class RsgiBody(Protocol):
    """The pieces of a request body."""

    def __aiter__(self) -> RsgiBody:
        """Return itself."""
        ...

    async def __anext__(self) -> bytes:
        """Return the next piece."""
        ...


Handler = Callable[
    [RsgiScope, RsgiProtocol, dict[str, str], tuple[Dialect, Operation]], Awaitable[None]
]
ControlHandler = Callable[[RsgiScope, RsgiProtocol, dict[str, str]], Awaitable[None]]

_PATHS = {
    "/v1/chat/completions": (Dialect.OPENAI, Operation.CHAT),
    "/v1/completions": (Dialect.OPENAI, Operation.COMPLETION),
    "/v1/embeddings": (Dialect.OPENAI, Operation.EMBEDDING),
    "/v1/messages": (Dialect.ANTHROPIC, Operation.CHAT),
    "/v1/messages/count_tokens": (Dialect.ANTHROPIC, Operation.COUNT_TOKENS),
}


def all_spellings() -> dict[str, tuple[Dialect, Operation]]:
    """Return the hot routes with and without `/v1`, with and without a slash at the end."""
    found: dict[str, tuple[Dialect, Operation]] = {}
    for path, meaning in _PATHS.items():
        for spelling in (path, path.removeprefix("/v1")):
            found[spelling] = found[f"{spelling}/"] = meaning
    return found


ROUTES = all_spellings()


def dialect_of(path: str) -> Dialect:
    """Return the dialect whose error shape a path's callers expect."""
    return Dialect.ANTHROPIC if "/messages" in path else Dialect.OPENAI


def header_map(items: list[tuple[str, str]]) -> dict[str, str]:
    """Make a dict of headers; values of a repeated name are joined by a comma (RFC 9110)."""
    headers = dict(items)
    if len(headers) != len(items):
        headers = {}
        for name, value in items:
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


class DataPlane:
    """The RSGI application.

    Args:
        inference: Handles the hot routes.
        control: Handles all other routes.
    """

    def __init__(self, inference: Handler, control: ControlHandler) -> None:
        self._inference = inference
        self._control = control

    def __rsgi__(self, scope: RsgiScope, proto: RsgiProtocol) -> Awaitable[None]:
        """Answer one request. No frame of its own waits with it."""
        headers = header_map(scope.headers.items())
        route = ROUTES.get(scope.path)
        if route is not None and scope.method == "POST":
            return self._inference(scope, proto, headers, route)
        return self._control(scope, proto, headers)


def admit_now(
    proto: RsgiProtocol, headers: dict[str, str], gate: Gate, access: Access
) -> tuple[bytes, Caller] | None:
    """Do what `admit` does, where nothing has to be waited for; None where something has.

    Raises:
        Refused: See `admit`.
    """
    caller = gate.check(headers)
    if caller is None:
        return None
    body = _ready_body(proto, headers, access)
    return None if body is None else (body, caller)


async def admit(
    proto: RsgiProtocol, headers: dict[str, str], gate: Gate, access: Access
) -> tuple[bytes, Caller]:
    """Check key and sizes, then read the body.

    Returns:
        The body, and who is calling.

    Raises:
        Refused: 401 or 403 (access), 431 (headers), 415 (compressed), 413 (body), 408 (body too
            slow), 503 (the store of keys is down).
    """
    caller = gate.check(headers)
    if caller is None:
        caller = await gate.find(headers)
    return await read_body(proto, headers, access), caller


async def read_body(proto: RsgiProtocol, headers: dict[str, str], access: Access) -> bytes:
    """Read a body within the limits.

    Raises:
        Refused: See `admit`.
    """
    body = _ready_body(proto, headers, access)
    if body is not None:
        return body
    return await _read(proto, access, known="content-length" in headers)


def _ready_body(proto: RsgiProtocol, headers: dict[str, str], access: Access) -> bytes | None:
    """Check what is told of a body, and return it if all of it has come."""
    check_headers(headers, access)
    if "content-encoding" in headers:
        _check_coding(headers["content-encoding"])
    limit = access.max_body_bytes
    length = headers.get("content-length")
    if length is not None and not _fits(length, limit):
        raise too_large(limit)
    if not proto.body.complete:
        return None
    body = proto.body.take()
    if len(body) > limit:
        raise too_large(limit)
    return body


def _check_coding(coding: str) -> None:
    """Refuse a compressed body by name; its bytes would only look like broken JSON."""
    if coding.lower() != "identity":
        raise Refused(
            415,
            "The request body is compressed (content-encoding), which is not supported; "
            "send it as it is.",
            code="unsupported_content_encoding",
        )


def _fits(length: str, limit: int) -> bool:
    """Tell whether a `content-length` is a number that is not too large."""
    return length.isdecimal() and len(length) <= _LONGEST_LENGTH and int(length) <= limit


def check_headers(headers: dict[str, str], access: Access) -> None:
    """Refuse a request whose headers are larger than the limit."""
    size = sum(map(len, headers)) + sum(map(len, headers.values()))
    if size > access.max_header_bytes:
        raise Refused(
            431,
            f"The request's headers are larger than {access.max_header_bytes} bytes "
            "(general_settings.max_request_header_bytes).",
            code="headers_too_large",
        )


def too_large(limit: int) -> Refused:
    """Make the refusal of a body over the limit."""
    return Refused(
        413,
        f"The request body is larger than {limit} bytes "
        "(general_settings.max_request_body_bytes).",
        code="request_too_large",
        anthropic_type="request_too_large",
        headers=(("connection", "close"),),
    )


async def _read(proto: RsgiProtocol, access: Access, *, known: bool) -> bytes:
    """Wait for the rest of the body, within the time and size limits."""
    try:
        async with asyncio.timeout(access.body_read_seconds):
            if known:
                return await proto()
            pieces: list[bytes] = []
            size = 0
            async for piece in proto:
                size += len(piece)
                if size > access.max_body_bytes:
                    raise too_large(access.max_body_bytes)
                pieces.append(piece)
            return b"".join(pieces)
    except TimeoutError:
        raise Refused(
            408,
            f"The request body did not arrive within {access.body_read_seconds:g} seconds.",
            code="request_timeout",
            type="timeout_error",
            headers=(("connection", "close"),),
        ) from None


def send_refused(
    proto: RsgiProtocol,
    refused: Refused,
    dialect: Dialect,
    call_id: str,
    extra: tuple[tuple[str, str], ...] = (),
) -> None:
    """Answer with an error of the gateway."""
    send_error(proto, wire.of_refused(refused, dialect, call_id), call_id, extra)


def send_error(
    proto: RsgiProtocol,
    error: wire.WireError,
    call_id: str,
    extra: tuple[tuple[str, str], ...] = (),
) -> None:
    """Answer with an error in the caller's shape."""
    headers = [wire.JSON_TYPE, ("x-litellm-call-id", call_id), *error.headers, *extra]
    proto.response_bytes(error.status, headers, error.body)
