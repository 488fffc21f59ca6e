"""What a provider's prompt cache saves of a call's price, and what it costs to fill it.

Both are differences between what the call cost and what it would have cost with plain input, so
tiers, long prompts and surcharges count as they do in the bill.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tiergate.base.values import Usage
from tiergate.core.cost import Price, cost


@dataclass(frozen=True, slots=True)
class CacheMoney:
    """Amounts in nano-USD.

    Attributes:
        saved: Tokens read from the cache would have cost so much more as plain input.
        writes: Tokens written to it have cost so much more than plain input.
    """

    saved: int = 0
    writes: int = 0


NO_MONEY = CacheMoney()


def cache_money(usage: Usage, price: Price | None) -> CacheMoney:
    """Return what the provider's cache saved and cost in one call.

    Args:
        usage: What the call has used.
        price: What the model costs; nothing is known without one.
    """
    read = usage.cache_read or 0
    written = (usage.cache_write_5m or 0) + (usage.cache_write_1h or 0)
    if price is None or not (read or written):
        return NO_MONEY
    usage = replace(usage, billed=None)  # the list says what each kind costs; a bill does not
    real = cost(usage, price)
    saved = writes = 0
    if read:
        saved = cost(replace(usage, input=usage.input + read, cache_read=0), price) - real
    if written:
        plain = replace(usage, input=usage.input + written, cache_write_5m=0, cache_write_1h=0)
        writes = real - cost(plain, price)
    return CacheMoney(max(0, saved), max(0, writes))
