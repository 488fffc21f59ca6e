"""Says what each deployment costs: the figures of the configuration over those of the list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType

from tiergate.base.values import AliasName, DeploymentId
from tiergate.core.catalog import Deployment, PriceOverride
from tiergate.core.cost import Price
from tiergate.pricing.figures import Figure, figures_of
from tiergate.pricing.listing import ListedPrice, Listing
from tiergate.pricing.order import searches_always
from tiergate.pricing.overrides import combined


def _today() -> date:
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class PriceRow:
    """What a deployment costs, and where that is known from.

    `source` is `configuration`, the list's name, or both; `price` is None where neither has one.
    """

    alias: AliasName
    deployment: DeploymentId
    provider: str
    model: str
    price: Price | None
    source: str


class PriceList:
    """What models cost. Also answers `config.pricebook.PriceBook`.

    Args:
        listing: The list under the configuration's own figures.
        today: The day in UTC; prices that begin on a later day are not used yet.
    """

    def __init__(self, listing: Listing | None = None, today: Callable[[], date] = _today) -> None:
        self._listing = listing if listing is not None else Listing()
        self._today = today

    def of(self, deployments: Iterable[Deployment]) -> Mapping[DeploymentId, Price | None]:
        """Return the price of each deployment; None where neither file nor list has one."""
        return MappingProxyType({row.deployment: row.price for row in self.rows(deployments)})

    def has_price(self, provider: str, model: str) -> bool:
        """Return whether the list has a price for a model of a host."""
        return self._listed(provider, model) is not None

    def known_models(self, provider: str) -> frozenset[str]:
        """Return the exact model ids the list has for a host; empty when it has none."""
        return frozenset(model.id for model in self._listing.models(provider))

    def rows(self, deployments: Iterable[Deployment]) -> tuple[PriceRow, ...]:
        """Return what each deployment costs and where the figures come from."""
        return tuple(self._row(deployment) for deployment in deployments)

    @property
    def source(self) -> str:
        """Name, version and day of the list under the configuration's own figures."""
        return self._listing.source

    def figures(self, deployment: Deployment) -> tuple[Figure, ...]:
        """Return each figure of a deployment's price with its origin; none without a price."""
        price = self._row(deployment).price
        if price is None:
            return ()
        listed = None
        if not deployment.price.free:
            listed = self._held(deployment.provider, deployment.priced_as or deployment.model)
        searches = searches_always(deployment)
        return figures_of(price, deployment.price, listed, self._today(), searches=searches)

    def _row(self, deployment: Deployment) -> PriceRow:
        written = deployment.price
        listed = None
        if not written.free:
            listed = self._listed(deployment.provider, deployment.priced_as or deployment.model)
        price = combined(written, listed, embeds=deployment.info.get("mode") == "embedding")
        sources: list[str] = []
        if price is not None and written != PriceOverride():
            sources.append("configuration")
        if listed is not None:
            sources.append(self._listing.source)
        return PriceRow(
            alias=deployment.alias,
            deployment=deployment.id,
            provider=deployment.provider,
            model=deployment.model,
            price=price,
            source=" over ".join(sources) or "none",
        )

    def _listed(self, provider: str, model: str) -> Price | None:
        held = self._held(provider, model)
        return held.price(self._today()) if held is not None else None

    def _held(self, provider: str, model: str) -> ListedPrice | None:
        found = self._listing.find(provider, model)
        return found.held_on(self._today()) if found is not None else None
