"""A forecaster is chosen only where the losses of products leave no doubt."""

import numpy as np
import pytest

from search.pricing.forecasting.measures import covered, origins_of
from search.pricing.learning.forecast_gate import choose, figures_of_losses
from search.pricing.learning.price_fit_report import choice_sentence
from search.pricing.learning.rolling_origins import MIN_ORIGIN, ForecastLosses
from tests.search.pricing.learning.forecasters import drawn_prices

RNG = np.random.default_rng(3)
NAIVE = RNG.gamma(1.0, 0.02, 300)


def losses(pinball, coverage=0.8):
    weeks = np.full(300, 20.0)
    return ForecastLosses(pinball * weeks, pinball * weeks, coverage * weeks, weeks)


def noisy(ratio):
    """Losses that are `ratio` of the naive ones on average, and differ much by product."""
    return losses(NAIVE * ratio * np.exp(np.random.default_rng(5).normal(0, 0.5, 300)) / np.exp(0.125))


@pytest.mark.parametrize(
    ("others", "served", "chosen"),
    [
        ({"good": noisy(0.8)}, None, ("good", "best")),
        ({"good": noisy(0.99)}, None, ("naive", "not_better_than_naive")),
        ({"good": noisy(1.2)}, "good", ("naive", "not_better_than_naive")),
        ({"good": noisy(0.8), "better": losses(NAIVE * 0.5)}, "good", ("better", "best")),
        ({"good": noisy(0.8), "like": losses(noisy(0.79).pinball / 20)}, "good", ("like", "best")),
        ({"good": losses(NAIVE * 0.8, 0.6)}, None, ("naive", "not_better_than_naive")),
        ({"good": noisy(0.8)}, "gone", ("good", "best")),
        ({"good": noisy(0.8)}, "naive", ("good", "best")),
    ],
)
def test_who_is_chosen(others, served, chosen):
    choice = choose({"naive": losses(NAIVE), **others}, "naive", served)
    assert (choice.name, choice.reason) == chosen


def test_the_served_one_stays_where_another_is_not_clearly_better():
    served = losses(NAIVE * 0.7)
    other = losses(NAIVE * 0.7 * np.exp(np.random.default_rng(9).normal(0, 0.5, 300) - 0.13))
    assert other.pinball.sum() < served.pinball.sum()
    choice = choose({"naive": losses(NAIVE), "served": served, "other": other}, "naive", "served")
    assert (choice.name, choice.reason) == ("served", "not_better_than_served")
    assert choice.decisive.low < 0 < choice.decisive.high


def test_ranges_that_hold_too_few_prices_are_never_chosen():
    few = losses(NAIVE, 0.69)
    assert choose({"naive": few}, "naive", None).name == ""
    assert choose({"naive": few, "good": losses(NAIVE * 2, 0.75)}, "naive", None).name == "good"


def some(found, count):
    """The losses of the first products; the others have no price to judge by."""
    return ForecastLosses(*(np.where(np.arange(300) < count, values, 0) for values in found.arrays().values()))


@pytest.mark.parametrize("count", [1, 19, 20])
def test_few_products_choose_no_forecaster_by_their_noise(count):
    found = {"naive": some(losses(NAIVE), count), "good": some(losses(NAIVE * 0.5), count)}
    choice = choose(found, "naive", "good")
    assert (choice.name, choice.reason) == (("good", "best") if count == 20 else ("naive", "too_few_products"))
    if count < 20:
        assert choice_sentence(choice).endswith("a forecaster is chosen on the past prices of at least 20 products.")
        found["naive"] = some(losses(NAIVE, 0.6), count)
        assert choose(found, "naive", None).reason == "ranges_too_narrow"


def test_losses_are_those_of_a_plain_loop_in_shares_of_the_last_price():
    weekly = drawn_prices(products=5)
    weekly.prices[1, 50:] = np.nan
    weekly.prices[2, 51] = np.nan
    forecasts = np.sort(RNG.uniform(0.8, 1.1, (5, 4, 3)), axis=2) * weekly.last_known(50)[:, None, None]
    found = ForecastLosses.of(weekly, 50, forecasts)
    for row in range(5):
        pinball, covered, weeks = 0.0, 0, 0
        for ahead in range(4):
            price, last = float(weekly.prices[row, 50 + ahead]), float(weekly.last_known(50)[row])
            if np.isnan(price):
                continue
            weeks += 1
            low, _, high = forecasts[row, ahead]
            covered += low <= price <= high
            for quantile, value in zip((0.1, 0.5, 0.9), forecasts[row, ahead], strict=True):
                off = price - value
                pinball += (quantile * off if off > 0 else (quantile - 1) * off) / last / 3
        assert (found.weeks[row], found.covered[row]) == (weeks, covered)
        assert found.pinball[row] == pytest.approx(pinball)
    assert found.weeks.tolist() == [4, 0, 3, 4, 4]
    figures = figures_of_losses({"naive": found, "same": found}, "naive")
    assert figures["same"]["pinball_ratio_relative"] == 1 and figures["same"]["products"] == 4


def test_a_forecaster_that_is_silent_is_no_winner():
    weekly = drawn_prices(products=2)
    with pytest.raises(ValueError, match="gave no forecast"):
        ForecastLosses.of(weekly, 40, np.full((2, 4, 3), np.nan, np.float32))


def test_moments_are_a_horizon_apart_and_have_history():
    assert origins_of(60, earliest=MIN_ORIGIN) == (40, 44, 48, 52, 56)
    assert origins_of(20, earliest=MIN_ORIGIN) == (12, 16)
    assert origins_of(15, earliest=MIN_ORIGIN) == ()


def test_a_price_half_a_cent_off_the_range_is_within_it_as_pages_show_cents():
    prices = np.array([[9.995, 9.99, 10.005, 10.02]])
    forecasts = np.tile(np.array([10.0, 10.0, 10.0]), (1, 4, 1))
    assert covered(prices, forecasts).tolist() == [[True, False, True, False]]
    weekly = drawn_prices(products=1)
    weekly.prices[0] = 100  # of which a ten-thousandth is a cent
    ranges = np.full((1, 4, 3), 99.992)
    assert ForecastLosses.of(weekly, 50, ranges).coverage == 0
