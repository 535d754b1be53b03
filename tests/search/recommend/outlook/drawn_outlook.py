"""A drawn log whose truth is known: visitors buy at rates of their own, some every week, durables once."""

import numpy as np

from tests.search.recommend.purchases import make_events, make_table

WEEKS, VISITORS, PRODUCTS = 20, 90, 10
WEEKLY, DURABLE = 8, 9  # products
WEEKLY_BUYERS = range(30)
RATES = np.array([0.03, 0.15, 0.5, 1.2])  # purchases a week


def draw(seed=0, weeks=WEEKS):
    """Return a table, events, and the rates of purchases a week of the first 8 products, (visitors, products)."""
    rng = np.random.default_rng(seed)
    rates = RATES[rng.integers(len(RATES), size=(VISITORS, PRODUCTS - 2))]
    bought = rng.random((VISITORS, PRODUCTS - 2, 7 * weeks)) < rates[..., None] / 7
    rows = [tuple(int(part) for part in row) for row in np.argwhere(bought)]
    rows += [(v, WEEKLY, day) for v in WEEKLY_BUYERS for day in range(v % 7, 7 * weeks, 7)]
    rows += [(v, DURABLE, int(rng.integers(7 * weeks))) for v in range(VISITORS)]
    return make_table(PRODUCTS, kinds=4), make_events(rows), rates
