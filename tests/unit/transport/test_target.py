"""A target is read from a URL, and equal targets are one key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.transport import Target


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.openai.com/v1", Target("https", "api.openai.com", 443)),
        ("HTTP://Localhost:8000", Target("http", "localhost", 8000)),
        ("http://[::1]:11434/api?x=1#y", Target("http", "::1", 11434)),
        ("https://127.0.0.1", Target("https", "127.0.0.1", 443)),
        ("https://bücher.example/", Target("https", "xn--bcher-kva.example", 443)),
        ("https://my_host.internal", Target("https", "my_host.internal", 443)),
    ],
)
def test_a_target_is_the_scheme_host_and_port_of_a_url(url, expected):
    assert Target.from_url(url) == expected


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("api.openai.com/v1", "http:// or https://"),
        ("ftp://host", "http:// or https://"),
        ("https://", "host name"),
        ("https:///v1", "host name"),
        ("https://host:0", "1 to 65535"),
        ("https://host:99999", "1 to 65535"),
        ("https://host:abc", "1 to 65535"),
        ("https://user:hunter2@host", "user name or password"),
        ("https://a b/", "blanks"),
        ("https://" + "a" * 70 + ".example", "not a valid host name"),
        ("https://a..b/", "not a valid host name"),
    ],
)
def test_what_is_no_address_is_refused_with_advice(url, complaint):
    with pytest.raises(ValueError, match=complaint) as caught:
        Target.from_url(url)

    assert "hunter2" not in str(caught.value)


def test_an_ipv6_address_is_written_in_brackets():
    assert str(Target("http", "::1", 80)) == "[::1]:80"
    assert str(Target("http", "127.0.0.1", 80)) == "127.0.0.1:80"


@given(st.sampled_from(["http", "https"]), st.integers(1, 65535), st.sampled_from([True, "ca"]))
def test_equal_targets_are_one_key(scheme, port, verify):
    first = Target.from_url(f"{scheme}://host:{port}", verify=verify)
    second = Target(scheme, "host", port, verify)

    assert first == second
    assert len({first, second}) == 1
    assert first != Target(scheme, "host", port, verify=False)
