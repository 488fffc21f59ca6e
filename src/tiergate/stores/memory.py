"""Keeps budgets in the memory of this process: the model itself, with nothing beneath it.

They begin anew with every start, and every process has its own.
"""

from __future__ import annotations

from tiergate.core.budget import Budgets


class MemoryBudgets(Budgets):
    """Implements `ports.BudgetStore`."""
