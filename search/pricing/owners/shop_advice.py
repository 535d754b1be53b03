"""The advice on prices of an open shop, of one product or category, with the range of look-alikes."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from catalog.product import Product
from search.engine import SearchEngine
from search.listings.price_range import PriceRange
from search.pricing.demand.advice import advise
from search.pricing.demand.price_advice import AdviceQuestion, Elasticity, PriceAdvice
from search.pricing.demand.price_adviser import PriceAdviser
from search.pricing.owners.look_alike_prices import LookAlikePrices


class ShopAdvice:
    """Advises on the prices of one shop. Threads may share it."""

    def __init__(self, home: Path) -> None:
        self._adviser = PriceAdviser(home)
        self._look_alikes = LookAlikePrices(home)

    def of_product(self, product: Product, price: Decimal | None = None, cost: Decimal | None = None) -> PriceAdvice:
        """Return what demand says of a product's price, and of another `price`; `cost` comes before that of costs.csv.

        Raises BadFeed where costs.csv or price-limits.csv cannot be read.
        """
        return self._adviser.advise(product, price, cost)

    def look_alikes(self, engine: SearchEngine, product: Product) -> PriceRange | None:
        """Return the range in which the price would be expected from look-alikes; None where that is not known."""
        return self._look_alikes.of_product(engine, product)

    def of_category(self, category: str) -> Elasticity | None:
        """Return the elasticity of a product without sales in a category; None without a model."""
        return advise(self._adviser.model, AdviceQuestion(Product("", "", (), category))).elasticity
