"""Combines the prices of the configuration with a price list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tiergate.base.values import DeploymentId
from tiergate.core.catalog import Deployment, PriceOverride
from tiergate.core.cost import FREE, Price, Rates, Tier


class PriceList:
    """What models cost."""

    def of(self, deployments: Iterable[Deployment]) -> Mapping[DeploymentId, Price | None]:
        """Return the price of each deployment; None where there is none."""
        return {d.id: _written(d.price) for d in deployments}

    def has_price(self, provider: str, model: str) -> bool:
        """Return whether calls of the model can be priced."""
        return True

    def known_models(self, provider: str) -> frozenset[str]:
        """Return the exact model ids the provider lists; empty when they are not known."""
        return frozenset()


def _written(price: PriceOverride) -> Price | None:
    if price.free:
        return FREE
    if price.input is None and price.output is None:
        return None
    return Price(Rates.of(price.input or 0, price.output or 0))
