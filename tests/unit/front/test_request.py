"""How a request target becomes path and query."""

from __future__ import annotations

import pytest

from tiergate.front.request import Headers, Request, split_target


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", ""),
        ("/a/b", "/a/b", ""),
        ("/a?b=c", "/a", "b=c"),
        ("/a?b?c", "/a", "b?c"),
        ("/a?", "/a", ""),
        ("/a%2Fb%3F", "/a%2Fb%3F", ""),
        ("/a#b?c", "/a", ""),
        ("/a?u=http://x/y", "/a", "u=http://x/y"),
        ("//a//b", "//a//b", ""),
        ("*", "*", ""),
        ("http://host/a?b", "/a", "b"),
        ("http://user@host:80/a//b", "/a//b", ""),
        ("http://host", "/", ""),
        ("http://host?b=/c", "/", "b=/c"),
    ],
)
def test_targets(target, path, query) -> None:
    assert split_target(target) == (path, query)


def test_a_request_shows_its_parts() -> None:
    request = Request(
        "GET", "/a?b", "1.1", [("host", "x")], "127.0.0.1:9", "https", keep_alive=True
    )
    assert (request.method, request.path, request.query_string) == ("GET", "/a", "b")
    assert (request.proto, request.scheme, request.http_version) == ("http", "https", "1.1")
    assert request.headers.items() == [("host", "x")]


def test_headers_keep_their_order_and_repetitions() -> None:
    pairs = [("b", "1"), ("a", "2"), ("b", "3")]
    assert Headers(pairs).items() == pairs
