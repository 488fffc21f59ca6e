"""The heads of answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.front.heads import (
    CLOSE,
    date_line,
    declared_length,
    head,
    last_answer,
    without_owned,
)


def test_the_date_is_an_http_date() -> None:
    assert date_line(784111777.9) == "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"


def test_a_head_has_status_date_headers_and_framing() -> None:
    assert head(200, "date: D\r\n", [("a", "b"), ("c", "é")], CLOSE) == (
        b"HTTP/1.1 200 OK\r\ndate: D\r\na: b\r\nc: \xe9\r\nconnection: close\r\n\r\n"
    )
    assert head(404, "", [], "") == b"HTTP/1.1 404 Not Found\r\n\r\n"


def test_a_status_without_a_name_has_an_empty_phrase() -> None:
    assert head(529, "", [], "") == b"HTTP/1.1 529 \r\n\r\n"


@pytest.mark.parametrize("status", [0, 100, 101, 199, 1000, -1])
def test_only_final_statuses_are_written(status) -> None:
    with pytest.raises(ValueError, match="is not the status of a final answer"):
        head(status, "", [], "")


@pytest.mark.parametrize("bad", ["\r\n", "\n", "\r", "\0", "x\r\ny: z", "Ω"])
def test_a_header_cannot_smuggle_another_one(bad) -> None:
    for pair in ((f"a{bad}", "b"), ("a", f"b{bad}")):
        with pytest.raises(ValueError, match=r"line break|latin-1|ordinal"):
            head(200, "", [("x", "y"), pair], "")


@given(st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4)), max_size=4))
def test_a_head_has_one_line_per_header_or_is_refused(headers) -> None:
    try:
        written = head(200, "", headers, "")
    except ValueError:
        return
    lines = written.split(b"\r\n")
    assert len(lines) == len(headers) + 3
    assert written.count(b"\n") == written.count(b"\r") == len(headers) + 2


def test_headers_of_the_server_are_taken_out() -> None:
    headers = [
        ("content-type", "x"),
        ("content-length", "3"),
        ("Transfer-Encoding", "chunked"),
        ("connection", "keep-alive"),
        ("date", "then"),
        ("Keep-Alive", "timeout=5"),
    ]
    assert without_owned(headers) == ([("content-type", "x")], False)


@pytest.mark.parametrize("pair", [("connection", "close"), ("Connection", "x, Close")])
def test_a_wish_to_close_is_heard(pair) -> None:
    assert without_owned([("a", "b"), pair]) == ([("a", "b")], True)


def test_headers_without_such_are_left_alone() -> None:
    headers = [("a", "b")]
    assert without_owned(headers)[0] is headers


def test_a_declared_length_is_a_number() -> None:
    assert declared_length([("a", "b"), ("Content-Length", "12")]) == "content-length: 12\r\n"
    assert declared_length([("content-length", "1\r\n2")]) == ""
    assert declared_length([("content-length", "²")]) == ""


def test_a_last_answer_is_whole_and_says_that_it_is_the_last() -> None:
    assert last_answer(400, "date: D\r\n", [("a", "b"), ("Connection", "keep-alive")], b"no") == (
        b"HTTP/1.1 400 Bad Request\r\ndate: D\r\na: b\r\ncontent-length: 2\r\n"
        b"connection: close\r\n\r\nno"
    )
