"""The invented past of the sample shop's prices: the same every time, and true to the feed at its end."""

import csv
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from itertools import groupby, pairwise

import pytest

from catalog import sample
from catalog.sample.past_prices import HEADER, ON_SALE_DAYS, past_prices

NOW = datetime(2026, 11, 30, 12, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def feed():
    with (sample.SAMPLE_FOLDER / "products.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_past_is_the_same_every_time_and_goes_forward(feed):
    rows = list(past_prices(feed, NOW))
    assert rows == list(past_prices(feed, NOW)) and len(HEADER) == len(rows[0])
    for _, found in groupby(rows, lambda row: row[0]):
        times = [datetime.fromisoformat(row[1].replace("Z", "+00:00")) for row in found]
        assert all(before < after for before, after in pairwise(times)) and times[-1] < NOW


def test_a_past_ends_with_what_the_feed_says(feed):
    last = {row[0]: row for row in past_prices(feed, NOW)}
    assert {row["id"] for row in feed if row["list_price"]} < last.keys()
    for row in feed:
        if row["id"] in last:
            _, time, price, list_price, currency = last[row["id"]]
            assert f"{price} {currency}" == row["price"]
            assert (f"{list_price} {currency}" if list_price else "") == row["list_price"]
            if list_price:
                assert datetime.fromisoformat(time.replace("Z", "+00:00")) == NOW - timedelta(days=ON_SALE_DAYS)


def test_every_price_is_a_shop_s_and_every_promotion_is_cheaper(feed):
    for _, _, price, list_price, _ in past_prices(feed, NOW):
        assert price.endswith(".90") and (not list_price or 0 < Decimal(price) < Decimal(list_price))
