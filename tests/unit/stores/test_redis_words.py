"""The protocol of Redis: what is written is what it means, what is read is whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.redis_words import written
from tiergate.stores.redis_words import (
    IncompleteError,
    RedisSaidError,
    command_of,
    get_command,
    read_told,
    set_command,
)

TOLD = st.recursive(
    st.none() | st.integers(-(2**60), 2**60) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


@given(TOLD)
def test_every_answer_is_read_whole_and_no_part_of_it_for_one(value):
    data = bytearray(written(value))
    assert read_told(data, 0) == (value, len(data))
    for cut in range(len(data)):
        with pytest.raises(IncompleteError) as caught:
            read_told(data[:cut], 0)
        assert cut < caught.value.needed <= len(data)


def test_what_redis_calls_an_error_is_one():
    told, _ = read_told(bytearray(b"-WRONGPASS no\r\n"), 0)
    assert isinstance(told, RedisSaidError)
    assert str(told) == "WRONGPASS no"
    assert read_told(bytearray(b"+OK\r\n"), 0) == (b"OK", 5)


@pytest.mark.parametrize("data", [b"HTTP/1.1 400\r\n", b"$x\r\n", b"!5\r\n"])
def test_another_protocol_is_refused(data):
    with pytest.raises(ValueError):
        read_told(bytearray(data), 0)


def test_a_command_is_written_with_its_lengths():
    assert command_of(("SET", "kü", b"\r\n", 5)) == (
        b"*4\r\n$3\r\nSET\r\n$3\r\nk\xc3\xbc\r\n$2\r\n\r\n\r\n$1\r\n5\r\n"
    )


@pytest.mark.parametrize("key", ["k", "n:kü", ""])
def test_the_short_ways_write_what_the_long_one_writes(key):
    assert get_command(key) == command_of(("GET", key))
    data = b"\r\n%d\x00"
    assert set_command(key, data, 1500) == command_of(("SET", key, data, "PX", 1500))
