"""Lets `llmOps.cachePolicy.responseCache` switch and tune the response cache.

What the YAML does not say is filled in from the toolkit's file, with the place where it stands
there; the YAML's own word always wins. Everything after that is read as if it stood in the YAML.
"""

from __future__ import annotations

from typing import Final

from tiergate.config.backlog_idle import say_unknown
from tiergate.config.reading import Reader
from tiergate.config.section import Section
from tiergate.config.tree import Entry, MapNode, ScalarNode, find

_LITELLM: Final = "litellm_settings"
_PARAMS: Final = "cache_params"
_SWITCHES: Final = ((_LITELLM, "cache"), ("router_settings", "cache_responses"))
_TUNING: Final = (("backend", "type"), ("ttlSeconds", "ttl"), ("namespace", "namespace"))
"""Keys of `responseCache`, and those of `cache_params` that they fill in."""

KEYS: Final = ("enabled", *(key for key, _ in _TUNING))
"""The keys of `responseCache`."""


def check_cache(policy: Section, reader: Reader) -> None:
    """Report values of `responseCache` that do not fit, and keys that do not exist.

    Args:
        policy: The section `cachePolicy`.
        reader: Where findings go.
    """
    section = policy.section("responseCache", reader.findings)
    reader.typed.flag(section.take("enabled"))
    reader.typed.whole(section.take("ttlSeconds"), least=1)
    for key in ("backend", "namespace"):
        reader.typed.text(section.take(key))
    for spot in section.left():
        say_unknown(spot, reader, KEYS)


def with_cache(root: MapNode, ops: MapNode) -> MapNode:
    """Return the YAML with what it does not say of the response cache filled in.

    Nothing is filled in where the cache stays off.

    Args:
        root: The YAML.
        ops: `llmOps`.
    """
    given = find(ops, ("cachePolicy", "responseCache"))
    if given is None or not isinstance(given.node, MapNode):
        return root
    switch = find(given.node, ("enabled",))
    own = next((entry for path in _SWITCHES if (entry := find(root, path))), None)
    on = own if own is not None else switch
    if on is None or not isinstance(on.node, ScalarNode) or on.node.value is not True:
        return root
    found: list[tuple[tuple[str, ...], Entry]] = []
    if own is None and switch is not None:
        found.append(((_LITELLM, "cache"), switch))
    for key, name in _TUNING:
        entry = find(given.node, (key,))
        if entry is not None and _fits(entry):
            found.append(((_LITELLM, _PARAMS, name), entry))
    for path, entry in found:
        root = filled(root, path, entry)
    return root


def _fits(entry: Entry) -> bool:
    """Tell whether a value is one that `check_cache` lets pass."""
    value = entry.node.value if isinstance(entry.node, ScalarNode) else None
    if entry.key == "ttlSeconds":
        return isinstance(value, int) and not isinstance(value, bool) and value > 0
    return isinstance(value, str) and bool(value.strip())


def filled(node: MapNode, path: tuple[str, ...], entry: Entry) -> MapNode:
    """Return a mapping with a value at a path, unless there is one already."""
    name, *rest = path
    there = node.get(name)
    if not rest:
        new = Entry(name, entry.position, entry.node)
        return node if there is not None and not _is_empty(there) else _with(node, new)
    inner = there.node if there is not None and not _is_empty(there) else None
    if inner is not None and not isinstance(inner, MapNode):
        return node  # of a wrong kind, which its reader says
    below = filled(inner or MapNode((), entry.position), tuple(rest), entry)
    return _with(node, Entry(name, there.position if there else entry.position, below))


def _is_empty(entry: Entry) -> bool:
    return isinstance(entry.node, ScalarNode) and entry.node.value is None


def _with(node: MapNode, new: Entry) -> MapNode:
    kept = tuple(entry for entry in node.entries if entry.key != new.key)
    at = next((i for i, entry in enumerate(node.entries) if entry.key == new.key), len(kept))
    return MapNode((*kept[:at], new, *kept[at:]), node.position, node.size + 1)
