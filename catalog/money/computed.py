"""Turn amounts that were computed into amounts of money."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from catalog.money.amounts import FRACTION_DECIMALS
from catalog.money.currencies import decimals_of

FLOAT32_SHARE = 1e-6  # a float32 is as near to the amount that it stands for
_TENTH = 0.1


def computed_amount(value: float, currency: str, known: Iterable[Decimal] = ()) -> Decimal:
    """Return a computed amount with the decimals of its currency, four for one below a tenth.

    Where `value`, as a float32, may stand for one of the `known` amounts, it is that amount itself.
    """
    same = [amount for amount in known if abs(float(amount) - value) <= FLOAT32_SHARE * abs(value)]
    if same:
        return min(same, key=lambda amount: abs(float(amount) - value))
    decimals = decimals_of(currency)
    if abs(value) < _TENTH:
        decimals = max(decimals, FRACTION_DECIMALS)
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
