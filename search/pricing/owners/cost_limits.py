"""Costs and limits of a shop as its owner wrote them, read again when the files change."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from catalog.errors import BadFeed
from catalog.files.atomic import stat_mark
from catalog.home import ShopHome
from catalog.product import Product
from search.pricing.demand.price_limits import (
    LimitTable,
    PriceLimits,
    ProductCost,
    read_costs,
    read_price_limits,
)
from search.pricing.owners.rules.product_check import CostLimit

_NO_LIMITS = LimitTable(PriceLimits(), {}, {})


class CostLimits:
    """The costs and the limits of one shop. Threads may share it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._mark: object = ()
        self._costs: Mapping[str, ProductCost] = {}
        self._limits = _NO_LIMITS
        self._problems: tuple[str, ...] = ()

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with the files; a file with an error counts as absent."""
        self._follow()
        return self._problems

    def cost_of(self, product: Product) -> Decimal | None:
        """Return what one unit of a product costs, in its currency; None where that is not known."""
        self._follow()
        found = self._costs.get(product.id)
        return None if found is None else found.within(product.currency)

    def limits_of(self, product: Product) -> PriceLimits:
        """Return the owner's limits of a product."""
        self._follow()
        return self._limits.of_product(product)

    def of_product(self, product: Product) -> CostLimit:
        """Return what a check of the product's price needs."""
        percent = self.limits_of(product).smallest_margin_percent
        return CostLimit(self.cost_of(product), None if percent is None else float(percent) / 100)

    def _follow(self) -> None:
        shop = ShopHome(self._home)
        mark = (stat_mark(shop.costs), stat_mark(shop.price_limits))
        if mark == self._mark:
            return
        with self._lock:
            problems = []
            self._costs, self._limits = {}, _NO_LIMITS
            try:
                self._costs = read_costs(self._home)
            except BadFeed as error:
                problems.append(str(error))
            try:
                self._limits = read_price_limits(self._home)
            except BadFeed as error:
                problems.append(str(error))
            self._problems, self._mark = tuple(problems), mark
