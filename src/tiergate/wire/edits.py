"""Change values deep inside a JSON text; every other byte stays as it came.

So a prompt in which one word is masked keeps the bytes that its provider has cached. What the
values mean is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias, cast

import msgspec

from tiergate.base.jsontypes import Json
from tiergate.wire.elements import spans
from tiergate.wire.members import BodyError, Members, encode

Path: TypeAlias = tuple[str | int, ...]
"""Where a value stands: names of members, and places in lists counted from 0."""

_Tree: TypeAlias = "dict[str | int, bytes | _Tree]"


def edited(text: bytes, changes: Mapping[Path, Json]) -> bytes:
    """Return a JSON text with other values at some places.

    Args:
        text: One JSON value.
        changes: New values by place; no place lies inside another one.

    Raises:
        LookupError: There is no such place.
    """
    return _edited(text, _tree(changes)) if changes else text


def at(value: Json, path: Iterable[str | int]) -> Json:
    """Return what stands at a place of a decoded value.

    Raises:
        LookupError: There is no such place.
    """
    for step in path:
        value = _inside(value, step)
    return value


def put(value: Json, path: Path, new: Json) -> None:
    """Write into a decoded value, in place.

    Raises:
        LookupError: There is no such place.
    """
    holder, last = at(value, path[:-1]), path[-1]
    _inside(holder, last)
    cast("dict[str | int, Json]", holder)[last] = new


def _inside(value: Json, step: str | int) -> Json:
    match value, step:
        case dict(), str():
            return value[step]
        case list(), int():
            return value[step]
        case _:
            raise LookupError(step)


def _tree(changes: Mapping[Path, Json]) -> _Tree:
    tree: _Tree = {}
    for path, value in changes.items():
        here = tree
        for step in path[:-1]:
            below = here.setdefault(step, {})
            match below:
                case bytes():
                    raise LookupError(path)
                case _:
                    here = below
        here[path[-1]] = encode(value)
    return tree


def _edited(text: bytes, tree: bytes | _Tree) -> bytes:
    if isinstance(tree, bytes):
        return tree
    try:
        if text.lstrip()[:1] == b"[":
            return _list(text, tree)
        members = Members.read(text)
    except (BodyError, msgspec.MsgspecError):
        return _anew(text, tree)
    changed: dict[str, bytes] = {}
    for name, inner in tree.items():
        raw = members.raw(name) if isinstance(name, str) else None
        if raw is None or not isinstance(name, str):
            raise LookupError(name)
        changed[name] = _edited(raw, inner)
    return members.edit(changed)


def _list(text: bytes, tree: _Tree) -> bytes:
    places = spans(text)
    strange = next((step for step in tree if not isinstance(step, int)), None)
    if strange is not None:
        raise LookupError(strange)
    parts: list[bytes] = []
    last = 0
    for number in sorted(step for step in tree if isinstance(step, int)):
        start, end = places[number]
        parts += (text[last:start], _edited(text[start:end], tree[number]))
        last = end
    return b"".join((*parts, text[last:]))


def _anew(text: bytes, tree: _Tree) -> bytes:
    """Write an object anew that cannot be edited in its bytes: it names a member twice."""
    value = cast("Json", msgspec.json.decode(text))
    for path, new in _leaves(tree, ()):
        put(value, path, cast("Json", msgspec.json.decode(new)))
    return encode(value)


def _leaves(tree: _Tree, above: Path) -> Iterable[tuple[Path, bytes]]:
    for step, inner in tree.items():
        if isinstance(inner, bytes):
            yield (*above, step), inner
        else:
            yield from _leaves(inner, (*above, step))
