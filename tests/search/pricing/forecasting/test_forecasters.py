"""Forecasters of prices: what each owes its contract, and what it should learn."""

from dataclasses import replace

import numpy as np
import pytest

from catalog.errors import DamagedStore
from search.pricing.evaluation.rolling_origin import figures, rolling_outcomes
from search.pricing.forecasting import boosted
from search.pricing.forecasting.base import HORIZON
from search.pricing.forecasting.boosted import Boosted, BoostedWithCalendar
from search.pricing.forecasting.conformal import NONE, fit_ranges, fit_sides
from search.pricing.forecasting.features import PriceFeatures, quantiles
from search.pricing.forecasting.measures import origins_of
from search.pricing.forecasting.naive import LastPrice, NaiveRange
from search.pricing.forecasting.price_examples import PriceExamples
from search.pricing.forecasting.ridge import Ridge, RidgeWithCalendar
from search.pricing.forecasting.volatility import CALM, LIVELY, volatility_groups
from search.pricing.series.past_weeks import filled_forward
from tests.search.pricing.drawn_series import drawn_series

STORED = (NaiveRange, Ridge, RidgeWithCalendar, Boosted, BoostedWithCalendar)
SERIES = drawn_series()


@pytest.fixture(scope="module", autouse=True)
def few_trees():
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("max_iter", 20), ("learning_rate", 0.4), ("max_leaf_nodes", 12)):
            patch.setitem(boosted.SETTINGS, name, value)
        yield


@pytest.fixture(scope="module")
def fitted():
    return {forecaster.name: forecaster().fit(SERIES, 40) for forecaster in (LastPrice, *STORED)}


@pytest.mark.parametrize("name", [forecaster.name for forecaster in (LastPrice, *STORED)])
def test_forecasts_ascend_and_look_at_nothing_after_their_moment(fitted, name):
    forecast = fitted[name].forecast(SERIES, 40)
    assert forecast.shape == (len(SERIES), HORIZON, 3)
    assert (np.diff(forecast, axis=2) >= 0).all() and (forecast > 0).all()
    later = SERIES.prices.copy()
    later[:, 40:] = 1_000
    changed = replace(SERIES, prices=later, units=np.where(np.arange(44) < 40, SERIES.units, 0))
    np.testing.assert_array_equal(fitted[name].forecast(changed, 40), forecast)
    np.testing.assert_array_equal(type(fitted[name])().fit(changed, 40).forecast(changed, 40), forecast)


@pytest.mark.parametrize("name", [forecaster.name for forecaster in STORED])
def test_a_stored_forecaster_forecasts_the_same(fitted, name, tmp_path):
    fitted[name].save(tmp_path)
    loaded = type(fitted[name]).load(tmp_path)
    np.testing.assert_array_equal(loaded.forecast(SERIES, 40), fitted[name].forecast(SERIES, 40))
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(DamagedStore):
        type(fitted[name]).load(tmp_path)


@pytest.mark.parametrize("name", [forecaster.name for forecaster in (LastPrice, *STORED)])
def test_a_product_without_a_price_has_no_forecast(fitted, name):
    prices = SERIES.prices.copy()
    prices[7] = np.nan
    prices[8, :39] = np.nan  # one week is known, or none
    forecast = fitted[name].forecast(replace(SERIES, prices=prices), 40)
    assert np.isnan(forecast[7]).all()
    assert np.isfinite(np.delete(forecast, [7, 8], axis=0)).all()


def test_planned_promotions_are_foreseen(fitted):
    promoted = np.arange(1, 60, 3)
    planned = SERIES.calendar.between(SERIES.first + 40, SERIES.first + 44)[promoted, :, 0] == 1
    forecast = fitted["boosted_calendar"].forecast(SERIES, 40)[promoted][:, :, 1]
    true = SERIES.prices[promoted, 40:44]
    known = np.isfinite(true)
    assert np.median(np.abs(forecast / true - 1)[known]) < 0.02
    assert planned[known].any() and not planned[known].all()


@pytest.mark.parametrize("name", ["ridge", "ridge_calendar", "boosted", "boosted_calendar"])
def test_a_price_that_never_changed_stays(fitted, name):
    forecast = fitted[name].forecast(SERIES, 40)[::3]
    np.testing.assert_array_equal(forecast, np.tile(SERIES.last_known(40)[::3, None, None], (1, HORIZON, 3)))
    planned = replace(SERIES, calendar=replace(SERIES.calendar, shares=np.ones_like(SERIES.calendar.shares)))
    assert (fitted[name].forecast(planned, 40)[::3] != forecast).any() == name.endswith("calendar")


def test_ranges_hold_on_weeks_that_were_not_seen():
    series = drawn_series(300, 44, seed=1)
    for forecaster in (NaiveRange, Ridge):
        found = figures(rolling_outcomes(forecaster, series, origins_of(44, 2)))
        assert 0.75 <= found["coverage_80"] <= 0.9, forecaster.name
    assert figures(rolling_outcomes(LastPrice, series, origins_of(44, 2)))["pinball_ratio_to_point"] == 1


def test_corrections_widen_what_is_too_narrow_and_narrow_what_is_too_wide():
    changes = np.random.default_rng(0).normal(0, 1, 4_000).astype(np.float32)
    week, group = np.arange(4_000) % 4, np.zeros(4_000, np.int64)
    for width in (0.1, 5.0):
        wrong = np.tile(np.array([-width, 0, width], np.float32), (4_000, 1))
        examples = PriceExamples(wrong, changes, np.full(4_000, 1e6, np.float32), week * 0, week, group)
        for fitted in (fit_sides(changes, wrong, week, group), fit_ranges(examples, wrong)):
            corrected = fitted.apply(wrong, 0, group)
            assert 0.76 < ((changes >= corrected[:, 0]) & (changes <= corrected[:, 2])).mean() < 0.82
    assert NONE.apply(wrong, 0, group) is not wrong


def test_weeks_with_unknown_units_count_in_no_sales():
    rows = np.arange(len(SERIES))
    steady = np.full_like(SERIES.units, 6)
    known = replace(SERIES, units=steady)
    for unknown in (39, [36, 37, 38, 39]):
        units = steady.copy()
        units[:, unknown] = np.nan
        features = PriceFeatures(replace(SERIES, units=units), calendar=False).rows(rows, 40)
        np.testing.assert_array_equal(features, PriceFeatures(known, calendar=False).rows(rows, 40))


def test_volatility_counts_changes_of_the_last_quarter():
    filled = np.ones((2, 30), np.float32)
    filled[1, ::2] = 2
    assert volatility_groups(filled, 30).tolist() == [CALM, LIVELY]


def test_gaps_are_filled_forward_only():
    gaps = np.array([[np.nan, 2, np.nan, 3], [np.nan] * 4], np.float32)
    np.testing.assert_array_equal(filled_forward(gaps), np.array([[np.nan, 2, 2, 3], [np.nan] * 4], np.float32))
    assert filled_forward(np.empty((0, 4), np.float32)).shape == (0, 4)


def test_quantiles_leave_out_what_is_unknown():
    values = np.array([[np.nan, 3, 1, 2], [5, np.nan, np.nan, np.nan]], np.float32)
    low, middle = quantiles(values, (0.0, 0.5))
    assert low.tolist() == [1, 5] and middle.tolist() == [2, 5]


@pytest.mark.parametrize("end", [9, 12, 14, 15, 18])
def test_a_young_shop_can_be_forecast(end, monkeypatch):
    monkeypatch.setitem(boosted.SETTINGS, "max_iter", 2)
    series = drawn_series(12, 18)
    for forecaster in STORED:
        assert np.isfinite(forecaster().fit(series, end).forecast(series, end)).all(), forecaster.name
    assert PriceFeatures(series, calendar=True).rows(np.arange(3), 1).shape[1] == 3


@pytest.mark.parametrize("forecaster", STORED)
def test_where_no_price_came_after_another_prices_stay(forecaster, tmp_path):
    series = drawn_series(12, 28)
    series.prices[:, :24] = np.nan
    series.prices[0, 0] = 9
    fitted = forecaster().fit(series, 24)
    fitted.save(tmp_path)
    for one in (fitted, forecaster.load(tmp_path)):
        forecast = one.forecast(series, 24)
        np.testing.assert_allclose(forecast[0], 9, rtol=1e-6)
        assert np.isnan(forecast[1:]).all()
