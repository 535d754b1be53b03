"""A fit chooses a forecaster by the shop's own past, stores all forecasts, and survives being killed anywhere."""

import json
import os
import shutil
from contextlib import closing
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from catalog.errors import TooLittleHistory, TrainingError
from catalog.files.failpoints import KILLED, VARIABLE
from catalog.home import ShopHome
from catalog.product import Product
from catalog.storage import price_rows
from catalog.storage.catalogue import Catalogue
from search.pricing.flags import drop_model
from search.pricing.forecasting import boosted
from search.pricing.learning import fit_steps, fit_work, price_store
from search.pricing.learning.price_fit import fit_prices
from search.pricing.learning.price_fit_report import last_price_fit
from search.pricing.learning.price_models import PriceModels
from search.pricing.learning.price_store import price_fit_lock, price_fit_progress, price_versions, serving_forecasts
from search.pricing.learning.shop_forecasters import shop_price_options
from search.pricing.series.shop_series import shop_series
from search.pricing.series.weekly_prices import week_start
from search.recommend.events.event_log import Event, EventLog
from search.recommend.events.retention import EventLimits
from tests.search.pricing.drawn_series import drawn_series
from tests.search.pricing.learning.forecasters import (
    FIRST,
    WEEKS,
    Calendar,
    Cycles,
    Falling,
    Narrow,
    drawn_prices,
    options,
    with_calendar,
)

NOW = week_start(FIRST + WEEKS)  # the first second that is forecast
# The steps of a fit, each of which may be the last of a process, and how much is found again: 2 forecasters at 5
# moments, 2 models, and 4 chunks.
STEPS = {
    "prices.measured": 1,
    "prices.fitted": 11,
    "prices.chunk": 13,
    "prices.forecast": 16,
    "seal.manifest-written": 16,
    "pointer.moved": 16,
}


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(fit_work, "CHUNK_PRODUCTS", 10)


def served(home):
    return serving_forecasts(home).models.manifest


def killed_at(home, point, fitted):
    """Fit in a process that ends at a failpoint."""
    child = os.fork()
    if child == 0:
        os.environ[VARIABLE] = f"{point}:exit"
        fit_prices(home, fitted)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED


def test_the_forecaster_that_is_right_about_this_shop_is_chosen(tmp_path):
    weekly = drawn_prices()
    report = fit_prices(tmp_path, options(weekly, Cycles, Narrow, drops=Falling))
    assert (report.outcome, report.reason, report.forecaster, report.version) == ("stored", "best", "cycles", 1)
    assert report.figures["cycles"]["pinball_ratio_relative"] < 0.2 and report.figures["cycles"]["coverage_80"] == 1
    assert report.figures["narrow"]["coverage_80"] < 0.2  # half a cent is much for cheap products
    assert report.decisive.against == "naive" and report.decisive.high < 0
    assert last_price_fit(tmp_path)["message"] == report.message
    assert "best on this shop's past prices. Mean pinball loss of cycles" in report.message
    found = PriceModels.open(tmp_path).forecast("p7", now=NOW)
    assert [week.week for week in found.weeks] == [FIRST + WEEKS + ahead for ahead in range(4)]
    np.testing.assert_allclose([week.middle for week in found.weeks], weekly.prices[7, -4:], rtol=1e-6)
    assert found.model == "cycles" and not found.flat
    assert PriceModels.open(tmp_path).drop_probability("p7", NOW) == pytest.approx(0.25, abs=0.02)
    assert not ShopHome(tmp_path).prices_work.exists()


def test_where_prices_stay_no_forecaster_takes_the_place_of_naive(tmp_path):
    report = fit_prices(tmp_path, options(drawn_prices(promoted=False), Cycles))
    assert (report.reason, report.forecaster, report.products) == ("not_better_than_naive", "naive", 40)
    assert (
        report.figures["naive"]["pinball_ratio_relative"] is None
    )  # nothing changed, so there is nothing to divide by
    assert PriceModels.open(tmp_path).forecast("p3", now=NOW).flat


def test_a_forecaster_whose_ranges_hold_too_few_prices_is_not_served(tmp_path):
    narrow = options(drawn_prices(), Narrow)
    first = fit_prices(tmp_path, options(drawn_prices(), Cycles))
    without_naive = type(narrow)(narrow.read_series, {"naive": Narrow, "narrow": Narrow})
    report = fit_prices(tmp_path, without_naive)
    assert (report.outcome, report.reason, report.version) == ("not_stored", "ranges_too_narrow", None)
    assert served(tmp_path).version == first.version


def test_what_needs_a_calendar_is_measured_only_where_promotions_are_planned_ahead(tmp_path):
    weekly = drawn_prices()
    assert "calendar" not in fit_prices(tmp_path, options(weekly, Calendar)).figures
    old = with_calendar(weekly, FIRST + WEEKS)
    assert "calendar" not in fit_prices(tmp_path, options(old, Calendar)).figures
    ahead = with_calendar(weekly, FIRST + WEEKS + 2)
    assert "calendar" in fit_prices(tmp_path, options(ahead, Calendar)).figures


def test_too_little_history_gives_no_forecasts_and_says_how_much_is_missing(tmp_path):
    weekly = drawn_prices(weeks=7)
    with pytest.raises(TooLittleHistory, match=r"not enough history of prices: 7 of 20 weeks. Fit again in 13 weeks"):
        fit_prices(tmp_path, options(weekly))
    assert last_price_fit(tmp_path)["outcome"] == "too_little_history"
    assert PriceModels.open(tmp_path).forecast("p1") is None
    with pytest.raises(TooLittleHistory, match="No product of the shop has a price"):
        fit_prices(tmp_path, options(weekly.rows(np.zeros(40, bool))))
    weekly = drawn_prices(weeks=40)
    weekly.prices[5:, :28] = np.nan  # five old products say nothing about the others
    with pytest.raises(TooLittleHistory, match="12 of 20 weeks"):
        fit_prices(tmp_path, options(weekly))


def test_products_without_a_known_price_have_no_forecast(tmp_path):
    weekly = drawn_prices()
    weekly.prices[4] = np.nan
    assert fit_prices(tmp_path, options(weekly)).products == 39
    models = PriceModels.open(tmp_path)
    assert models.forecast("p4", now=NOW) is None and models.forecast("p5", now=NOW) is not None


@pytest.fixture(scope="module")
def first_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("first")
    fit_prices(home, options(drawn_prices(), Cycles, drops=Falling))
    return home


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The forecasts that a fit gives which nobody kills."""
    home = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit_work, "CHUNK_PRODUCTS", 10)
        fit_prices(home, options(drawn_prices(seed=1), Cycles, drops=Falling))
    return serving_forecasts(home).models.table


@pytest.mark.promise("R2", "every step of a fit of price forecasts")
@pytest.mark.parametrize("point", STEPS)
def test_a_killed_fit_leaves_whole_forecasts_and_the_next_goes_on(
    tmp_path, small_chunks, first_home, undisturbed, point
):
    home = tmp_path / "home"
    shutil.copytree(first_home, home)
    new = options(drawn_prices(seed=1), Cycles, drops=Falling)
    killed_at(home, point, new)
    serving = serving_forecasts(home)
    assert serving.degraded == "" and serving.version == (2 if point == "pointer.moved" else 1)
    progress = price_fit_progress(home)
    assert not progress.is_fitting() and progress.interrupted()["total"] == 2 * 5 + 2 + 4 + 1
    again = fit_prices(home, new)
    assert again.reused == STEPS[point]
    assert served(home).version == again.version
    assert progress.interrupted() is None and not ShopHome(home).prices_work.exists()
    table = serving_forecasts(home).models.table
    for name in ("forecasts", "drop_probabilities", "id_bytes"):
        np.testing.assert_array_equal(getattr(table, name), getattr(undisturbed, name))


def test_results_of_other_prices_and_damaged_ones_are_computed_again(tmp_path, small_chunks):
    new = options(drawn_prices(), Cycles)
    killed_at(tmp_path, "prices.forecast", new)
    chunks = sorted(ShopHome(tmp_path).prices_work.glob("chunk-*.npz"))
    assert len(chunks) == 4
    chunks[0].write_bytes(chunks[0].read_bytes()[:-40])
    prices = drawn_prices()
    assert fit_prices(tmp_path, new).reused == 10 + 1 + 3
    killed_at(tmp_path, "prices.forecast", new)
    prices.prices[7, -1] *= 0.9
    assert fit_prices(tmp_path, options(prices, Cycles)).reused == 3  # the ratios stay, and three chunks


def test_sales_of_a_live_shop_leave_the_results_of_a_killed_fit(tmp_path, monkeypatch):
    now = week_start(FIRST + 30) - 3_600
    with closing(Catalogue.open(ShopHome(tmp_path).catalogue)) as catalogue:
        for week in range(30):
            monkeypatch.setattr(price_rows.time, "time", lambda week=week: week_start(FIRST + week))
            mugs = [Product(f"m{n}", "Mug", (), price=Decimal(8 if (week + n) % 4 else 6)) for n in range(12)]
            catalogue.put(mugs)
    monkeypatch.undo()
    sold = [Event("purchase", "m1", "ann", quantity=1)]
    with closing(EventLog.open(tmp_path, EventLimits(0, 0))) as log:
        log.add(sold, now=week_start(FIRST + 20))
    read = replace(options(None, Cycles), read_series=lambda home: shop_series(home, now))
    killed_at(tmp_path, "prices.forecast", read)
    with closing(EventLog.open(tmp_path, EventLimits(0, 0))) as log:
        log.add(sold, now=now - 60)
    assert fit_prices(tmp_path, read).reused == 2 * 4 + 1 + 1  # at four moments, the model, the chunk


def read_ids(weekly, chunk):
    return {weekly.product_ids[row] for row in fit_work.chunks_of(weekly)[chunk]}


def test_in_large_shops_one_fit_is_measured_at_all_origins(tmp_path, monkeypatch):
    monkeypatch.setattr(fit_steps, "REFITTED_ROWS", 1_000)
    weekly = drawn_prices()
    killed_at(tmp_path, "prices.forecast", options(weekly, Cycles))
    assert len(list(ShopHome(tmp_path).prices_work.glob("losses-*.npz"))) == 2
    report = fit_prices(tmp_path, options(weekly, Cycles))
    assert report.reused == 2 + 1 + 1 and report.forecaster == "cycles"
    assert report.figures["cycles"]["forecasts"] == 40 * 5 * 4


def test_a_product_that_comes_changes_one_chunk(small_chunks):
    weekly = drawn_prices()
    before = {frozenset(read_ids(weekly, chunk)) for chunk in range(4)}
    more = drawn_prices(products=40).rows(np.arange(39))
    after = {frozenset(read_ids(more, chunk)) for chunk in range(4)}
    assert len(before & after) == 3


def test_three_versions_stay_and_two_fits_at_once_are_refused(tmp_path, monkeypatch):
    for _ in range(4):
        fit_prices(tmp_path, options(drawn_prices()))
    assert price_versions(tmp_path).numbers() == [2, 3, 4]
    monkeypatch.setattr(price_store, "LOCK_TIMEOUT_S", 0.05)
    with price_fit_lock(tmp_path), pytest.raises(TrainingError, match="Another fit"):
        fit_prices(tmp_path, options(drawn_prices()))


def test_a_fit_that_fails_leaves_the_served_forecasts_and_says_why(tmp_path):
    class Fails(Cycles):
        def fit(self, weekly, end):
            raise RuntimeError("no")

    fit_prices(tmp_path, options(drawn_prices()))
    with pytest.raises(RuntimeError):
        fit_prices(tmp_path, options(drawn_prices(), Fails))
    assert json.loads(ShopHome(tmp_path).prices_report.read_text())["outcome"] == "failed"
    assert served(tmp_path).version == 1


def test_what_shops_fit_is_stored_and_served(tmp_path, monkeypatch):
    """The real forecasters, save the boosted trees, which take many seconds, and a short model of falling prices."""
    monkeypatch.setitem(drop_model.SETTINGS, "max_iter", 20)
    weekly = drawn_prices(100, 40)
    real = shop_price_options()
    few = {name: real.forecasters[name] for name in ("naive", "ridge")}
    fitted = replace(real, read_series=lambda home: weekly, forecasters=few)
    report = fit_prices(tmp_path, fitted)
    assert report.products == 100
    assert report.figures["naive"]["coverage_80"] > 0.7
    assert set(real.forecasters) == {"naive", "ridge", "ridge_calendar", "boosted", "boosted_calendar"}
    models = PriceModels.open(tmp_path)
    now = week_start(FIRST + 40)
    reduced = np.isclose(weekly.prices[:, -4], weekly.prices[:, -1] * 0.8)  # four weeks ago, so again next week
    before_promotion = weekly.product_ids[int(np.flatnonzero(reduced)[0])]
    assert 0 < models.drop_probability(before_promotion, now) < 1
    assert len(models.forecast(before_promotion, now=now).weeks) == 4


@pytest.mark.parametrize("weeks", [20, 24, 33])
def test_every_forecaster_can_be_fitted_in_a_young_shop(weeks, tmp_path, monkeypatch):
    monkeypatch.setitem(drop_model.SETTINGS, "max_iter", 2)
    monkeypatch.setitem(boosted.SETTINGS, "max_iter", 2)
    monkeypatch.setitem(boosted.SETTINGS, "max_leaf_nodes", 4)
    weekly = drawn_series(36, weeks)
    weekly.prices[np.isnan(weekly.prices)] = 5  # each week is known
    real = shop_price_options()
    report = fit_prices(tmp_path, replace(real, read_series=lambda home: weekly))
    assert set(report.figures) == set(real.forecasters)
    assert (report.outcome, report.products) == ("stored", 36)
