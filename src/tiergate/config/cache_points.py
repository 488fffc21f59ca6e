"""Reads `cache_control_injection_points` of a deployment: LiteLLM's form of breakpoint places.

`location: message` with `role: system` is the end of the system prompt; `tool_config` is the end
of the tools; other messages go by `index` or by `role`, where `index` wins.
"""

from __future__ import annotations

from typing import Final

from tiergate.config.reading import Reader
from tiergate.config.scalars import number_of
from tiergate.config.section import Section, Spot, as_section
from tiergate.config.suggest import did_you_mean
from tiergate.config.tree import ListNode, ScalarNode
from tiergate.config.typed import items
from tiergate.core.breakpoints import MOST_BREAKPOINTS, Breakpoints, Part, Place, in_order

_LOCATIONS: Final = ("message", "tool_config")
_ROLES: Final = ("system", "user", "assistant")
_KEYS: Final = ("location", "role", "index", "control")


def read_points(spot: Spot | None, reader: Reader) -> Breakpoints | None:
    """Return the breakpoints, without their least length; None where the key is not there.

    Args:
        spot: The key's value; an empty list switches breakpoints off for the deployment.
        reader: Where findings go.
    """
    if spot is None or spot.unresolved:
        return None
    if not isinstance(spot.node, ListNode):
        reader.typed.refuse(spot, "a list of places")
        return None
    found = [_point(each, reader) for each in items(spot)]
    places = tuple(sorted((p for p in found if p is not None), key=lambda place: place.part))
    if len(places) > MOST_BREAKPOINTS:
        reader.findings.mistake(
            "too-many-breakpoints",
            spot.at,
            f"has {len(places)} places, and a provider takes {MOST_BREAKPOINTS} breakpoints",
            "Keep those of the longest prefixes.",
        )
        places = places[:MOST_BREAKPOINTS]
    if not in_order(places):
        reader.findings.error(
            "breakpoint-order",
            spot.at,
            "has a breakpoint of 1h behind one of 5m, which the provider refuses",
            "Give those of tools and system prompt the longer life, or all the same.",
        )
    return Breakpoints(places=places, least=0)


def _point(spot: Spot, reader: Reader) -> Place | None:
    section = as_section(spot, reader.findings)
    if section is None:
        return None
    typed = reader.typed
    location = section.take("location")
    word = "message" if location is None else typed.choice(location, _LOCATIONS)
    role = typed.choice(section.take("role"), _ROLES)
    index = _index(section.take("index"), reader)
    one_hour = _one_hour(section.take("control"), reader)
    _say_left(section, reader)
    if word == "tool_config":
        return Place(part=Part.TOOLS, one_hour=one_hour)
    if word is None:
        return None
    if index is not None:
        return Place(part=Part.MESSAGES, one_hour=one_hour, index=index)
    if role is None:
        reader.findings.mistake(
            "missing-key", spot.at, "names no message", "Write role: system, or an index."
        )
        return None
    if role == "system":
        return Place(part=Part.SYSTEM, one_hour=one_hour)
    return Place(part=Part.MESSAGES, one_hour=one_hour, role=role)


def _index(spot: Spot | None, reader: Reader) -> int | None:
    """Return the position of a message; one below 0 counts from the end."""
    if spot is None or spot.unresolved:
        return None
    value = spot.node.value if isinstance(spot.node, ScalarNode) else None
    number = number_of(value.strip()) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int):
        reader.typed.refuse(spot, "a whole number")
        return None
    return number


def _one_hour(spot: Spot | None, reader: Reader) -> bool:
    """Return whether `control` (`{type: ephemeral, ttl: 1h}`) asks for an hour."""
    section = as_section(spot, reader.findings)
    if section is None:
        return False
    reader.typed.choice(section.take("type"), ("ephemeral",))
    return reader.typed.choice(section.take("ttl"), ("5m", "1h")) == "1h"


def _say_left(section: Section, reader: Reader) -> None:
    for left in section.left():
        advice = did_you_mean(left.key, _KEYS) or f"Known here are {', '.join(_KEYS)}."
        reader.findings.mistake("unknown-key", left.at, "unknown key", advice)
