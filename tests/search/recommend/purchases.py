"""Small logs of purchases whose structure is known: for tests of models, by hand and drawn."""

from decimal import Decimal

import numpy as np

from catalog.product import Product
from search.recommend.events.interactions import KIND_CODES, History, Interactions
from search.recommend.events.product_table import ProductTable

DAY_S = 86_400


def make_table(count=8, kinds=2):
    """Products p0, p1, ... in turn of the kinds Kind 0, Kind 1, ..., at the prices 1, 2, ..."""
    return ProductTable.of(
        Product(f"p{i}", f"thing {i}", (), f"Shop > Kind {i % kinds}", Decimal(i + 1)) for i in range(count)
    )


def make_events(rows, visitors=None):
    """Interactions of rows (visitor, product, day[, kind]); visitors are numbers."""
    rows = [(*row, "purchase")[:4] for row in rows]
    who, products, days, kinds = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [])
    history = History(
        np.array(products, np.int32),
        np.array([int(day * DAY_S) for day in days], np.int64),
        np.array([KIND_CODES[kind] for kind in kinds], np.uint8),
        np.ones(len(rows), np.float32),
        np.array([product + 1 for product in products], np.float32),
    )
    count = visitors if visitors is not None else max(who, default=-1) + 1
    return Interactions.of([b"v%d" % v for v in range(count)], np.array(who, np.int32), history)


def draw_log(seed=0, visitors=120, products=60, kinds=6, weeks=16):
    """A table, and a log in which each visitor buys two kinds, some products again and again, and popular ones more."""
    rng = np.random.default_rng(seed)
    table = make_table(products, kinds)
    appeal = (np.arange(products) // kinds + 1.0) ** -0.8
    rows = []
    for visitor in range(visitors):
        liked = rng.choice(kinds, 2, replace=False)
        weights = appeal * np.where(np.isin(np.arange(products) % kinds, liked), 1.0, 0.05)
        staples = rng.choice(products, 3, replace=False, p=weights / weights.sum())
        for week in range(weeks):
            basket = set(rng.choice(products, 3, p=weights / weights.sum()).tolist())
            basket |= {int(staple) for staple in staples if rng.random() < 0.5}
            day = 7 * week + int(rng.integers(7))
            rows += [(visitor, product, day) for product in sorted(basket)]
    return table, make_events(rows)
