"""Advice on a shop's prices, from its stored model of demand and the owner's files."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from catalog.home import ShopHome
from catalog.product import Product
from search.fitting.version_follower import VersionFollower
from search.pricing.demand.advice import advise
from search.pricing.demand.demand_model import DemandModel
from search.pricing.demand.demand_store import DEMAND_NAME, serving_demand
from search.pricing.demand.price_advice import OLD_SALES, AdviceQuestion, PriceAdvice
from search.pricing.demand.price_limits import OwnerFiles
from search.pricing.series.weekly_prices import WEEK_S, week_of

MAX_AGE_S = 13 * WEEK_S  # of a fit: what sold a season ago says little of what sells now


class PriceAdviser:
    """Advises on the prices of one shop; threads share it.

    Another version of the model, and changed limits and costs, are followed at the next question.
    """

    def __init__(self, home: Path) -> None:
        current = ShopHome(home).demand_current
        self._follower = VersionFollower(current, lambda: serving_demand(home), DEMAND_NAME)
        self._files = OwnerFiles(home)

    @property
    def model(self) -> DemandModel | None:
        """The model to serve; None where none is fitted, none is whole, or the last fit is older than MAX_AGE_S."""
        self._follower.follow()
        demand = self._follower.models
        if demand is None or time.time() - demand.manifest.fitted_at > MAX_AGE_S:
            return None
        return demand.model

    @property
    def degraded(self) -> tuple[str, ...]:
        """A public sentence when the current version cannot be used."""
        return self._follower.degraded

    def advise(self, product: Product, requested: Decimal | None = None, cost: Decimal | None = None) -> PriceAdvice:
        """Return the advice on a product's price, and on a `requested` one; `cost` comes before that of the file.

        Raises BadFeed, which names the line of a file that cannot be read: without its limits nothing is advised.
        """
        limits = self._files.limits().of_product(product)
        cost = self._files.cost_of(product) if cost is None else cost
        model = self.model
        found = advise(model, AdviceQuestion(product, requested, cost, limits))
        if model is None or week_of(int(time.time())) - model.fitted_week <= MAX_AGE_S // WEEK_S:
            return found
        return replace(found, cautions=(*found.cautions, OLD_SALES))
