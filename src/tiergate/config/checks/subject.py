"""What the checks look at: the resolved parts of a configuration with their places."""

from __future__ import annotations

from dataclasses import dataclass

from tiergate.config.budgets import BudgetsRead
from tiergate.config.deployment import ModelEntry
from tiergate.config.findings import Findings
from tiergate.config.pricebook import PriceBook
from tiergate.config.routing import Routing
from tiergate.config.stores import Stores


@dataclass(frozen=True, slots=True)
class Subject:
    """A configuration to check.

    Attributes:
        entries: The deployments.
        routing: How attempts are made, with the fallback rules.
        budgets: All budgets.
        stores: Where they are kept.
        prices: What models cost and which are known.
        findings: Where findings go.
    """

    entries: tuple[ModelEntry, ...]
    routing: Routing
    budgets: BudgetsRead
    stores: Stores
    prices: PriceBook
    findings: Findings
