"""Costs and limits of a shop for checks of its prices, which go on where a file of them cannot be read."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from catalog.errors import BadFeed
from catalog.product import Product
from search.pricing.demand.price_limits import NO_LIMITS, OwnerFiles, PriceLimits
from search.pricing.owners.rules.product_check import CostLimit


class CostLimits:
    """The costs and the limits of one shop; a file with an error counts as absent. Threads may share it."""

    def __init__(self, home: Path) -> None:
        self._files = OwnerFiles(home)

    def problems(self) -> tuple[BadFeed, ...]:
        """Return what is wrong with the files."""
        found = []
        for read in (self._files.costs, self._files.limits):
            try:
                read()
            except BadFeed as error:
                found.append(error)
        return tuple(found)

    def cost_of(self, product: Product) -> Decimal | None:
        """Return what one unit of a product costs, in its currency; None where that is not known."""
        try:
            return self._files.cost_of(product)
        except BadFeed:
            return None

    def limits_of(self, product: Product) -> PriceLimits:
        """Return the owner's limits of a product."""
        try:
            return self._files.limits().of_product(product)
        except BadFeed:
            return NO_LIMITS

    def of_product(self, product: Product) -> CostLimit:
        """Return what a check of the product's price needs."""
        percent = self.limits_of(product).smallest_margin_percent
        return CostLimit(self.cost_of(product), None if percent is None else float(percent) / 100)
