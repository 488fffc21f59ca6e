"""What a request asks for beside tokens: a service tier, searches, a region. For holds.

Read are the members that reach the provider: the caller's own, or what the file adds in their
place. What the provider really did is in its answer, and decides the cost.
"""

from __future__ import annotations

from typing import Final

from tiergate.base.jsontypes import Json
from tiergate.base.values import Dialect, ServiceTier
from tiergate.core.catalog import Deployment
from tiergate.core.cost import PLAIN, Order
from tiergate.ports import Inbound
from tiergate.wire.members import BodyError

SEARCHES: Final = 10
"""Searches of a request that sets no `max_uses`: after so many rounds Anthropic gives the turn
back ("Server tools", `pause_turn`)."""

SEARCH_TOKENS: Final = 8_000
"""Tokens that one search adds to the prompt: the block that OpenAI bills its small models for
("Pricing"); results of other providers are of that size."""

REGIONAL: Final = 10
"""Percent that Anthropic adds for inference in the US alone ("Pricing", data residency)."""

_MEMBERS: Final = frozenset({"service_tier", "speed", "inference_geo", "web_search_options"})
_OPTIONS: Final = "web_search_options"
_SEARCH_OPTIONS: Final = frozenset({_OPTIONS})
_SPECIAL: Final = _MEMBERS | {"tools"}
_SEARCH_TOOL: Final = b'"web_search_20'
"""Begins the type of Anthropic's tool in each of its versions; functions have other names."""

_ESCAPE: Final = b"\\u00"
"""Begins an ASCII letter that is written as an escape: then the type must be decoded."""

_TIERS: Final = {
    "flex": ServiceTier.FLEX,
    "priority": ServiceTier.PRIORITY,
    "fast": ServiceTier.FAST,
}


def ordered(inbound: Inbound, deployment: Deployment) -> Order:
    """Return what a request asks for at a deployment, as far as it changes the price.

    It is `PLAIN` itself where nothing does. To find that takes a fraction of a microsecond, and
    with tools one look through their bytes.
    """
    members, defaults = inbound.members, deployment.defaults
    tools = False
    if not members.has_none(_SPECIAL) or (defaults and not _SPECIAL.isdisjoint(defaults)):
        tools = _may_search(members.raw("tools")) or "tools" in defaults
        named = not members.has_none(_MEMBERS) or not _MEMBERS.isdisjoint(defaults)
        special = tools or named
    else:
        special = False
    if not special and not searches_always(deployment):
        return PLAIN
    tier = _TIERS.get(str(sent(inbound, deployment, "service_tier")), ServiceTier.STANDARD)
    if sent(inbound, deployment, "speed") == "fast":
        tier = ServiceTier.FAST
    searches = searches_of_chat(inbound, deployment)
    if tools:
        searches += _searches_of_tools(sent(inbound, deployment, "tools"))
    regional = sent(inbound, deployment, "inference_geo") == "us"
    made = Order(tier, searches, REGIONAL if regional else 0, searches * SEARCH_TOKENS)
    return PLAIN if made == PLAIN else made


def searches_of_chat(inbound: Inbound, deployment: Deployment) -> int:
    """Return the searches of a chat call that its answer does not count: one or none.

    OpenAI's search models search once for a call and bill it apart; their `usage` has no word of
    it. Other hosts of this dialect count searches, or tell what they charge.
    """
    if deployment.provider != "openai" or deployment.dialect is not Dialect.OPENAI:
        return 0
    if "-search-" in deployment.model:
        return 1
    if inbound.members.has_none(_SEARCH_OPTIONS) and _OPTIONS not in deployment.defaults:
        return 0
    return 0 if sent(inbound, deployment, _OPTIONS) is None else 1


def searches_always(deployment: Deployment) -> bool:
    """Tell whether a model searches at every call (`gpt-4o-search-preview`)."""
    return deployment.provider == "openai" and "-search-" in deployment.model


def sent(inbound: Inbound, deployment: Deployment, name: str) -> Json:
    """Return a member as the provider gets it; None where it gets none."""
    if name in inbound.members and name not in deployment.additional_drop_params:
        try:
            return inbound.members.get(name)
        except BodyError:  # a field that the caller's dialect does not have: nobody checked it
            return None
    return deployment.defaults.get(name)


def _may_search(tools: bytes | None) -> bool:
    return tools is not None and (_SEARCH_TOOL in tools or _ESCAPE in tools)


def _searches_of_tools(tools: Json) -> int:
    total = 0
    for tool in tools if isinstance(tools, list) else ():
        if not isinstance(tool, dict) or not str(tool.get("type")).startswith("web_search_20"):
            continue
        uses = tool.get("max_uses")
        total += uses if isinstance(uses, int) and uses > 0 else SEARCHES
    return total
