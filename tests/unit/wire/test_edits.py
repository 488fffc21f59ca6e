"""Values deep inside a JSON text change; every other byte stays."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.wire.edits import at, edited, put

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=15,
)


def places(value, above=()):
    """Every place of a value but the top."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for step, inner in items:
        yield (*above, step)
        yield from places(inner, (*above, step))


@given(JSON, st.data(), st.sampled_from([None, 1]))
def test_an_edit_is_the_same_as_writing_into_the_value(value, data, indent):
    spots = list(places(value))
    if not spots:
        assert edited(json.dumps(value).encode(), {}) == json.dumps(value).encode()
        return
    path = data.draw(st.sampled_from(spots))
    text = json.dumps(value, indent=indent).encode()
    out = edited(text, {path: "NEW"})
    put(value, path, "NEW")
    assert json.loads(out) == value


def test_bytes_that_are_not_edited_stay_as_they_are():
    text = b'{ "a" : [1,  {"b":"x\\u0041" , "c": 2.50}] ,"d":null}'
    assert edited(text, {("a", 1, "b"): 'q"'}) == (
        b'{ "a" : [1,  {"b":"q\\"" , "c": 2.50}] ,"d":null}'
    )


def test_several_places_change_at_once():
    out = edited(b'[{"a":1},{"a":2},{"a":3}]', {(2, "a"): 9, (0, "a"): 7})
    assert out == b'[{"a":7},{"a":2},{"a":9}]'


def test_an_object_that_names_a_member_twice_is_written_anew():
    assert json.loads(edited(b'[{"a":1,"a":2}]', {(0, "a"): 3})) == [{"a": 3}]


@pytest.mark.parametrize("path", [("x",), ("a", "b"), ("a", 5)])
def test_a_place_that_is_not_there_is_an_error(path):
    with pytest.raises(LookupError):
        edited(b'{"a":[1]}', {path: 1})
    with pytest.raises((LookupError, IndexError)):
        at({"a": [1]}, path)


def test_one_place_inside_another_is_an_error():
    with pytest.raises(LookupError):
        edited(b'{"a":{"b":1}}', {("a",): 1, ("a", "b"): 2})
