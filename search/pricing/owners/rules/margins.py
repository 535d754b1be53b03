"""Margins of prices over costs."""

from __future__ import annotations

from decimal import Decimal

from search.pricing.owners.rules.price_finding import BELOW_COST, LOW_MARGIN, PriceFinding


def margin_of(price: Decimal, cost: Decimal) -> float:
    """Return the margin as a share of the price; negative where the product is sold below cost."""
    return float((price - cost) / price)


def margin_finding(price: Decimal, cost: Decimal, least: float | None = None) -> PriceFinding | None:
    """Return the finding where a price is below cost, or its margin below the `least` that the owner allows."""
    margin = margin_of(price, cost)
    facts: dict[str, str | int | float] = {"price": str(price), "cost": str(cost), "margin": round(margin, 4)}
    if price < cost:
        return PriceFinding(BELOW_COST, 0.9, facts)
    if least is not None and margin < least:
        return PriceFinding(LOW_MARGIN, 1.0, facts | {"least": least})
    return None
