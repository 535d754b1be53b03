"""What a check of prices finds: a code and facts, of which pages and reports make sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DECIMAL_POINT, JUMP, STALE = "decimal_point", "jump", "stale"
BELOW_COST, LOW_MARGIN = "below_cost", "low_margin"
NEVER_CHARGED, NOT_LOWEST = "list_price_never_charged", "discount_not_lowest"
CODES = (DECIMAL_POINT, JUMP, BELOW_COST, LOW_MARGIN, NEVER_CHARGED, NOT_LOWEST, STALE)  # the most urgent first


@dataclass(frozen=True, slots=True)
class PriceFinding:
    """A suspected fault of a product's price.

    `confidence` is 0 to 1: 1 for what is arithmetic, less for what is probable. `facts` are JSON values: amounts as
    text such as "12.90", times in unix seconds, shares and factors as numbers.
    """

    code: str
    confidence: float
    facts: Mapping[str, str | int | float]
