"""A stored model of demand for the fake shop: lowering the price of green would pay, but not that of red."""

import time
from dataclasses import replace

import numpy as np

from catalog.home import ShopHome
from search.pricing.demand.demand_model import DemandModel
from search.pricing.demand.demand_store import DemandManifest, StoredDemand, demand_lock, publish_demand
from tests.search.pricing.demand.made_demand import made_weekly

USUAL = {"green": 13.90, "red": 12.90}


ELASTIC, INELASTIC = 2, 32  # positions of series with elasticities of -2.9 and -0.3


def store_demand(home):
    """Fit and store it; return the model."""
    weekly, _ = made_weekly(products=40, spread=1.2, shape=50.0, promotions=True, centre=-1.0)
    ids, prices = list(weekly.product_ids), weekly.prices.copy()
    for product_id, place in (("green", ELASTIC), ("red", INELASTIC)):
        ids[place] = product_id
        prices[place] *= USUAL[product_id] / np.median(prices[place])
    weekly = replace(weekly, product_ids=ids, prices=prices)
    model = DemandModel.fit(weekly)
    ShopHome(home).demand.mkdir(parents=True, exist_ok=True)
    with demand_lock(home):
        publish_demand(home, StoredDemand(DemandManifest(0, int(time.time()), weekly.weeks, len(model), {}), model))
    return model
