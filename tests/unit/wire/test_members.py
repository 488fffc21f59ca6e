"""Members: what is read is what was sent, and an edit changes nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.wire.members import BodyError, Members

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.text(max_size=6), VALUES, max_size=6)
STYLES = st.sampled_from(
    [
        {"separators": (",", ":")},
        {},
        {"indent": 2},
        {"ensure_ascii": False},
        {"separators": (" ,", " : ")},
    ]
)


@given(OBJECTS, STYLES)
def test_each_member_is_read_as_it_was_written(value, style):
    members = Members.read(json.dumps(value, **style).encode())

    assert list(members.names()) == list(value)
    for name, part in value.items():
        assert members.get(name) == part
        assert json.loads(members.raw(name) or b"") == part


@given(OBJECTS, STYLES, st.data())
def test_an_edit_gives_the_object_one_expects(value, style, data):
    body = json.dumps(value, **style).encode()
    names = list(value)
    replaced = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    removed = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    removed = [n for n in removed if n not in replaced]
    replace = dict.fromkeys(replaced, b'"new"')

    out = Members.read(body).edit(replace, removed, [("added-member", b"[1]")])

    wanted = {n: ("new" if n in replaced else v) for n, v in value.items() if n not in removed}
    wanted["added-member"] = [1]
    assert json.loads(out) == wanted
    assert list(json.loads(out)) == list(wanted)


@given(OBJECTS.filter(bool), STYLES, st.data())
def test_replacing_one_member_keeps_every_other_byte(value, style, data):
    body = json.dumps(value, **style).encode()
    name = data.draw(st.sampled_from(list(value)))
    members = Members.read(body)
    old = members.raw(name) or b""

    out = members.edit({name: b"@@@"})

    before, after = out.split(b"@@@", 1)
    assert before + old + after == body


@given(OBJECTS, STYLES)
def test_an_edit_of_nothing_is_the_body(value, style):
    body = json.dumps(value, **style).encode()

    assert Members.read(body).edit({}) == body


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"a","model":"b"}',
        b'{"model":"a","x":1,"model":"a"}',
        b'{"model": "a", "model": "a"}',
        b'{"a":1,"a":11}',
        b'{"a":11,"a":1}',
        b'{"a":1,"\\u0061":2}',
        b' {"a":[1,[2]],"a":[1,[2]]} ',
    ],
)
def test_a_member_named_twice_is_refused(body):
    with pytest.raises(BodyError, match="twice"):
        Members.read(body)


@given(OBJECTS.filter(bool), STYLES, st.data())
def test_any_repeated_member_is_refused(value, style, data):
    name = data.draw(st.sampled_from(list(value)))
    text = json.dumps(value, **style)
    extra = json.dumps(data.draw(VALUES))
    body = f"{text.rstrip().removesuffix('}')},{json.dumps(name)}:{extra}}}".encode()

    with pytest.raises(BodyError, match="twice"):
        Members.read(body)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"[]", "must be a JSON object"),
        (b'"x"', "must be a JSON object"),
        (b'{"a":1', "ends too early"),
        (b'{"a":1}x', "not valid JSON"),
        (b'{"a":NaN}', "not valid JSON"),
        (b'{"a":"\xff"}', "not valid UTF-8 at byte 6"),
        (b'{"a":"\xed\xa0\x80"}', "not valid UTF-8"),
        (b'{"a":' + b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"\xef\xbb\xbf{}", "not valid JSON"),
        (b"{" + b",".join(b'"%d":1' % i for i in range(600)) + b"}", "more than 512"),
    ],
)
def test_a_bad_body_says_what_is_wrong(body, words):
    with pytest.raises(BodyError, match=words):
        Members.read(body)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body):
    try:
        members = Members.read(body)
    except BodyError:
        return
    assert members.edit({}) == body


def test_the_walk_and_the_arithmetic_agree():
    body = b'{"model":"m","messages":[{"a":"}"}],"n":null}'
    members = Members.read(body)

    assert members._compact_spans() == members._walk_spans()


@given(OBJECTS.filter(bool), st.sampled_from([{}, {"ensure_ascii": False}]))
def test_what_pythons_json_writes_is_found_without_a_walk(value, style):
    members = Members.read(json.dumps(value, **style).encode())

    spaced = members._spaced_spans()
    assert spaced in (None, members._walk_spans())
    if all(name.isascii() and name.isalnum() for name in value):
        assert spaced is not None


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "b": 2 }',
        b'{"a": 1,  "b": 2}',
        b'{"a":  1, "b": 2}',
        b' {"a": 1, "b": 2}',
        b'{"a": 1, "b": 2}\n',
        b'{"a": 1,"b": 2}',
        b"{}",
    ],
)
def test_other_spaces_are_walked_over(body):
    assert Members.read(body)._spaced_spans() is None


PARTS = st.sampled_from(
    [b'"a": 1', b'"a": 12', b'"b": {"x": 1, "a": 2}', b'"a": "1, \\"b\\": "', b'"b": [1, 2]']
)


@given(st.lists(PARTS, min_size=1, max_size=4))
def test_a_name_that_comes_twice_is_never_missed(parts):
    body = b"{" + b", ".join(parts) + b"}"
    names = [part[:3] for part in parts]
    if len(set(names)) == len(names):
        members = Members.read(body)
        assert members._spaced_spans() == members._walk_spans()
    else:
        with pytest.raises(BodyError, match="twice"):
            Members.read(body)
