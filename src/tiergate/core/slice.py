"""What one worker has of one budget in one window, and the two ways in which it is not enough.

Values only; what is decided with them is in `core.slices`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tiergate.core.budget import Budget, Page
from tiergate.core.pages import SharedPage
from tiergate.core.window import Span

NOWHERE = Span(0, 0)
"""The window of a slice that does not know its own yet."""

HORIZON_SECONDS = 1.0
"""A slice is kept filled for the calls of so long a time at the last pace."""

QUIET_SECONDS = 3.0
"""So long after the last calls what is leased for the next ones is kept: they come in bursts, and
it is what may be spent while the store is away."""

IDLE_SECONDS = 3600.0
"""A slice that nothing has happened in for so long is let go; it has been given back already."""

NAMED_IDLE_SECONDS = 300.0
"""The same for budgets that are not of the configuration: of keys, tickets, end users."""

MANY_SLICES = 20_000
"""With more than this, a few seconds are enough: callers may make up names."""

FEW_SECONDS = 5.0
"""How long a slice then stays that nobody uses."""


@dataclass(slots=True, eq=False)
class Slice(Page):
    """What this worker has of one budget in one window.

    Attributes:
        budget: Which budget.
        lease: Id of the lease.
        granted: What may be spent in all under the lease.
        waits: The amounts that wait for the next exchange.
        taken: The sum of holds since the last exchange.
        pace: What calls last took in the time of the horizon.
        paced: Instant of that.
        low: When less than this is free the store is asked before anybody is short.
        told: Instant of the last exchange; 0 before the first.
        changed: Something has happened since.
        free: What was left for anybody to lease at the last exchange.
        spent: What all had spent then.
        sent: What this worker had spent then.
        committed: What all had held or leased then.
        idle: What others had leased and did not use then.
        recalled: What was wanted had been called back from others.
        sparing: Somebody is short, so nothing is asked for ahead.
        seen: The page as of then, for a store that loses it.
    """

    budget: Budget = field(kw_only=True)
    lease: str = field(kw_only=True)
    granted: int = 0
    waits: list[int] = field(default_factory=list[int])
    taken: int = 0
    pace: int = 0
    paced: float = 0.0
    low: int = 0
    told: float = 0.0
    changed: bool = True
    free: int = 0
    spent: int = 0
    sent: int = 0
    committed: int = 0
    idle: int = 0
    recalled: bool = False
    sparing: bool = False
    seen: SharedPage | None = None

    @property
    def known(self) -> bool:
        """Whether the window is known; until then nothing can be held in it."""
        return self.span is not NOWHERE

    @property
    def left(self) -> int:
        """What may still be held without asking."""
        return self.granted - self.settled - self.held

    def ahead(self, now: float) -> int:
        """Return what to lease for calls to come; what was taken since is counted anew."""
        if self.taken and self.told:
            passed = max(0.05, now - self.told)
            self.pace = int(self.taken * min(4.0, HORIZON_SECONDS / passed))
            self.paced = now
        self.taken = 0
        return self.pace if now - self.paced < QUIET_SECONDS else 0

    def unused(self, now: float, *, fixed: bool, many: bool) -> bool:
        """Tell whether nobody has used it for long.

        Args:
            now: Unix seconds.
            fixed: It is of a budget of the configuration.
            many: There are so many slices that unused ones must go soon.
        """
        named = FEW_SECONDS if many else NAMED_IDLE_SECONDS
        since = now - (IDLE_SECONDS if fixed else named)
        return not (self.changed or self.held or self.waits) and self.told < since


@dataclass(frozen=True, slots=True)
class Short:
    """Some slices cannot bear an amount; waiting for one exchange may help.

    Attributes:
        slices: Those that cannot.
        pages: All that the call counts in.
        amount: What was to be held.
    """

    slices: tuple[Slice, ...]
    pages: tuple[Slice, ...]
    amount: int


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A budget lets nothing through because its store does not answer."""

    budget: Budget
