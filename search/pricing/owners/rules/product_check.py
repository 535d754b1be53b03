"""Check the price of one product against its own past, its cost, and what it announces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.price_history.price_change import PriceChange
from catalog.product import Product
from search.pricing.owners.rules.announced_discounts import discount_findings
from search.pricing.owners.rules.margins import margin_finding
from search.pricing.owners.rules.price_finding import CODES, PriceFinding
from search.pricing.owners.rules.price_jumps import jump_finding


@dataclass(frozen=True, slots=True)
class CostLimit:
    """What is known of a product's cost in its currency, and the least margin that the owner allows; None without."""

    cost: Decimal | None = None
    least_margin: float | None = None


NO_COST = CostLimit()


def no_limit(product: Product) -> CostLimit:
    """Return that no cost is known."""
    return NO_COST


def product_findings(changes: Sequence[PriceChange], now: int, limit: CostLimit = NO_COST) -> tuple[PriceFinding, ...]:
    """Return what is wrong with the price in force at `now`, the most urgent first.

    `changes` are the product's, oldest first, over a year and more. Whether the price is stale depends on the other
    products of its category: see `stale_prices`.
    """
    last = changes[-1] if changes else None
    if last is None or not last.present or not last.price or last.price <= 0:
        return ()
    margin = None if limit.cost is None else margin_finding(last.price, limit.cost, limit.least_margin)
    found = (jump_finding(changes, now), margin, *discount_findings(changes, now))
    return in_order(finding for finding in found if finding is not None)


def in_order(findings: Iterable[PriceFinding]) -> tuple[PriceFinding, ...]:
    """Return findings with the most urgent first."""
    return tuple(sorted(findings, key=lambda finding: CODES.index(finding.code)))
