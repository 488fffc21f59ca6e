"""One request as the application sees it: the RSGI scope. Its body is in `body`."""

from __future__ import annotations

Pairs = list[tuple[str, str]]


class Headers:
    """The headers of a request, in the order sent."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs

    def items(self) -> Pairs:
        """Return all headers: names in lower case, values as latin-1 text."""
        return self._pairs


class Request:
    """The head of a request.

    Attributes:
        proto: Always `http`.
        http_version: `1.1` or `1.0`.
        scheme: `http` or `https`.
        method: As sent, in capitals.
        path: As sent, percent-encoded, without query.
        query_string: What follows the question mark, as sent.
        client: `host:port` of the peer; `[host]:port` of IPv6.
        headers: See `Headers.items`.
        keep_alive: Whether the client lets the connection go on after the answer.
        expects: Whether it waits for `100 Continue` before it sends the body.
    """

    __slots__ = (
        "client",
        "expects",
        "headers",
        "http_version",
        "keep_alive",
        "method",
        "path",
        "proto",
        "query_string",
        "scheme",
    )

    def __init__(
        self,
        method: str,
        target: str,
        version: str,
        headers: Pairs,
        client: str,
        scheme: str,
        *,
        keep_alive: bool,
    ) -> None:
        self.proto = "http"
        self.scheme = scheme
        self.client = client
        self.http_version = version
        self.method = method
        if target[0] == "/" and "?" not in target and "#" not in target:
            self.path, self.query_string = target, ""
        else:
            self.path, self.query_string = split_target(target)
        self.headers = Headers(headers)
        self.keep_alive = keep_alive
        self.expects = False


def split_target(target: str) -> tuple[str, str]:
    """Return path and query of a request target (RFC 9112, section 3.2).

    The absolute form, which proxies get, loses its scheme and authority. A fragment, which does
    not belong into a request, is dropped.
    """
    if "#" in target:
        target = target.partition("#")[0]
    path, _, query = target.partition("?")
    if path[:1] != "/" and "://" in path:
        authority_and_path = path.partition("://")[2]
        path = f"/{authority_and_path.partition('/')[2]}"
    return path, query
