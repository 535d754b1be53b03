"""Rolling origins: which weeks are judged, and what the ratios are of."""

import numpy as np
import pytest

from search.pricing.evaluation.rolling_origin import by_volatility, figures, rolling_outcomes
from search.pricing.forecasting.measures import origins_of, pinball_losses
from search.pricing.forecasting.naive import LastPrice, NaiveRange
from tests.search.pricing.drawn_series import drawn_series


class Clairvoyant:
    """Returns the prices that come."""

    name, uses_calendar = "clairvoyant", False

    def fit(self, weekly, end):
        return self

    def forecast(self, weekly, end):
        return np.repeat(weekly.prices[:, end : end + 4, None], 3, axis=2)


def test_origins_divide_the_last_weeks():
    assert origins_of(52) == (32, 36, 40, 44, 48)
    assert origins_of(20, 2) == (12, 16)


def test_ratios_are_to_the_last_price():
    series = drawn_series()
    naive = figures(rolling_outcomes(LastPrice, series, origins_of(44)))
    assert naive["mae_ratio"] == naive["mae_ratio_relative"] == naive["pinball_ratio_to_point"] == 1
    assert figures(rolling_outcomes(NaiveRange, series, origins_of(44)))["pinball_ratio"] == 1
    assert naive["pinball_ratio"] > 1
    right = figures(rolling_outcomes(Clairvoyant, series, origins_of(44)))
    assert right["mae_ratio"] == right["pinball_ratio"] == 0 and right["coverage_80"] == 1
    assert right["forecasts"] == np.isfinite(series.prices[:, 24:]).sum()


def test_groups_add_up_to_all():
    outcomes = rolling_outcomes(LastPrice, drawn_series(), origins_of(44))
    assert sum(group["forecasts"] for group in by_volatility(outcomes).values()) == len(outcomes.prices)


def test_pinball_loss_is_half_the_error_at_the_median():
    prices, quantiles = np.array([2.0, 4.0]), np.array([[1.0, 1.0, 1.0], [5.0, 5.0, 5.0]])
    assert pinball_losses(prices, quantiles) == pytest.approx((0.1 + 0.5 + 0.9 + 0.9 + 0.5 + 0.1) / 6)
