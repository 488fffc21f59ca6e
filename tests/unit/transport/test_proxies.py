"""Which target goes through which proxy, by curl's rules."""

from __future__ import annotations

from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.transport import Fault, Target, TransportError
from tiergate.transport.proxies import Proxies, Proxy

HTTPS = Target("https", "api.openai.com", 443)
HTTP = Target("http", "llm.internal", 8000)


def where(environ: dict[str, str], target: Target) -> str | None:
    proxy = Proxies(environ).route(target)
    return None if proxy is None else str(proxy)


@pytest.mark.parametrize(
    ("environ", "https", "http"),
    [
        ({}, None, None),
        ({"HTTPS_PROXY": "http://p:3128"}, "p:3128", None),
        ({"HTTP_PROXY": "http://p:3128"}, None, "p:3128"),
        ({"https_proxy": "http://low:1", "HTTPS_PROXY": "http://up:2"}, "low:1", None),
        ({"ALL_PROXY": "http://p:3128"}, "p:3128", "p:3128"),
        ({"all_proxy": "http://a:1", "https_proxy": "http://s:2"}, "s:2", "a:1"),
        ({"https_proxy": "", "ALL_PROXY": "http://a:1"}, "a:1", "a:1"),
        ({"HTTPS_PROXY": "p"}, "p:1080", None),
        ({"HTTPS_PROXY": "p:3128"}, "p:3128", None),
        ({"HTTPS_PROXY": "http://[::1]:3128/"}, "[::1]:3128", None),
        ({"HTTP_PROXY": "http://evil:1", "REQUEST_METHOD": "GET"}, None, None),
    ],
)
def test_the_variable_of_the_scheme_names_the_proxy(environ, https, http):
    assert where(environ, HTTPS) == https
    assert where(environ, HTTP) == http


@pytest.mark.parametrize(
    ("no_proxy", "host", "exempt"),
    [
        ("*", "anything", True),
        ("*, other", "anything", False),
        ("example.com", "example.com", True),
        ("example.com", "api.example.com", True),
        ("example.com", "badexample.com", False),
        (".example.com", "example.com", True),
        (".example.com", "api.example.com", True),
        ("*.example.com", "api.example.com", True),
        ("EXAMPLE.com.", "api.example.COM.", True),
        ("a.test,b.test", "b.test", True),
        ("a.test b.test", "b.test", True),
        ("a.test", "b.test", False),
        ("", "b.test", False),
        (".", "b.test", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.1/8", "10.1.2.3", True),
        ("0.0.1", "127.0.0.1", False),
        ("::1", "::1", True),
        ("[::1]", "::1", True),
        ("fd00::/8", "fd12::1", True),
        ("fd00::/8", "10.0.0.1", False),
        ("localhost", "127.0.0.1", False),
    ],
)
def test_no_proxy_exempts_names_with_their_subdomains_and_address_blocks(no_proxy, host, exempt):
    environ = {"ALL_PROXY": "http://p:1", "NO_PROXY": no_proxy}

    assert (where(environ, Target("https", host, 443)) is None) is exempt


def test_lower_case_no_proxy_wins():
    environ = {"ALL_PROXY": "http://p:1", "NO_PROXY": "*", "no_proxy": "other"}

    assert where(environ, HTTPS) == "p:1"


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("http://", "does not name a proxy"),
        ("http://user:hunter2@host:port", "does not name a proxy"),
        ("http://[::1", "does not name a proxy"),
        ("socks5://user:hunter2@host:1080", "socks5://, which is not supported"),
        ("https://user:hunter2@host:443", "https://, which is not supported"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_an_error_that_names_the_variable(value, complaint):
    with pytest.raises(TransportError) as caught:
        where({"HTTPS_PROXY": value}, HTTPS)

    assert caught.value.fault is Fault.PROXY
    assert str(caught.value).startswith("HTTPS_PROXY ")
    assert complaint in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert where({"HTTPS_PROXY": value}, HTTP) is None
    assert where({"HTTPS_PROXY": value, "NO_PROXY": "*"}, HTTPS) is None


def test_a_tunnel_is_asked_for_with_credentials():
    proxy = Proxies({"HTTPS_PROXY": "http://us%40er:p%3Ass@p:3128"}).route(HTTPS)

    head = proxy.connect_head(HTTPS)

    lines = head.split(b"\r\n")
    assert lines[:2] == [b"CONNECT api.openai.com:443 HTTP/1.1", b"Host: api.openai.com:443"]
    assert lines[3:] == [b"", b""]
    assert b64decode(lines[2].removeprefix(b"Proxy-Authorization: Basic ")) == b"us@er:p:ss"


def test_a_tunnel_to_an_ipv6_address_names_it_in_brackets():
    head = Proxy("p", 1, None).connect_head(Target("https", "::1", 443))

    assert head == b"CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n"


def test_credentials_are_not_in_the_repr():
    proxy = Proxies({"HTTPS_PROXY": "http://user:hunter2@p:3128"}).route(HTTPS)

    assert "Basic" not in repr(proxy)
    assert "hunter2" not in str(proxy)


_PATH = st.text("abc/?&=%20.-_~", max_size=20).map(lambda text: "/" + text)


@given(_PATH, st.binary(max_size=30), st.booleans())
def test_the_absolute_form_changes_the_request_line_alone(path, value, with_credentials):
    proxy = Proxy("p", 1, b"Basic eDp5" if with_credentials else None)
    fields = b"Host: x\r\nX-Value: " + value.replace(b"\r", b"").replace(b"\n", b"") + b"\r\n\r\n"
    line = b"POST " + path.encode() + b" HTTP/1.1\r\n"

    head = proxy.absolute_form(HTTP, line + fields)

    expected = b"POST http://llm.internal:8000" + path.encode() + b" HTTP/1.1\r\n"
    if with_credentials:
        expected += b"Proxy-Authorization: Basic eDp5\r\n"
    assert head == expected + fields
