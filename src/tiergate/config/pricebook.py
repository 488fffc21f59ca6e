"""What `config` asks of the price list. The list itself lives elsewhere."""

from __future__ import annotations

from typing import Protocol


class PriceBook(Protocol):
    """Prices and known models of providers."""

    def has_price(self, provider: str, model: str) -> bool:
        """Return whether calls of the model can be priced."""
        ...

    def known_models(self, provider: str) -> frozenset[str]:
        """Return the exact model ids the provider lists; empty when they are not known."""
        ...
