"""What a page says from a history is what the fit measures on the shop's weekly series."""

import random
from contextlib import closing
from decimal import Decimal

import numpy as np

from catalog.home import ShopHome
from catalog.product import Product
from catalog.storage import price_rows
from catalog.storage.catalogue import Catalogue
from search.pricing.flags.history_window import window_of_changes
from search.pricing.flags.rules import PriceWindow
from search.pricing.series.shop_series import shop_series
from search.pricing.series.weekly_prices import week_start

FIRST, DAYS, DAY_S = 2_900, 7 * 20, 86_400


def test_the_weeks_of_a_history_are_those_of_the_shop(tmp_path, monkeypatch):
    rng = random.Random(7)
    start = week_start(FIRST)
    with closing(Catalogue.open(ShopHome(tmp_path).catalogue)) as catalogue:
        for day in range(DAYS):
            monkeypatch.setattr(price_rows.time, "time", lambda at=day: start + at * DAY_S + 3_600)
            changed = [number for number in range(8) if day == 0 or rng.random() < 0.15]
            products = [
                Product(
                    f"p{number}",
                    f"Mug {number}",
                    (),
                    price=rng.choice([None, Decimal(0), Decimal("7.50"), Decimal(8), Decimal("9.25"), Decimal(10)]),
                    currency="USD" if number == 7 and day < 60 else "EUR",
                    in_stock=rng.random() < 0.9,
                )
                for number in changed
            ]
            catalogue.put(products)
            if day % 29 == 28:
                catalogue.remove(["p3"])
        now = start + DAYS * DAY_S - 1
        weekly = shop_series(tmp_path, now)
        windows = PriceWindow.of_weekly(weekly, weekly.weeks)
        compared = 0
        for place, product_id in enumerate(weekly.product_ids):
            window = window_of_changes(catalogue.price_history.changes(product_id), now)
            if window is None:
                assert np.isnan(windows.current[place])
                continue
            compared += 1
            np.testing.assert_array_equal(window.current, windows.current[[place]])
            np.testing.assert_array_equal(window.past, windows.past[[place]])
            assert bool(window.complete[0]) == bool(windows.complete[place])
            this_week = weekly.lows[place, -1]
            assert window.lowest[0] == np.fmin(windows.lowest[place], this_week)  # both have offers of a day
        assert compared >= 4
