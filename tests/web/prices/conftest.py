"""A small shop whose products have a past: prices written into the catalogue as they would have been recorded."""

import time
from decimal import Decimal

import numpy as np
import pytest

from catalog.price_history.price_change import PriceChange
from catalog.storage import price_rows
from catalog.storage.sqlite import open_database, transaction
from search.pricing.learning.forecast_files import ForecastTable
from search.pricing.learning.price_store import PriceForecasts, PriceManifest, price_fit_lock, publish_forecasts
from search.pricing.series.weekly_prices import week_of
from tests.fake_encoder import FakeEncoder
from tests.web.shop_fixtures import WRITER, make_shop
from web.engine import holder_of
from web.settings import Settings

DAY = 86_400
NOW = int(time.time())


def was(days_ago, price, list_price=None, currency="EUR", **more):
    """What a product cost from so many days ago on."""
    before = None if list_price is None else Decimal(list_price)
    return PriceChange(NOW - round(days_ago * DAY), None if price is None else Decimal(price), before, currency, **more)


def write_past(home, product_id, *changes):
    """Put a history in place of that of a product; the product itself stays as it is."""
    db = open_database(home / "catalog.sqlite")
    with transaction(db):
        price_rows.rewrite(db, product_id, [*changes])
    db.close()


def store_forecast(home, product_id, *weeks, last=12.9, currency="EUR", weeks_ago=0):
    """Publish forecasts of one product, from the week of the fit on: the lowest, the middle and the highest price."""
    unknown = np.full(1, np.nan, np.float32)
    table = ForecastTable.of(
        [product_id], [currency], np.array([weeks], np.float32), np.array([last], np.float32), unknown
    )
    now = int(time.time()) - 7 * DAY * weeks_ago  # not NOW: a new week may have begun since the import
    manifest = PriceManifest(0, now - DAY, week_of(now), 60, 1, (currency,), "boosted", {}, {})
    with price_fit_lock(home):
        publish_forecasts(
            home, PriceForecasts(manifest, table), lambda folder: (folder / "model.json").write_text("{}")
        )


@pytest.fixture(scope="module")
def price_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("prices") / "shop"
    make_shop(home, FakeEncoder())
    return home


@pytest.fixture(scope="module")
def price_app(price_home, make_app):
    app = make_app(Settings(home=price_home, timeout_ms=20_000))
    holder_of(app).wait(300)
    return app


@pytest.fixture
def visit(price_app):
    return price_app.test_client()


@pytest.fixture
def reduce(visit):
    """Puts a product on sale, through the API."""

    def put(product_id, price, list_price):
        fields = {"price": price, "list_price": list_price, "currency": "EUR"}
        assert visit.put(f"/api/v1/products/{product_id}", json=fields, headers=WRITER).status_code == 200

    return put
