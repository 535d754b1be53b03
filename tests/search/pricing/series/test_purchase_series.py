"""Weekly series from purchases: prices, units, whole weeks, goods by weight, promotions."""

import csv
import gzip
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from catalog.errors import BadFeed
from search.pricing.series.promotions_file import read_promotions
from search.pricing.series.purchase_series import read_purchase_series
from search.pricing.series.weekly_prices import PromotionCalendar, week_of, week_start

MONDAY = datetime(2026, 1, 5, tzinfo=timezone.utc)
WEEKS = range(week_of(int(MONDAY.timestamp())), week_of(int(MONDAY.timestamp())) + 10)


def write(path, header, rows):
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def purchase(day, product, price, quantity=1, visitor="a"):
    return [visitor, (MONDAY + timedelta(days=day)).isoformat(), "purchase", product, quantity, price]


@pytest.fixture
def read(tmp_path):
    def read(rows, promotions=None, products=("milk", "ham")):
        header = ["visitor", "time", "type", "product_id", "quantity", "price"]
        events = write(tmp_path / "events.csv.gz", header, sorted(rows, key=lambda row: row[1]))
        table = [[name, name.title(), "Food > Fresh", "Maker", "2.00"] for name in products]
        shop = write(tmp_path / "products.csv", ["id", "title", "category", "brand", "price"], table)
        return read_purchase_series(events, shop, promotions)

    return read


def every_week(weeks, product="milk", price=2.0):
    return [purchase(7 * week + day, product, price) for week in range(weeks) for day in (0, 6)]


def test_a_week_costs_the_median_of_what_was_paid(read):
    series = read([*every_week(2), purchase(1, "milk", 1.0), purchase(2, "milk", 1.5), purchase(3, "milk", 1.5)])
    assert series.weekly.prices[0].tolist() == [1.5, 2.0]
    assert series.weekly.units[0].tolist() == [5, 2]
    assert week_start(series.weekly.first) == MONDAY.timestamp()


def test_weeks_without_a_sale_have_no_price_and_no_units(read):
    weekly = read([*every_week(4), purchase(7, "ham", 3.0, quantity=2), purchase(21, "ham", 2.5)]).weekly
    np.testing.assert_array_equal(weekly.prices[1], np.array([np.nan, 3, np.nan, 2.5], np.float32))
    np.testing.assert_array_equal(weekly.units[1], np.array([np.nan, 2, 0, 1], np.float32))
    assert weekly.last_known(3)[1] == 3 and np.isnan(weekly.last_known(1)[1])


def test_weeks_that_the_log_covers_in_part_are_left_out(read):
    weekly = read([purchase(-1, "milk", 9.0), *every_week(3), purchase(22, "milk", 9.0)]).weekly
    assert weekly.prices[0].tolist() == [2, 2, 2]


def test_a_list_price_counts_once_the_weeks_are_over_that_it_comes_from(read):
    list_prices = read(every_week(10)).weekly.list_prices[0]
    assert np.isnan(list_prices[:8]).all() and list_prices[8:].tolist() == [2, 2]


def test_goods_by_weight_are_recognised_and_left_out(read):
    weights = [purchase(day, "ham", 2 + day / 50) for day in range(28)]
    stores = [purchase(day, "milk", 2.0 if day % 3 else 1.8) for day in range(28)]
    series = read([*weights, *stores])
    assert series.by_weight.tolist() == [False, True]
    assert series.most_bought(10, 4).product_ids == ["milk"]


def test_products_bought_in_few_weeks_are_left_out(read):
    series = read([*every_week(5), *every_week(3, "ham")])
    assert series.most_bought(10, 4).product_ids == ["milk"]
    assert series.most_bought(10, 3).product_ids == ["milk", "ham"]


def test_a_log_without_a_whole_week_is_refused(read):
    with pytest.raises(BadFeed, match="no whole week"):
        read([purchase(1, "milk", 1.0), purchase(3, "milk", 1.0)])


def test_promotions_are_read_for_the_weeks_of_the_series(read, tmp_path):
    rows = [["milk", "2026-01-14", 0.5, 0.1], ["milk", "2026-01-12", 0.2, 0.3], ["unknown", "2026-01-12", 1, 1]]
    file = write(tmp_path / "promotions.csv.gz", ["product_id", "week_start", "mailer_share", "display_share"], rows)
    weekly = read(every_week(3), file).weekly
    planned = weekly.calendar.between(weekly.first, weekly.first + 5)
    np.testing.assert_allclose(planned[0], [[0, 0], [0.5, 0.3], [0, 0], [0, 0], [0, 0]])
    assert not planned[1].any()
    np.testing.assert_allclose(
        weekly.rows(np.array([1, 0])).calendar.between(weekly.first + 1, weekly.first + 2)[1], [[0.5, 0.3]]
    )


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["milk", "tomorrow", 0.5, 0], "line 2: week_start 'tomorrow' is no date"),
        (["milk", "2026-01-12", 1.5, 0], "line 2: mailer_share '1.5' is no share"),
        (["milk", "2026-01-12", 0, "nan"], "line 2: display_share 'nan' is no share"),
    ],
)
def test_bad_promotions_are_refused_with_their_line(tmp_path, row, reason):
    file = write(tmp_path / "p.csv", ["product_id", "week_start", "mailer_share", "display_share"], [row])
    with pytest.raises(BadFeed, match=reason):
        read_promotions(file, ["milk"], WEEKS)


def test_no_promotions_are_none(tmp_path):
    file = write(tmp_path / "p.csv", ["product_id", "week_start", "mailer_share", "display_share"], [])
    assert not read_promotions(file, ["milk"], WEEKS).between(10, 12).any()
    assert PromotionCalendar(5, np.ones((1, 2, 2), np.float32)).between(0, 3).shape == (1, 3, 2)


def test_weeks_begin_on_monday_in_utc():
    assert week_start(0) == datetime(1970, 1, 5, tzinfo=timezone.utc).timestamp()
    assert week_of(week_start(7)) == 7 and week_of(week_start(7) - 1) == 6


def test_a_mistyped_year_does_not_lengthen_the_calendar(tmp_path):
    header = ["product_id", "week_start", "mailer_share", "display_share"]
    rows = [["milk", day, 1, 0] for day in ("2026-01-12", "2206-01-12", "1926-01-12")]
    calendar = read_promotions(write(tmp_path / "p.csv", header, rows), ["milk"], WEEKS)
    assert calendar.shares.shape == (1, 1, 2) and calendar.first == WEEKS.start + 1
