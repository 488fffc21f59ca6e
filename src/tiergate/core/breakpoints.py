"""Where prompt-cache breakpoints go that the file asks for: a policy, and what fits of it.

A breakpoint ends a prefix that the provider is to cache (Anthropic, "Prompt caching"). The prompt
is tools, system, messages, in this order. How a breakpoint is written into a request is not
decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

MOST_BREAKPOINTS: Final = 4
"""More than these a provider refuses."""

_BYTES: Final = 7
_TOKENS: Final = 2
"""Seven bytes are taken for two tokens. English prose and code have three to four bytes in a
token of Claude, JSON schemas about three. A prefix that turns out shorter than the provider's
minimum costs nothing more; it is only not cached."""


class Part(IntEnum):
    """A part of the prompt, in the order in which the provider reads them."""

    TOOLS = 0
    SYSTEM = 1
    MESSAGES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place where a breakpoint is wanted.

    Attributes:
        part: The part of the prompt, at whose end it goes.
        one_hour: The provider keeps the prefix an hour instead of five minutes.
        index: Of a message; from the end where it is below 0. None takes all of a role.
        role: Of the messages; None takes any.
    """

    part: Part
    one_hour: bool = False
    index: int | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakpoints:
    """The breakpoints of a deployment.

    Attributes:
        places: Where they go, in the order of the prompt.
        least: Tokens that a prefix must have to be worth one.
    """

    places: tuple[Place, ...]
    least: int

    @property
    def stable(self) -> bool:
        """Whether only the end of tools and system is meant, which does not move."""
        return all(place.part is not Part.MESSAGES for place in self.places)


STABLE_PARTS: Final = (Part.TOOLS, Part.SYSTEM)


def stable_prefix(least: int, *, one_hour: bool) -> Breakpoints:
    """Return breakpoints at the end of the tools, and at the end of the system prompt."""
    places = tuple(Place(part=part, one_hour=one_hour) for part in STABLE_PARTS)
    return Breakpoints(places=places, least=least)


def tokens_in(length: int) -> int:
    """Return about how many tokens so many bytes of a request have."""
    return length * _TOKENS // _BYTES


def in_order(places: tuple[Place, ...]) -> bool:
    """Tell whether no breakpoint of an hour follows one of five minutes, which is refused."""
    hours = [place.one_hour for place in sorted(places, key=lambda place: place.part)]
    return hours == sorted(hours, reverse=True)


def messages_meant(place: Place, roles: tuple[str, ...]) -> tuple[int, ...]:
    """Return the positions of the messages that a place means, first to last.

    Args:
        place: In the messages.
        roles: The roles of all messages of the request.
    """
    if place.index is None:
        return tuple(at for at, role in enumerate(roles) if role == place.role)
    at = place.index + len(roles) if place.index < 0 else place.index
    return (at,) if 0 <= at < len(roles) else ()
