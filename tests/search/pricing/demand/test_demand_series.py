"""What a shop's demand is fitted on: the prices of its history, and before it what customers paid."""

import time
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from functools import partial

import numpy as np
import pytest
from click.testing import CliRunner

from catalog.home import ShopHome
from catalog.product import Product
from catalog.storage import price_rows
from catalog.storage.catalogue import Catalogue
from search.__main__ import main
from search.pricing.demand.demand_model import DemandModel
from search.pricing.demand.demand_series import PriceRecord, demand_series, with_paid_prices
from search.pricing.demand.fit_demand import fit_demand
from search.pricing.demand.price_adviser import PriceAdviser
from search.pricing.series.purchase_series import PurchaseSeries
from search.pricing.series.shop_series import shop_series
from search.pricing.series.weekly_prices import WeeklyPrices, week_of, week_start
from search.recommend.events.event_log import Event, EventLog
from search.recommend.events.retention import EventLimits

FIRST, WEEKS = 2_900, 30
HISTORY = FIRST + 24  # the week in which the history of prices begins
MUGS = [Product(f"mug{n}", "Mug", (), "Home > Mugs", Decimal("10.00"), "EUR") for n in range(12)]


def paid(week, n):
    """Every third week a mug costs 7."""
    return 7.0 if (week + n) % 3 == 0 else 10.0


def sell(home, first):
    """Log what was bought in WEEKS weeks from the week `first` on, of which FIRST is one."""
    rng = np.random.default_rng(1)
    with closing(EventLog.open(home, EventLimits(days=0))) as log:
        for week in range(WEEKS):
            events = [
                Event("purchase", mug.id, f"v{rng.integers(100)}", quantity=1.0, price=paid(FIRST + week, n))
                for n, mug in enumerate(MUGS)
                for _ in range(rng.poisson(4.0 * (paid(FIRST + week, n) / 10) ** -2.5))
            ]
            log.add(events, week_start(first + week) + 3_600)
            log.add([Event("view", "mug0", "v1")], week_start(first + week + 1) - 3_600)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A shop that sold for 24 weeks before its history of prices begins, and six after."""
    home = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch, closing(Catalogue.open(ShopHome(home).catalogue)) as catalogue:
        for week in range(HISTORY, FIRST + WEEKS):
            patch.setattr(price_rows.time, "time", lambda week=week: week_start(week))
            catalogue.put([replace(mug, price=Decimal(str(paid(week, n)))) for n, mug in enumerate(MUGS)])
    sell(home, FIRST)
    return home


def test_prices_before_the_history_are_those_that_were_paid(home):
    now = week_start(FIRST + WEEKS) - 60
    weekly = demand_series(home, lambda home: shop_series(home, now), now)
    assert (weekly.first, weekly.weeks) == (FIRST, WEEKS - 1)  # the last week is not over
    for n, prices in enumerate(weekly.prices):
        expected = np.array([paid(FIRST + week, n) for week in range(WEEKS - 1)])
        known = ~np.isnan(prices)
        assert known[HISTORY - FIRST :].all() and known.mean() > 0.9
        assert prices[known] == pytest.approx(expected[known])
    assert np.nansum(weekly.units) > 12 * 29 * 3
    assert (weekly.units[:, 5:] >= 0).all()


def test_what_was_paid_in_another_currency_is_no_price(tmp_path):
    mugs = [replace(mug, currency="DKK", price=mug.price * 7) for mug in MUGS]
    with pytest.MonkeyPatch.context() as patch, closing(Catalogue.open(ShopHome(tmp_path).catalogue)) as catalogue:
        patch.setattr(price_rows.time, "time", lambda: week_start(FIRST))
        catalogue.put(mugs)
        patch.setattr(price_rows.time, "time", lambda: week_start(HISTORY) - 3_600)  # an hour of that week was in euros
        catalogue.put([*MUGS[:-1], replace(mugs[-1], price=Decimal(60))])
    sell(tmp_path, FIRST)
    now = week_start(FIRST + WEEKS)
    prices = demand_series(tmp_path, lambda home: shop_series(home, now), now).prices
    assert np.isnan(prices[:-1, : HISTORY - FIRST - 1]).all()
    assert prices[:-1, HISTORY - FIRST :] == pytest.approx(10.0)
    assert prices[-1, : HISTORY - FIRST - 1] == pytest.approx(70.0)


def paid_weekly(count=200, weeks=60, rate=0.3):
    """Return what a log of purchases says of slow sellers, and the series of a shop that has recorded no price."""
    rng = np.random.default_rng(0)
    prices = np.where(rng.random((count, weeks)) < 0.2, 8.0, 10.0)
    units = rng.poisson(rate * (prices / 10) ** -2.0).astype(np.float32)
    paid_prices = np.where(units > 0, prices, np.nan).astype(np.float32)
    nothing, ids = np.full_like(paid_prices, np.nan), [f"p{n}" for n in range(count)]
    log = WeeklyPrices(FIRST, ids, ["A"] * count, [""] * count, paid_prices, nothing, units)
    zeros = np.zeros(count, np.int64)
    shop = replace(log, prices=nothing, units=nothing, currencies=["EUR"] * count)
    return shop, PurchaseSeries(log, zeros, zeros, zeros > 0)


def test_a_week_without_a_sale_before_the_history_has_the_usual_price():
    shop, paid_log = paid_weekly()
    record = PriceRecord.none(len(shop))
    model = DemandModel.fit(with_paid_prices(shop, paid_log, record), unsold="dropped")
    expected, _ = model.expected(np.arange(len(shop)), np.zeros((len(shop), 1)))
    assert 0.2 < expected.mean() < 0.45  # 0.3 units a week at 10


def test_a_recorded_week_without_an_offer_stays_out():
    shop, paid_log = paid_weekly(count=1, rate=1.0)
    begun = FIRST + 30
    prices = shop.prices.copy()
    prices[:, 50:] = 12.0  # on record since week 30, on offer since week 50
    record = replace(PriceRecord.none(1), begun=np.array([begun]))
    found = with_paid_prices(replace(shop, prices=prices), paid_log, record)
    sold, unsold = paid_log.weekly.units[0] > 0, paid_log.weekly.units[0] == 0
    assert found.prices[0, :30][unsold[:30]] == pytest.approx(10.0)
    assert np.isnan(found.prices[0, 30:50][unsold[30:50]]).all()
    assert found.prices[0, :50][sold[:50]] == pytest.approx(paid_log.weekly.prices[0, :50][sold[:50]])
    assert (found.prices[0, 50:] == 12).all()


def test_a_shop_without_sales_has_prices_alone(tmp_path):
    with closing(Catalogue.open(ShopHome(tmp_path).catalogue)) as catalogue:
        catalogue.put(MUGS)
    assert len(demand_series(tmp_path)) == 12
    assert fit_demand(tmp_path).reason == "too_few_sales"


def test_a_shop_is_fitted_and_advised(home):
    now = week_start(FIRST + WEEKS)
    read = partial(shop_series, now=now)
    report = fit_demand(home, read, now)
    assert (report.outcome, report.weeks) == ("stored", WEEKS)
    assert report.elasticity == pytest.approx(-2.5, abs=0.6)
    (home / "promotions.csv").write_text("product_id,week_start,mailer_share,display_share\n")
    fit_demand(home, read, now)
    found = PriceAdviser(home).advise(MUGS[0])
    assert (found.verdict, found.reason, found.promotions_known) == ("lower", "demand_is_elastic", True)
    assert found.suggested < 10


def test_the_command_fits_demand_although_the_history_is_too_short_for_forecasts(tmp_path):
    with closing(Catalogue.open(ShopHome(tmp_path).catalogue)) as catalogue:
        catalogue.put(MUGS)
    run = partial(CliRunner().invoke, main, ["prices", "fit", "--home", str(tmp_path)])
    assert "No model of demand is stored: 0 units in 0 weeks were sold" in run().output
    sell(tmp_path, week_of(int(time.time())) - WEEKS - 20)  # the log ended 20 weeks ago
    result = run()
    assert result.exit_code == 1 and "not enough history" in result.output
    assert "Version 1 of the model of demand knows 12 products." in result.output
    found = PriceAdviser(tmp_path).advise(MUGS[0])
    assert found.elasticity.value < -1.5 and "old_sales" in found.cautions
