"""Weekly series whose demand is known."""

import numpy as np

from search.pricing.series.weekly_prices import PromotionCalendar, WeeklyPrices

CATEGORIES = ("Food > Bread", "Food > Milk", "Food > Fruit", "Home > Soap", "Home > Paper")


def made_weekly(seed=0, *, products=200, weeks=60, spread=0.4, shape=8.0, promotions=False, centre=-1.8):
    """Return series and the elasticities (n,) that they were drawn with.

    Categories differ by `spread` and so do the products in them. Units are negative binomial with the shape `shape`,
    and follow a season. Every fourth week or so a price falls by 10 to 35 %.
    """
    rng = np.random.default_rng(seed)
    category = rng.integers(len(CATEGORIES), size=products)
    elasticity = centre + rng.normal(0, spread, len(CATEGORIES))[category] + rng.normal(0, spread, products)
    usual = np.exp(rng.normal(1.5, 0.5, products))
    reduced = rng.random((products, weeks)) < 0.25
    cut = np.where(reduced, rng.uniform(0.65, 0.9, (products, weeks)), 1.0)
    season = 0.3 * np.sin(np.arange(weeks) / 8)
    log_mean = rng.normal(1.5, 0.8, products)[:, None] + season + elasticity[:, None] * np.log(cut)
    shares = np.zeros((products, weeks, 2), np.float32)
    if promotions:
        shares[:, :, 0] = reduced & (rng.random((products, weeks)) < 0.5)
        shares[:, :, 1] = rng.random((products, weeks)) < 0.1
        log_mean = log_mean + 0.7 * shares[:, :, 0] + 0.4 * shares[:, :, 1]
    mean = np.exp(log_mean)
    units = rng.poisson(mean * rng.gamma(shape, 1 / shape, mean.shape)).astype(np.float32)
    prices = (usual[:, None] * cut).astype(np.float32)
    first = 2_500
    weekly = WeeklyPrices(
        first,
        [f"p{number}" for number in range(products)],
        [CATEGORIES[code] for code in category],
        ["EUR"] * products,
        prices,
        np.full_like(prices, np.nan),
        units,
        PromotionCalendar(first, shares) if promotions else None,
    )
    return weekly, elasticity
