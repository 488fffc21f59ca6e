"""What is left out of a conversation that is too long: the oldest turns, each of them whole.

A turn is what follows a message of the user, up to the next one. Instructions (system messages)
are kept wherever they stand. An answer that calls tools and the results of those tools go or stay
together, since providers refuse one without the other. What messages look like in a dialect, and
how many tokens they have, is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum


class Role(Enum):
    """What a message is for cutting."""

    INSTRUCTION = "instruction"
    """System or developer: never cut."""
    USER = "user"
    """Begins a turn."""
    ANSWER = "answer"
    """The model's, with or without tool calls."""
    RESULT = "result"
    """The result of a tool: belongs to the answer before it."""


def cut_order(roles: Sequence[Role]) -> tuple[tuple[int, ...], ...]:
    """Return groups of messages, by index, in the order in which they are left out.

    First whole turns, the oldest first; then, within the last turn, whole exchanges (an answer
    and its tools' results), the oldest first. What begins the last turn, the last exchange, and
    instructions are in no group, so something to answer always stays.
    """
    turns = _grouped(roles, Role.USER)
    if not turns:
        return ()
    *older, last = turns
    begins = last[:1] if roles[last[0]] is Role.USER else ()
    exchanges = _grouped(roles, Role.ANSWER, last[len(begins) :])
    return (*older, *exchanges[:-1])


def _grouped(
    roles: Sequence[Role], first: Role, indexes: Sequence[int] | None = None
) -> list[tuple[int, ...]]:
    """Return the messages in groups that each begin with a role; instructions are left out."""
    groups: list[list[int]] = []
    for index in range(len(roles)) if indexes is None else indexes:
        if roles[index] is Role.INSTRUCTION:
            continue
        if roles[index] is first or not groups:
            groups.append([])
        groups[-1].append(index)
    return [tuple(group) for group in groups]
