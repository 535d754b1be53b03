"""Series of prices for the tests: ordinary ones, and some that are hard to fit."""

import numpy as np

from search.pricing.series.weekly_prices import PromotionCalendar, WeeklyPrices

FIRST, WEEKS = 100, 26
NAN = np.nan
HARD = {
    "constant": [3.0] * WEEKS,
    "one point": [NAN] * (WEEKS - 1) + [4.0],
    "two points": [2.0] + [NAN] * (WEEKS - 2) + [4.0],
    "never known": [NAN] * WEEKS,
    "zeros": [0.0] * WEEKS,
    "zeros at last": [2.0, 3.0] * (WEEKS // 2 - 3) + [0.0] * 6,
    "huge jumps": [0.01, 1e6] * (WEEKS // 2),
    "one jump": [1.0] * (WEEKS - 1) + [1e5],
    "nearly constant": [5.0] * (WEEKS - 9) + [5.01] + [5.0] * 8,
    "growing": np.exp(np.linspace(0, 12, WEEKS)).tolist(),
    "negative": [-1.0] * WEEKS,
}
WITHOUT_A_PRICE = [place for place, kind in enumerate(HARD) if kind in ("never known", "zeros", "negative")]


def weekly(prices, shares=None):
    """Return series (n, w), with the calendar of some promotions (n, weeks, 2)."""
    prices = np.array(prices, np.float32)
    unknown = np.full_like(prices, NAN)
    count = len(prices)
    calendar = None if shares is None else PromotionCalendar(FIRST, np.array(shares, np.float32))
    ids, currencies = [f"p{row}" for row in range(count)], ["EUR"] * count
    return WeeklyPrices(FIRST, ids, ["Food"] * count, currencies, prices, unknown, unknown, calendar)


def random_prices(products=3, weeks=WEEKS, seed=1):
    """Return prices (n, w) that are reduced by a fifth in a fifth of the weeks, with gaps."""
    rng = np.random.default_rng(seed)
    base = rng.uniform(1, 20, (products, 1))
    prices = np.round(base * np.where(rng.random((products, weeks)) < 0.2, 0.8, 1), 2)
    prices[rng.random((products, weeks)) < 0.1] = NAN
    prices[:, 0] = base[:, 0]
    return prices


def check_forecast(found, series):
    """Assert what the contract says of a forecast of HARD series and further ones."""
    assert found.shape == (len(series), 4, 3) and found.dtype == np.float32
    assert np.isnan(found[WITHOUT_A_PRICE]).all()
    known = np.delete(found, WITHOUT_A_PRICE, axis=0)
    assert (known > 0).all() and np.isfinite(known).all()
    assert (np.diff(known, axis=2) >= 0).all()
