"""Lets `llmOps.cachePolicy.providerPromptCaching` switch the breakpoints of prompt caches.

As with the response cache, what the YAML does not say is filled in from the toolkit's file, with
the place where it stands there; the YAML's own word always wins.
"""

from __future__ import annotations

from typing import Final

from tiergate.config.backlog_cache import filled
from tiergate.config.prompt_caching import ENABLED, LEAST
from tiergate.config.reading import Reader
from tiergate.config.section import Section
from tiergate.config.tree import Entry, MapNode, ScalarNode, find

SWITCH: Final = "providerPromptCaching"
LEAST_TOKENS: Final = "stablePrefixMinTokens"
KEYS: Final = (SWITCH, LEAST_TOKENS)
"""The keys of `cachePolicy` that are read here."""

_LITELLM: Final = "litellm_settings"


def check_prompts(policy: Section, reader: Reader) -> None:
    """Report values that do not fit.

    Args:
        policy: The section `cachePolicy`.
        reader: Where findings go.
    """
    reader.typed.flag(policy.take(SWITCH))
    reader.typed.whole(policy.take(LEAST_TOKENS), least=1)


def with_prompts(root: MapNode, ops: MapNode) -> MapNode:
    """Return the YAML with what it does not say of prompt caching filled in.

    Args:
        root: The YAML.
        ops: `llmOps`.
    """
    switch = find(ops, ("cachePolicy", SWITCH))
    least = find(ops, ("cachePolicy", LEAST_TOKENS))
    if switch is not None and _flag(switch) is not None:
        root = filled(root, (_LITELLM, ENABLED), switch)
    own = find(root, (_LITELLM, ENABLED))
    on = own is not None and _flag(own) is True
    if on and least is not None and _count(least) is not None:
        root = filled(root, (_LITELLM, LEAST), least)
    return root


def _flag(entry: Entry) -> bool | None:
    value = entry.node.value if isinstance(entry.node, ScalarNode) else None
    return value if isinstance(value, bool) else None


def _count(entry: Entry) -> int | None:
    value = entry.node.value if isinstance(entry.node, ScalarNode) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
