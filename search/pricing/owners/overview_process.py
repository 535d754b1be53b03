"""Check a shop's prices in a child process of low priority: python -m search.pricing.owners.overview_process HOME."""

from __future__ import annotations

import logging
import math
import os
import sys
import time
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from catalog.errors import WindowshopError
from catalog.files.locks import locked_file
from catalog.home import ShopHome
from catalog.logs import write_logs
from catalog.storage.catalogue import Catalogue
from search.pricing.demand.price_adviser import PriceAdviser
from search.pricing.demand.promotion_effects import promotion_effects
from search.pricing.owners.cost_limits import CostLimits
from search.pricing.owners.overview_maker import is_recent
from search.pricing.owners.price_check import CheckInputs, check_prices
from search.pricing.owners.price_overview import OverviewSummary, PriceOverview

NICE = 15
log = logging.getLogger(__name__)


def check_shop(home: Path) -> OverviewSummary:
    """Check a shop's prices now; processes check one after the other. Raises NoGeneration, StoreError, OSError."""
    shop = ShopHome(home)
    catalogue_path = shop.require_catalogue()
    shop.price_check_lock.parent.mkdir(exist_ok=True)
    with locked_file(shop.price_check_lock, math.inf), closing(Catalogue.open(catalogue_path)) as catalogue:
        return check_prices(home, catalogue, _inputs(home))


def _inputs(home: Path) -> CheckInputs:
    """Return costs and limits, and what the model of demand says where there is one and the owner's files are sound."""
    limits, adviser = CostLimits(home), PriceAdviser(home)
    model = adviser.model
    if model is None or limits.problems():
        return CheckInputs(limits.of_product)
    promotions = tuple(asdict(effect) for effect in promotion_effects(model))
    return CheckInputs(limits.of_product, lambda product: adviser.advise(product).verdict, promotions)


def main() -> int:
    """Check the prices of the shop in the first argument, unless another process has done so just now."""
    write_logs()
    os.nice(NICE)
    home = Path(sys.argv[1])
    try:
        if not is_recent(PriceOverview(home).summary(), time.time()):
            check_shop(home)
    except (WindowshopError, OSError) as error:
        log.error("The prices of %s cannot be checked: %s", home, error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
