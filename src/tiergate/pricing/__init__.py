"""What models cost and how many tokens a request has, as far as that is known without asking.

Figures come from the configuration or from the price list; the arithmetic is `core.cost`.
"""

from tiergate.pricing.count import count_messages
from tiergate.pricing.estimate import estimate_prompt
from tiergate.pricing.order import ordered
from tiergate.pricing.pricelist import PriceList, PriceRow
from tiergate.pricing.used import UsageMeter

__all__ = [
    "PriceList",
    "PriceRow",
    "UsageMeter",
    "count_messages",
    "estimate_prompt",
    "ordered",
]
