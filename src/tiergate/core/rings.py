"""Finds rings of fallbacks: an alias whose chains lead back to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from tiergate.base.values import AliasName


def shortest_ring(
    start: AliasName, edges: Mapping[AliasName, tuple[AliasName, ...]]
) -> tuple[AliasName, ...]:
    """Return the aliases on the shortest way from `start` back to it; empty when there is none.

    Args:
        start: Where the way begins and ends; it stands once in the result, in front.
        edges: For each alias those that its chain names.
    """
    before: dict[AliasName, AliasName] = {}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        for target in edges.get(here, ()):
            if target == start:
                ring = [here]
                while ring[-1] != start:
                    ring.append(before[ring[-1]])
                return tuple(reversed(ring))
            if target not in before:
                before[target] = here
                waiting.append(target)
    return ()
