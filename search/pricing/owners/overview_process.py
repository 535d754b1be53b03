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
from catalog.files.atomic import write_atomically
from catalog.files.locks import locked_file
from catalog.home import ShopHome
from catalog.logs import write_logs
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from catalog.storage.opening import open_catalogue, require_catalogue
from catalog.text.csv_export import write_csv
from search.pricing.demand.advice_table import ADVICE_COLUMNS, advice_row
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
    require_catalogue(home)
    shop.price_check_lock.parent.mkdir(exist_ok=True)
    with locked_file(shop.price_check_lock, math.inf), closing(open_catalogue(home)) as catalogue:
        return _check(home, catalogue)


def _check(home: Path, catalogue: Catalogue) -> OverviewSummary:
    """Check the prices, and write the table of advice next to the overview where the owner's files are sound."""
    limits, adviser = CostLimits(home), PriceAdviser(home)
    if limits.problems():
        return check_prices(home, catalogue, CheckInputs(limits.of_product))
    model = adviser.model
    promotions = () if model is None else tuple(asdict(effect) for effect in promotion_effects(model))
    written: list[OverviewSummary] = []

    def write(draft: Path) -> None:
        with draft.open("w", encoding="utf-8", newline="") as file:
            write_csv(file, (ADVICE_COLUMNS,))

            def verdict_of(product: Product) -> str:
                advice = adviser.advise(product)
                write_csv(file, (advice_row(product, advice),))
                return advice.verdict

            written.append(check_prices(home, catalogue, CheckInputs(limits.of_product, verdict_of, promotions)))

    write_atomically(ShopHome(home).price_advice, write)
    return written[0]


def main() -> int:
    """Check the prices of the shop in the first argument, unless another process has done so just now."""
    write_logs()
    os.nice(NICE)
    home = Path(sys.argv[1])
    try:
        if not is_recent(home, PriceOverview(home).summary(), time.time()):
            check_shop(home)
    except (WindowshopError, OSError) as error:
        log.error("The prices of %s cannot be checked: %s", home, error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
