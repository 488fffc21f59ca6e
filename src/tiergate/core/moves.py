"""What is legal in the attempt machine: its phases, what may happen in each, what follows.

This is the table; `plan` is the machine that fires it and knows the details. Two tables decide
everything about the course of a request:

`MOVES` says which phase follows when something happens. One request is in one phase at a time:

* CHOOSING picks a deployment of the current alias, one that has not been tried in it first.
* CALLING waits for the outcome of the one attempt that is out.
* WAITING lets a moment pass before a deployment is tried a second time.
* LEAVING is done with the current alias and looks for the next one in the chain.
* ANSWERED and GAVE_UP are the ends. ANSWERED is the commit point: from there on bytes go to the
  caller, and no failure can be retried or sent elsewhere.

A move that is not in the table is a mistake of the caller of the machine and raises `Misstep`.

`CONSEQUENCES` says what each class of failure leads to: whether the alias may try again, which
chain follows when it may not, and what the same failure means in a member of a chain. Four ideas
are behind it:

* Only what can get better is tried again. What is wrong with the request stays wrong.
* The class of the failure in the alias asked decides the chain, once. Members of that chain do
  not start another kind of chain.
* A refusal is never routed round: it follows the content-policy chain or ends the request.
* An attempt that sent nothing costs nothing: it uses up no retry.

What the tables do not say: how many retries there are (`plan`), how long things may take
(`timing`), and who is eligible (`routing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from tiergate.base.errors import FailureClass
from tiergate.core.catalog import ChainKind


class Phase(Enum):
    """Where a request stands."""

    CHOOSING = "choosing"
    CALLING = "calling"
    WAITING = "waiting"
    LEAVING = "leaving"
    ANSWERED = "answered"
    GAVE_UP = "gave up"

    # Members are single objects: their address is a hash, and the table is read on every request.
    __hash__ = object.__hash__


class Event(Enum):
    """What can happen to a request."""

    FOUND = "found a deployment"
    NOBODY = "nobody eligible"
    PAUSED = "pause before a retry"
    RESUMED = "pause over"
    DRILLED = "a drill fails the alias"
    SUCCEEDED = "answer or first content"
    MAY_RETRY = "failed, may try again"
    NOT_SENT = "not sent"
    FAILED = "failed, alias done"
    STOPPED = "failed, request done"
    MEMBER = "next alias of the chain"
    EXHAUSTED = "no alias left"
    TIME_UP = "no time left"

    __hash__ = object.__hash__


MOVES: Mapping[tuple[Phase, Event], Phase] = MappingProxyType(
    {
        (Phase.CHOOSING, Event.FOUND): Phase.CALLING,
        (Phase.CHOOSING, Event.PAUSED): Phase.WAITING,
        (Phase.CHOOSING, Event.NOBODY): Phase.LEAVING,
        (Phase.CHOOSING, Event.DRILLED): Phase.LEAVING,
        (Phase.CHOOSING, Event.STOPPED): Phase.GAVE_UP,
        (Phase.CHOOSING, Event.TIME_UP): Phase.GAVE_UP,
        (Phase.WAITING, Event.RESUMED): Phase.CHOOSING,
        (Phase.CALLING, Event.SUCCEEDED): Phase.ANSWERED,
        (Phase.CALLING, Event.MAY_RETRY): Phase.CHOOSING,
        (Phase.CALLING, Event.NOT_SENT): Phase.CHOOSING,
        (Phase.CALLING, Event.FAILED): Phase.LEAVING,
        (Phase.CALLING, Event.STOPPED): Phase.GAVE_UP,
        (Phase.LEAVING, Event.MEMBER): Phase.CHOOSING,
        (Phase.LEAVING, Event.EXHAUSTED): Phase.GAVE_UP,
        (Phase.LEAVING, Event.TIME_UP): Phase.GAVE_UP,
    }
)


class Again(Enum):
    """Whether another attempt in the same alias makes sense."""

    ANYWHERE = "yes, other deployments first"
    ELSEWHERE = "only at another deployment"
    NEVER = "no"


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a class of failure leads to.

    Attributes:
        again: Whether the alias may try again (within its retries).
        chain: The chain that follows when the alias asked is done; None: none.
        ends_chain: Whether this failure in a member ends the request; otherwise the next member
            is tried. A refusal does not end the content-policy chain, which is made for it.
        final: Whether the request ends at once, in any alias, with this very failure.
        sent: Whether something was sent to the provider; if not, no retry is used up.
    """

    again: Again
    chain: ChainKind | None
    ends_chain: bool = False
    final: bool = False
    sent: bool = True


_FAULT = Consequence(Again.ANYWHERE, ChainKind.GENERAL)
_OUR_FAULT = Consequence(Again.ELSEWHERE, ChainKind.GENERAL)
_CALLERS_END = Consequence(Again.NEVER, None, ends_chain=True, final=True)

CONSEQUENCES: Mapping[FailureClass, Consequence] = MappingProxyType(
    {
        FailureClass.CONNECTION: _FAULT,
        FailureClass.TIMEOUT: _FAULT,
        FailureClass.RATE_LIMIT: _FAULT,
        FailureClass.UPSTREAM: _FAULT,
        FailureClass.CONFLICT: _FAULT,
        FailureClass.CREDENTIALS: _OUR_FAULT,
        FailureClass.NOT_FOUND: _OUR_FAULT,
        FailureClass.CONTEXT_WINDOW: Consequence(Again.NEVER, ChainKind.CONTEXT_WINDOW),
        FailureClass.CONTENT_POLICY: Consequence(
            Again.NEVER, ChainKind.CONTENT_POLICY, ends_chain=True
        ),
        FailureClass.BAD_REQUEST: Consequence(Again.NEVER, None),
        FailureClass.UNTRANSLATABLE: Consequence(Again.ELSEWHERE, None, sent=False),
        FailureClass.BUDGET: Consequence(Again.ELSEWHERE, ChainKind.GENERAL, sent=False),
        FailureClass.CALLER_TIMEOUT: _CALLERS_END,
        FailureClass.CANCELLED: _CALLERS_END,
    }
)


class Misstep(Exception):  # noqa: N818 - a programming error, named for what it is
    """The machine was told something that cannot happen in its phase."""

    def __init__(self, phase: Phase, what: str) -> None:
        super().__init__(f"The attempt machine is {phase.value}; `{what}` cannot happen there.")


def follow(phase: Phase, event: Event) -> Phase:
    """Return the phase after an event.

    Raises:
        Misstep: When the event cannot happen in this phase.
    """
    after = MOVES.get((phase, event))
    if after is None:
        raise Misstep(phase, event.value)
    return after


def draw_moves() -> str:
    """Draw `MOVES` as a Mermaid state diagram, for the docs."""
    lines = ["stateDiagram-v2", f"    [*] --> {Phase.CHOOSING.name}"]
    arrows: dict[tuple[Phase, Phase], list[str]] = {}
    for (before, event), after in MOVES.items():
        arrows.setdefault((before, after), []).append(event.value)
    for (before, after), events in arrows.items():
        lines.append(f"    {before.name} --> {after.name}: {' / '.join(events)}")
    lines.extend(f"    {end.name} --> [*]" for end in (Phase.ANSWERED, Phase.GAVE_UP))
    return "\n".join(lines)


def draw_consequences() -> str:
    """Draw `CONSEQUENCES` as a Markdown table, for the docs."""
    rows = [
        "| failure | try the alias again | chain of the alias asked | in a chain member |",
        "|---|---|---|---|",
    ]
    for kind, then in CONSEQUENCES.items():
        again = then.again.value if then.sent else f"{then.again.value}; uses up no retry"
        chain = "none" if then.chain is None else then.chain.value
        if kind is FailureClass.BUDGET:
            chain = f"{ChainKind.BUDGET.value}; without one {chain}, never to a dearer deployment"
        rows.append(f"| {kind.value} | {again} | {chain} | {_in_chain(then)} |")
    return "\n".join(rows)


def _in_chain(then: Consequence) -> str:
    if then.final:
        return "ends the request"
    if then.ends_chain:
        return f"ends the request, except in the {ChainKind.CONTENT_POLICY.value} chain"
    return "next member"
