"""Weekly series of a shop: the price that was in force longest, in one currency, with what was sold."""

from contextlib import closing
from decimal import Decimal

import numpy as np
import pytest

from catalog.home import ShopHome
from catalog.product import Product
from catalog.storage import price_rows
from catalog.storage.catalogue import Catalogue
from search.pricing.demand.demand_series import demand_series
from search.pricing.series.shop_series import MAX_WEEKS, shop_series
from search.pricing.series.weekly_prices import week_of, week_start
from search.recommend.events.event_log import Event, EventLog
from search.recommend.events.retention import EventLimits

FIRST = 2_900
DAY_S = 86_400


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Puts products at a time: `day` 0 is the Monday of the week FIRST."""
    catalogue = Catalogue.open(ShopHome(tmp_path).catalogue)

    def put(day, product_id, price, **fields):
        monkeypatch.setattr(price_rows.time, "time", lambda: week_start(FIRST) + int(day * DAY_S))
        price = None if price is None else Decimal(price)
        values = {"currency": "EUR", "category": "Shop > Mugs"} | fields
        catalogue.put([Product(product_id, product_id, (), price=price, **values)])

    def remove(day, product_id):
        monkeypatch.setattr(price_rows.time, "time", lambda: week_start(FIRST) + int(day * DAY_S))
        catalogue.remove([product_id])

    def read(day):
        return shop_series(tmp_path, week_start(FIRST) + int(day * DAY_S))

    put.remove, put.read, put.home = remove, read, tmp_path
    with closing(catalogue):
        yield put


def prices(weekly, product_id="mug"):
    return [
        None if np.isnan(price) else round(float(price), 2)
        for price in weekly.prices[weekly.product_ids.index(product_id)]
    ]


def test_the_price_of_a_week_is_the_one_in_force_longest_and_of_this_week_the_one_of_now(shop):
    shop(0, "mug", "10")
    shop(8, "mug", "8")  # Tuesday of the second week: 6 of 7 days
    shop(19, "mug", "9")  # Saturday of the third: 8 was in force longer
    shop(29, "mug", "7")  # Tuesday of the fifth, which is this week
    weekly = shop.read(29.5)
    assert (weekly.first, weekly.weeks) == (FIRST, 5)
    assert prices(weekly) == [10, 8, 8, 9, 7]
    assert weekly.categories == ["Shop > Mugs"] and weekly.currencies == ["EUR"]
    assert np.isnan(weekly.units).all() and weekly.calendar is None


def test_a_price_that_comes_twice_in_a_week_counts_together(shop):
    for day, price in ((0, "10"), (2, "5"), (5, "10")):
        shop(day, "mug", price)
    assert prices(shop.read(8)) == [10, 10]
    for day, price in ((7, "4"), (9, "6"), (10, "4"), (12, "6")):
        shop(day, "mug", price)
    assert prices(shop.read(15)) == [10, 4, 6]


def test_the_lowest_price_of_a_week_is_one_of_a_day_too(shop):
    for day, price in ((0, "10"), (11, "8"), (12, "10"), (15, "9"), (16, "10")):
        shop(day, "mug", price)
    shop(17, "mug", "5", in_stock=False)
    shop(18, "mug", "10")
    weekly = shop.read(19)
    assert prices(weekly) == [10, 10, 10] and weekly.lows.tolist() == [[10, 8, 9]]
    assert weekly.last_runs and weekly.whole_before(3) == weekly.whole_before(2) == 2
    assert weekly.rows(np.array([0])).lows.tolist() == [[10, 8, 9]]


def test_prices_of_a_clock_that_was_ahead_are_those_of_now(shop):
    shop(0, "mug", "10")
    shop(8, "mug", "9")
    shop(400, "mug", "8")
    assert prices(shop.read(15)) == [10, 9, 8]
    shop(15, "mug", "7")  # recorded at the time of the change before it
    assert prices(shop.read(15.5)) == [10, 9, 7]
    shop(15.6, "mug", "7", in_stock=False)
    assert prices(shop.read(15.7)) == [10, 9, 9]


def test_what_is_not_offered_has_no_price(shop):
    shop(0, "mug", "10")
    shop(7, "mug", "9", in_stock=False)
    shop(14, "mug", "8")
    shop(21, "mug", "0")
    shop(28, "mug", None)
    shop(35, "mug", "7")
    assert prices(shop.read(36)) == [10, None, 8, None, None, 7]


def test_a_product_that_left_and_came_back_has_one_history_and_one_that_is_gone_none(shop):
    shop(0, "mug", "10")
    shop(0, "jug", "20")
    shop.remove(7, "mug")
    shop.remove(7, "jug")
    shop(21, "mug", "12")
    weekly = shop.read(22)
    assert list(weekly.product_ids) == ["mug"]
    assert prices(weekly) == [10, None, None, 12]


def test_prices_before_a_change_of_currency_are_left_out(shop):
    shop(0, "mug", "10")
    shop(14, "mug", "11", currency="USD")
    shop(21, "mug", "12", currency="USD")
    weekly = shop.read(22)
    assert weekly.first == FIRST + 2 and prices(weekly) == [11, 12] and weekly.currencies == ["USD"]


def test_list_prices_go_with_the_price(shop):
    shop(0, "mug", "10")
    shop(7, "mug", "8", list_price=Decimal(10))
    weekly = shop.read(8)
    np.testing.assert_array_equal(weekly.list_prices[0], [np.nan, 10])


def test_old_prices_are_cut_off_and_the_one_in_force_then_stays(shop):
    shop(0, "mug", "10")
    shop(7 * (MAX_WEEKS + 9), "mug", "9")
    weekly = shop.read(7 * (MAX_WEEKS + 9) + 1)
    assert weekly.weeks == MAX_WEEKS and weekly.first == FIRST + 10
    assert prices(weekly) == [10] * (MAX_WEEKS - 1) + [9]


def test_units_are_what_was_bought_from_the_first_sale_on(shop):
    shop(0, "mug", "10")
    shop(0, "jug", "20")
    with closing(EventLog.open(shop.home, EventLimits(0, 0))) as log:
        for day, units in ((8, 2), (10, 1), (22, 4)):
            log.add([Event("purchase", "mug", "ann", quantity=units)], now=week_start(FIRST) + day * DAY_S)
        log.add([Event("view", "jug", "ann")], now=week_start(FIRST) + 9 * DAY_S)
    units = shop.read(28).units
    np.testing.assert_array_equal(units, [[np.nan, 3, 0, 4, np.nan], [np.nan] * 5])


def test_units_of_weeks_with_little_of_an_offer_are_not_known(shop):
    shop(4, "mug", "10")  # Friday of the first week
    shop(14, "mug", "9")
    shop(16, "mug", "9", in_stock=False)
    shop(18, "mug", "9")  # two days of the third week without an offer
    shop(22, "mug", "9", in_stock=False)
    shop(22.5, "mug", "8")  # half a day of the fourth
    with closing(EventLog.open(shop.home, EventLimits(0, 0))) as log:
        for day in (5, 8, 15, 29):
            log.add([Event("purchase", "mug", "ann", quantity=2, price=9)], now=week_start(FIRST) + day * DAY_S)
    now = week_start(FIRST + 5) + DAY_S
    weekly = shop.read(36)
    assert prices(weekly) == [10, 10, 9, 8, 8, 8]
    np.testing.assert_array_equal(weekly.units, [[np.nan, 2, np.nan, 0, 2, np.nan]])
    demand = demand_series(shop.home, lambda home: shop_series(home, now), now)
    np.testing.assert_array_equal(demand.units, weekly.units[:, :-1])  # nor from what the log says of these weeks


def test_a_product_that_sold_before_its_prices_were_known_sells_nothing_in_weeks_without_a_sale(shop):
    with closing(EventLog.open(shop.home, EventLimits(0, 0))) as log:
        log.add([Event("purchase", "mug", "ann", quantity=2)], now=week_start(FIRST) - DAY_S)
    shop(0, "mug", "10")
    np.testing.assert_array_equal(shop.read(15).units, [[0, 0, np.nan]])


def test_units_of_this_week_are_not_known_before_it_is_over(shop):
    shop(0, "mug", "10")
    with closing(EventLog.open(shop.home, EventLimits(0, 0))) as log:
        for day in (8, 22):
            log.add([Event("purchase", "mug", "ann", quantity=2, price=9)], now=week_start(FIRST) + day * DAY_S)
    np.testing.assert_array_equal(shop.read(23).units, [[np.nan, 2, 0, np.nan]])


def test_the_calendar_is_read_from_the_shops_file(shop):
    shop(0, "mug", "10")
    shop.home.joinpath("promotions.csv").write_text(
        "product_id,week_start,mailer_share,display_share\nmug,2025-09-01,1,0\nother,2025-09-01,1,0\n"
    )
    weekly = shop.read(8)
    week = week_of(1_756_684_800)  # 2025-09-01
    np.testing.assert_array_equal(weekly.calendar.between(week - 1, week + 1)[0], [[0, 0], [1, 0]])


def test_a_shop_without_prices_has_series_of_nothing(shop):
    assert len(shop.read(8)) == 0
    shop(0, "mug", None)
    assert prices(shop.read(8)) == [None]
