"""Administrative routes: finding one, and reading what was asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.errors import Refused
from tiergate.core.caller import MASTER
from tiergate.web.admin import Asked, Found, Route, Routes, Told, read_object, read_query


async def nothing(_asked: Asked) -> Told:
    return Told({})


GET, POST = Route("GET", "/ledger", nothing, keys=True), Route("POST", "/ledger", nothing)
ONE = Route("GET", "/fallback/*", nothing)
DELETE = Route("DELETE", "/fallback/*", nothing)
EXACT = Route("GET", "/fallback/history", nothing)
ROUTES = Routes([GET, POST, ONE, DELETE, EXACT])


def test_a_route_is_found_by_method_and_path():
    assert ROUTES.find("GET", "/ledger") == Found(GET, "")
    assert ROUTES.find("POST", "/ledger") == Found(POST, "")


def test_an_open_path_takes_one_name_that_follows():
    assert ROUTES.find("GET", "/fallback/cheap") == Found(ONE, "cheap")
    assert ROUTES.find("DELETE", "/fallback/a b") == Found(DELETE, "a b")
    assert ROUTES.find("GET", "/fallback/a/b") is None


def test_an_exact_path_wins_over_an_open_one():
    assert ROUTES.find("GET", "/fallback/history") == Found(EXACT, "")


def test_a_path_without_this_method_tells_which_it_has():
    assert ROUTES.find("PUT", "/ledger") == ("GET", "POST")
    assert ROUTES.find("POST", "/fallback/cheap") == ("DELETE", "GET")


@pytest.mark.parametrize("path", ["", "/", "/fallback", "/ledgers", "/x/cheap", "ledger"])
def test_other_paths_are_not_there(path):
    assert ROUTES.find("GET", path) is None


def test_of_a_repeated_parameter_the_last_counts_and_empty_ones_stay():
    assert read_query("a=1&b=&a=2&c=x%20y%26&d=%C3%A9") == {
        "a": "2",
        "b": "",
        "c": "x y&",
        "d": "é",
    }
    assert read_query("") == {}


@pytest.mark.parametrize("body", [b"", b" \r\n\t"])
def test_no_body_is_an_empty_object(body):
    assert read_object(body) == {}


def test_an_object_is_decoded():
    assert read_object(b'{"a": [1, null], "b": {"c": "d"}}') == {"a": [1, None], "b": {"c": "d"}}


@pytest.mark.parametrize("body", [b"[]", b"1", b'"a"', b"null", b"true"])
def test_anything_else_is_refused(body):
    with pytest.raises(Refused, match="must be a JSON object") as caught:
        read_object(body)
    assert (caught.value.status, caught.value.code) == (400, "invalid_json")


@pytest.mark.parametrize("body", [b"{", b"{'a': 1}", b'{"a": 1}}', b"\xff", b"{" * 100])
def test_broken_json_is_refused(body):
    with pytest.raises(Refused, match="not valid JSON") as caught:
        read_object(body)
    assert (caught.value.status, caught.value.code) == (400, "invalid_json")


def test_what_is_nested_too_deeply_is_refused():
    deep = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with pytest.raises(Refused, match="nested too deeply"):
        read_object(deep)


@given(st.binary(max_size=60))
def test_no_body_does_anything_but_be_read_or_be_refused(body):
    try:
        found, status = read_object(body), 0
    except Refused as refused:
        found, status = {}, refused.status
    assert isinstance(found, dict)
    assert status in (0, 400)


def test_headers_and_body_are_not_shown():
    """They may have keys in them."""
    asked = Asked(
        method="POST",
        path="/key/update",
        headers={"authorization": "Bearer hidden-word"},
        body={"key": "hidden-word"},
        caller=MASTER,
    )
    assert "hidden-word" not in repr(asked)
