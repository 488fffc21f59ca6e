"""Records of keys, users and teams outlive their documents, and broken ones are never open."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.core.keys import (
    Holder,
    HolderKind,
    KeyRecord,
    Member,
    Terms,
    read_holder,
    read_key,
    write_holder,
    write_key,
)
from tiergate.core.rules import OnStoreFailure

TEXT = st.text(max_size=20)
TEXTS = st.lists(TEXT, max_size=4).map(tuple)
COUNT = st.none() | st.integers(0, 10**15)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
TERMS = st.builds(
    Terms,
    models=TEXTS,
    max_budget=COUNT,
    window=TEXT.filter(bool),
    period=TEXT.filter(bool),
    soft_budget=COUNT,
    rpm=COUNT,
    tpm=COUNT,
    parallel=COUNT,
    tags=TEXTS,
    metadata=st.dictionaries(TEXT, JSON, max_size=3),
    blocked=st.booleans(),
    on_store_failure=st.none() | st.sampled_from(OnStoreFailure),
)
TIME = st.floats(0, 4e9)


@given(
    st.builds(
        KeyRecord,
        hash=TEXT,
        masked=TEXT,
        alias=TEXT,
        terms=TERMS,
        user=TEXT,
        team=TEXT,
        expires=st.none() | TIME,
        chains=st.dictionaries(TEXT, TEXTS, max_size=3).map(lambda d: tuple(d.items())),
        created=TIME,
        updated=TIME,
        author=TEXT,
        editor=TEXT,
    )
)
def test_a_key_is_read_as_it_was_written(record):
    assert read_key(write_key(record)) == record


@given(
    st.builds(
        Holder,
        kind=st.sampled_from(HolderKind),
        id=TEXT,
        alias=TEXT,
        email=TEXT,
        members=st.lists(st.builds(Member, TEXT, TEXT), max_size=3).map(tuple),
        terms=TERMS,
        created=TIME,
        updated=TIME,
    )
)
def test_a_user_or_team_is_read_as_it_was_written(holder):
    assert read_holder(write_holder(holder)) == holder


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("models", "cheap"),
        ("models", ["cheap", 7]),
        ("max_budget", "10"),
        ("max_budget", 1.5),
        ("rpm", True),
        ("on_store_failure", "perhaps"),
        ("window", 3),
    ],
)
def test_a_limit_that_cannot_be_read_is_no_missing_limit(name, value):
    form = json.loads(write_key(KeyRecord(hash="ab", terms=Terms(models=("cheap",)))))
    form["terms"][name] = value
    with pytest.raises(ValueError, match=r".+"):
        read_key(json.dumps(form).encode())


@pytest.mark.parametrize("body", [b"", b"[]", b'{"hash": 3}', b'{"hash":"a","expires":"soon"}'])
def test_what_is_no_record_is_not_read(body):
    with pytest.raises(ValueError, match=r".+"):
        read_key(body)
