"""Lets `llmOps.cachePolicy.semanticCache` switch and tune the semantic cache.

What the YAML does not say is filled in from the toolkit's file, with the place where it stands
there; the YAML's own word always wins. Everything after that is read as if it stood in the YAML.
"""

from __future__ import annotations

from typing import Final

from tiergate.config.backlog_cache import filled
from tiergate.config.backlog_idle import say_unknown
from tiergate.config.reading import Reader
from tiergate.config.section import Section
from tiergate.config.tree import Entry, MapNode, ScalarNode, find

_LITELLM: Final = "litellm_settings"
_PARAMS: Final = "cache_params"
_SWITCHES: Final = ((_LITELLM, "cache"), ("router_settings", "cache_responses"))
_TUNING: Final = (
    ("backend", ("type", "semantic_backend")),
    ("threshold", ("similarity_threshold",)),
    ("embeddingModel", ("semantic_cache_embedding_model",)),
)
"""Keys of `semanticCache`, and those of `cache_params` that they fill in."""

_NOT_BESIDE: Final = {"similarity_threshold": "threshold"}
"""Another name by which the YAML may say it."""

KEYS: Final = ("enabled", *(key for key, _ in _TUNING))
"""The keys of `semanticCache`."""


def check_meaning(policy: Section, reader: Reader) -> None:
    """Report values of `semanticCache` that do not fit, and keys that do not exist.

    Args:
        policy: The section `cachePolicy`.
        reader: Where findings go.
    """
    section = policy.section("semanticCache", reader.findings)
    reader.typed.flag(section.take("enabled"))
    reader.typed.number(section.take("threshold"))
    for key in ("backend", "embeddingModel"):
        reader.typed.text(section.take(key))
    for spot in section.left():
        say_unknown(spot, reader, KEYS)


def with_meaning(root: MapNode, ops: MapNode) -> MapNode:
    """Return the YAML with what it does not say of the semantic cache filled in.

    Nothing is filled in where `semanticCache` is off, or where the YAML switches caching off.
    Without a `type` the answers are kept in the backend's own store.

    Args:
        root: The YAML.
        ops: `llmOps`.
    """
    given = find(ops, ("cachePolicy", "semanticCache"))
    if given is None or not isinstance(given.node, MapNode):
        return root
    switch = find(given.node, ("enabled",))
    if switch is None or not _is_true(switch):
        return root
    own = next((entry for path in _SWITCHES if (entry := find(root, path))), None)
    if own is not None and not _is_true(own):
        return root
    if own is None:
        root = filled(root, (_LITELLM, "cache"), switch)
    for key, names in _TUNING:
        entry = find(given.node, (key,))
        if entry is None or not isinstance(entry.node, ScalarNode):
            continue
        for name in names:
            other = _NOT_BESIDE.get(name, name)
            if find(root, (_LITELLM, _PARAMS, other)) is None:
                root = filled(root, (_LITELLM, _PARAMS, name), entry)
    return root


def _is_true(entry: Entry) -> bool:
    return isinstance(entry.node, ScalarNode) and entry.node.value is True
