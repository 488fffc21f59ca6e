"""Money in words and numbers: integers of nano-USD, read and shown without a float in between."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal, InvalidOperation

from tiergate.base.values import NanoUsd

NANO = 1_000_000_000


def nano_from_usd(value: Decimal | int | str | float) -> NanoUsd:
    """Turn an amount in USD into nano-USD; what is finer is rounded up, never to nothing.

    A float (YAML gives them) is taken at its shortest decimal form: 0.1 is a tenth of a dollar.

    Raises:
        ValueError: The value is not a finite number.
    """
    try:
        amount = Decimal(repr(value) if isinstance(value, float) else str(value))
    except InvalidOperation:
        raise ValueError(f"{value!r} is not an amount of money") from None
    if not amount.is_finite():
        raise ValueError(f"{value!r} is not an amount of money")
    return NanoUsd(int((amount * NANO).to_integral_value(ROUND_CEILING)))


def format_usd(nano: int) -> str:
    """Write nano-USD as USD: plain decimal, no exponent, no trailing zeros (`0.001536`)."""
    if 0 < nano < NANO:  # what nearly every call costs
        return f"0.{nano:09d}".rstrip("0")
    sign = "-" if nano < 0 else ""
    whole, part = divmod(abs(nano), NANO)
    if not part:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{part:09d}".rstrip("0")
