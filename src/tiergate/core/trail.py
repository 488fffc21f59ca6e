"""What the attempt machine decided, record by record, and the short text made of it.

The records are what headers, the log line, the ledger and the operator's page are drawn from.
They name aliases, deployment ids, classes and statuses; never addresses, keys or prompts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from tiergate.base.errors import FailureClass
from tiergate.base.money import format_usd
from tiergate.base.values import AliasName, DeploymentId, NanoUsd
from tiergate.core.catalog import ChainKind
from tiergate.core.routing import Exclusion

LONGEST_TEXT = 1000
"""Characters of the compact text at most: it travels in a header."""


# Not frozen: some are made for every request, and a frozen one costs twice as much to make.
@dataclass(slots=True)
class Tried:
    """One attempt and its outcome.

    Attributes:
        alias: The alias it was made for.
        deployment: Where.
        number: Which attempt within the alias, from 1.
        hop: 0 in the alias asked, 1 in the first fallback alias called, and so on.
        failure: The class of its failure; None when it was answered.
        status: The HTTP status of the failure; 200 when it was answered.
        seconds: How long it took; for a stream, to its first content.
        excluded: The deployments that could not be chosen, and why.
        begun: The monotonic instant at which it began.
    """

    alias: AliasName
    deployment: DeploymentId
    number: int
    hop: int
    failure: FailureClass | None
    status: int
    seconds: float
    excluded: tuple[Exclusion, ...] = ()
    begun: float = 0.0


@dataclass(frozen=True, slots=True)
class Waited:
    """A pause before a deployment is tried again."""

    seconds: float
    told: bool
    """True when a provider's `Retry-After` asked for it."""


@dataclass(frozen=True, slots=True)
class Left:
    """The alias asked was given up and a chain begins (None: there is none for that failure)."""

    alias: AliasName
    chain: ChainKind | None


@dataclass(frozen=True, slots=True)
class Skipped:
    """An alias where nobody could serve, or that does not exist; it cost no attempt."""

    alias: AliasName
    excluded: tuple[Exclusion, ...]


@dataclass(frozen=True, slots=True)
class Withheld:
    """A member of a chain that the caller's key may not use; it was passed over."""

    alias: AliasName


@dataclass(frozen=True, slots=True)
class Drilled:
    """The alias asked was made to fail by a `mock_testing_...` field; nobody was called."""

    alias: AliasName
    kind: ChainKind


@dataclass(frozen=True, slots=True)
class Ended:
    """The request was given up."""

    reason: str


@dataclass(frozen=True, slots=True)
class Noted:
    """What was decided while the request was read, briefly: `auto: phase draft -> cheap`."""

    text: str


@dataclass(frozen=True, slots=True)
class Lost:
    """A prefix that another deployment's provider holds in its cache, and that is read anew.

    Attributes:
        deployment: Who holds it.
        tokens: How long it is.
        cost: nano-USD that this costs more; 0 where it is not known.
    """

    deployment: DeploymentId
    tokens: int
    cost: int

    @property
    def text(self) -> str:
        """Say it: `lost 41200 cached tokens at dep-a, 0.0474 USD`."""
        cost = f", {format_usd(NanoUsd(self.cost))} USD" if self.cost else ""
        return f"lost {self.tokens} cached tokens at {self.deployment}{cost}"


Decision: TypeAlias = Tried | Waited | Left | Skipped | Withheld | Drilled | Ended | Noted | Lost
"""One record of a trail."""

SEPARATOR = " > "


def compact(trail: Iterable[Decision]) -> str:
    """Return the trail as one line of printable ASCII, for `x-tiergate-why` and the log.

    For example `cheap/dep-a 503 upstream > wait 0.3s > cheap/dep-a 529 upstream > general chain >
    balanced skipped (dep-b cooling) > frontier/dep-c ok`.
    """
    text = SEPARATOR.join(_word(decision) for decision in trail)
    safe = text if text.isascii() and text.isprintable() else _ascii(text)
    return safe if len(safe) <= LONGEST_TEXT else safe[: LONGEST_TEXT - 3] + "..."


def tried_names(trail: Iterable[Decision]) -> tuple[AliasName, ...]:
    """Return the aliases in which an attempt was made, in order, each once."""
    return tuple(dict.fromkeys(d.alias for d in trail if isinstance(d, Tried)))


def _word(decision: Decision) -> str:
    match decision:
        case Tried():
            return _tried(decision)
        case Waited():
            why = " as told" if decision.told else ""
            return f"wait {decision.seconds:.2f}s{why}"
        case Left():
            chain = "no" if decision.chain is None else decision.chain.value
            return f"{chain} chain"
        case Skipped():
            return f"{decision.alias} skipped ({_excluded(decision.excluded) or 'no such alias'})"
        case Withheld():
            return f"{decision.alias} skipped (not for this key)"
        case Drilled():
            return f"{decision.alias} failed by a {decision.kind.value} drill"
        case Ended():
            return decision.reason
        case Noted() | Lost():
            return decision.text
        case _:
            assert_never(decision)


def _tried(tried: Tried) -> str:
    end = "ok" if tried.failure is None else f"{tried.status} {tried.failure.value}"
    text = f"{tried.alias}/{tried.deployment} {end}"
    if tried.excluded and tried.number == 1:
        return f"{text} (not {_excluded(tried.excluded)})"
    return text


def _excluded(exclusions: tuple[Exclusion, ...]) -> str:
    return ", ".join(f"{e.deployment} {e.why.value}" for e in exclusions)


def _ascii(text: str) -> str:
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text)
