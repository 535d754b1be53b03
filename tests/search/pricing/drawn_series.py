"""Series of prices drawn for tests: calm products, products with regular promotions, and lively ones."""

import numpy as np

from search.pricing.series.weekly_prices import PromotionCalendar, WeeklyPrices

FIRST = 2_900


def drawn_series(products=60, weeks=44, seed=0):
    """Series of which a third never changes, a third costs 20 % less every fifth week, and a third drifts."""
    draw = np.random.default_rng(seed)
    usual = draw.uniform(1, 20, products).round(2)
    prices = np.repeat(usual[:, None], weeks, axis=1)
    shares = np.zeros((products, weeks + 8, 2), np.float32)
    for place in range(products):
        if place % 3 == 1:
            promoted = (np.arange(weeks + 8) + place) % 5 == 0
            shares[place, promoted, 0] = 1
            prices[place, promoted[:weeks]] *= 0.8
        elif place % 3 == 2:
            prices[place] *= np.exp(np.cumsum(draw.normal(0, 0.05, weeks)))
    units = draw.poisson(4, prices.shape).astype(np.float32)
    prices[draw.random(prices.shape) < 0.1] = np.nan
    return WeeklyPrices(
        FIRST,
        [f"p{place}" for place in range(products)],
        [("Food > Calm", "Food > Promoted", "Toys")[place % 3] for place in range(products)],
        ["EUR"] * products,
        prices.round(2).astype(np.float32),
        np.full(prices.shape, np.nan, np.float32),
        units,
        PromotionCalendar(FIRST, shares),
    )
