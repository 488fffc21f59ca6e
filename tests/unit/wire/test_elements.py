"""Lists are found in their bytes, however they are spaced; a member is added and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.wire.elements import raw_elements, spans, with_member

spaces = st.text(" \t\r\n", max_size=3)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@given(given=st.lists(st.tuples(values, spaces, spaces), max_size=5), outer=spaces)
def test_every_element_is_found_where_it_stands(given, outer) -> None:
    texts = [json.dumps(value, ensure_ascii=False) for value, _, _ in given]
    inside = ",".join(f"{a}{t}{b}" for t, (_, a, b) in zip(texts, given, strict=True))
    raw = f"[{outer}{inside}{outer}]".encode()
    assert [raw[start:end].decode() for start, end in spans(raw)] == texts
    assert [bytes(each).decode() for each in raw_elements(raw)] == texts


@pytest.mark.parametrize("text", ['{"a":1}', '{"a":1 }', '{"a":{"b":"}"}\n}'])
def test_a_member_is_added_at_the_end_of_the_object(text: str) -> None:
    raw = f"[1,{text},2]".encode()
    (_, (start, end), _) = spans(raw)
    added = with_member(raw, start, end, b'"x":7')
    assert json.loads(added) == [1, {**json.loads(text), "x": 7}, 2]
    assert added.replace(b',"x":7', b"", 1) == raw
