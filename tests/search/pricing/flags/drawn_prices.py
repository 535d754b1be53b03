"""Weekly prices drawn by chance, and the history that they stem from."""

from decimal import Decimal

import numpy as np

from catalog.price_history.price_change import PriceChange
from search.pricing.series.weekly_prices import PromotionCalendar, WeeklyPrices, week_start

CATEGORIES = ("Food > Bread > Rye", "Food > Bread > White", "Drinks > Juice > Apple")


def weekly_of(rows, first=2_450, list_price=None, calendar=None):
    """Weekly prices of products, NaN where none is known."""
    prices = np.array(rows, np.float32)
    listed = np.full(prices.shape, np.nan if list_price is None else list_price, np.float32)
    ids = [f"p{place}" for place in range(len(prices))]
    categories = [CATEGORIES[place % 3] for place in range(len(prices))]
    return WeeklyPrices(
        first, ids, categories, ["EUR"] * len(prices), prices, listed, np.full_like(prices, np.nan), calendar
    )


def drawn(products, weeks, *, seed=0, gaps=0.08):
    """Prices with promotions of some weeks: every third product has a rhythm, others are lower by chance or never.

    Of each rhythm the calendar has the weeks.
    """
    rng = np.random.default_rng(seed)
    usual = rng.choice([1.99, 4.5, 10.0, 24.0], (products, 1))
    lower = rng.random((products, weeks)) < 0.12
    lower[1::3] = (np.arange(weeks) + rng.integers(8, size=(len(lower[1::3]), 1))) % 8 < 2
    lower[2::3] = False
    prices = np.round(usual * np.where(lower, rng.choice([0.7, 0.8, 0.9], (products, 1)), 1.0), 2)
    planned = PromotionCalendar(2_450, np.repeat(lower[:, :, None], 2, axis=2).astype(np.float32))
    prices[rng.random(prices.shape) < gaps] = np.nan
    return weekly_of(prices, list_price=None, calendar=planned)


def changes_of(weekly, product):
    """The history of a product of a series: it changes on Mondays, and is out of stock in weeks without a price."""
    changes = []
    for place, price in enumerate(weekly.prices[product].tolist()):
        known = price == price
        found = PriceChange(
            week_start(weekly.first + place),
            Decimal(f"{price:.2f}") if known else Decimal("9.99"),
            currency="EUR",
            in_stock=known,
        )
        if not changes or (found.price, found.in_stock) != (changes[-1].price, changes[-1].in_stock):
            changes.append(found)
    return changes
