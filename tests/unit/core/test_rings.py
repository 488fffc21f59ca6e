"""The shortest way from an alias back to itself."""

from __future__ import annotations

import pytest

from support.attempts import chain
from tiergate.base.values import AliasName
from tiergate.core.rings import shortest_ring


@pytest.mark.parametrize(
    ("edges", "ring"),
    [
        ({}, ""),
        ({"a": "b c", "b": "c"}, ""),
        ({"a": "a"}, "a"),
        ({"a": "b", "b": "a"}, "a b"),
        ({"a": "b", "b": "c", "c": "a"}, "a b c"),
        ({"a": "b c", "b": "d", "d": "a", "c": "a"}, "a c"),
        ({"a": "b", "b": "c", "c": "b"}, ""),
    ],
    ids=["nothing", "no way back", "itself", "two", "three", "the shorter one", "another's ring"],
)
def test_the_shortest_ring_begins_with_the_alias(edges: dict[str, str], ring: str):
    assert " ".join(shortest_ring(AliasName("a"), chain(**edges))) == ring
