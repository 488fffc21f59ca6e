"""Says which marks of a budget a payment has passed: its soft limit, and 50, 80 and 100 percent.

Each mark is passed once in a window: by the payment that takes the sum from below it to it or
above. Whom to tell, and how, is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass

from tiergate.core.rules import ScopeKind


@dataclass(frozen=True, slots=True)
class BudgetAlert:
    """A mark of a budget that was passed. Money is nano-USD, `resets` Unix seconds or None.

    Attributes:
        scope: Of the budget.
        name: Of the budget.
        mark: `soft`, `50`, `80` or `100`.
        spent: What is spent in the window.
        limit: The cap; None where there is none.
        soft: The soft limit; None where there is none.
        window: The window in the words of the file.
        resets: When it ends.
    """

    scope: ScopeKind
    name: str
    mark: str
    spent: int
    limit: int | None
    soft: int | None
    window: str
    resets: int | None


PERCENTS = (50, 80, 100)
"""Parts of a limit that are worth telling."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One mark of a budget.

    Attributes:
        name: `soft`, or the percentage: `50`, `80`, `100`.
        amount: Where it is, in nano-USD.
    """

    name: str
    amount: int


def thresholds_crossed(
    before: int, after: int, limit: int | None, soft: int | None
) -> tuple[Threshold, ...]:
    """Return the marks that were passed between two sums, lowest first.

    A limit of 0 has no marks: nothing is ever paid under it.

    Args:
        before: Spent in the window until now, nano-USD.
        after: Spent now.
        limit: The cap; None where there is none.
        soft: The soft limit; None where there is none.
    """
    marks: list[Threshold] = []
    if limit is not None and limit > 0:
        # Rounded up, so that "80 percent are spent" is never said too early.
        marks += [Threshold(str(part), -(-limit * part // 100)) for part in PERCENTS]
    if soft is not None and soft > 0:
        marks.append(Threshold("soft", soft))
    passed = [mark for mark in marks if before < mark.amount <= after]
    return tuple(sorted(passed, key=lambda mark: mark.amount))
