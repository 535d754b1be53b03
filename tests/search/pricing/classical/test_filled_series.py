"""Gaps that are filled, and the forecast that needs no model, against numbers by hand."""

import numpy as np
import pytest

from search.pricing.classical.filled_series import MIN_WEEKS, empirical_forecast, filled_prices, has_changed
from search.pricing.forecasting.base import HORIZON

NAN = np.nan


def test_a_gap_has_the_price_before_it():
    prices = np.array([[NAN, 2, NAN, 0, 3, -1], [NAN] * 6, [5, 0, NAN, NAN, NAN, 4]], np.float32)
    assert np.array_equal(
        filled_prices(prices),
        np.array([[NAN, 2, 2, 2, 3, 3], [NAN] * 6, [5, 5, 5, 5, 5, 4]], np.float32),
        equal_nan=True,
    )


def test_a_price_has_changed_from_its_first_change_on():
    filled = np.array([[NAN, 2, 2, 3, 2], [NAN, NAN, 2, 2, 2]], np.float32)
    assert has_changed(filled).tolist() == [[False, False, False, True, True], [False] * 5]


def test_the_range_has_the_quantiles_of_past_changes():
    # Each product costs 2 for three weeks of four, then 1: of the ratios to the next week a half is 1, a quarter 1/2
    # and a quarter 2.
    prices = np.tile(np.array([2, 2, 2, 1], np.float32), (50, 3))
    prices[:, 0] = 1  # so that the numbers of both moves agree
    low, middle, high = empirical_forecast(prices)[0, 0]
    assert (low, middle, high) == pytest.approx((0.5, 1, 2))


def test_a_product_that_never_changed_has_the_range_of_such_products():
    weeks = 3 * MIN_WEEKS
    calm = np.full((60, weeks), 3, np.float32)
    lively = np.tile(np.array([2, 1], np.float32), (40, weeks // 2))
    found = empirical_forecast(np.concatenate([calm, lively]))
    assert np.array_equal(found[:60], np.full((60, HORIZON, 3), 3))
    assert (found[60:, 0] == [0.5, 1, 2]).all()


def test_too_little_is_known_for_a_range():
    found = empirical_forecast(np.array([[1, 2, 3], [NAN, 0, NAN]], np.float32))
    assert (found[0] == 3).all() and np.isnan(found[1]).all()
    assert empirical_forecast(np.zeros((2, 0), np.float32)).shape == (2, HORIZON, 3)
    assert empirical_forecast(np.zeros((0, 5), np.float32)).shape == (0, HORIZON, 3)
