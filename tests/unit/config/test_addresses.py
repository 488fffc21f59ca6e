from __future__ import annotations

from urllib.parse import SplitResult

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.config.addresses import is_address, shown_hosts, split_address


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("redis://r", "r"),
        (" redis://u:pw@r:7/1 ", "r:7"),
        ("postgresql://u:pw@a:1,b:2/db", "a:1,b:2"),
        ("postgresql://u:p@w@[::1]:5432/db", "[::1]:5432"),
        ("postgresql://u@h/db?user=me@home", "h"),
        ("unix:///run/redis.sock", ""),
    ],
)
def test_hosts_are_shown_without_the_login(url: str, hosts: str) -> None:
    parts = split_address(url)

    assert isinstance(parts, SplitResult)
    assert shown_hosts(parts) == hosts


@pytest.mark.parametrize(
    "url",
    [
        "redis://[::1",
        "redis://a:b:c",
        "redis://r:",
        "redis://r:0",
        "redis://r:65536",
        "redis://r:x",
    ],
)
def test_what_is_no_address_is_told(url: str) -> None:
    assert isinstance(split_address(url), str)


@given(
    before=st.text("abc123:%", max_size=6),
    sign=st.sampled_from("/?#"),
    after=st.text("xyz789", min_size=1, max_size=6),
)
def test_a_piece_of_a_password_is_never_shown_as_a_host(
    before: str, sign: str, after: str
) -> None:
    """A password with one of these signs ends the host for every reader of addresses."""
    parts = split_address(f"redis://user:{before}{sign}{after}@host/0")

    assert isinstance(parts, str)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("http://localhost:1", True),
        ("https://x/y", True),
        ("ftp://x", False),
        ("http://", False),
        ("http://x:0", False),
        ("http://[", False),
    ],
)
def test_an_address_has_a_scheme_and_a_host(text, good):
    assert is_address(text) is good
