"""Every forecaster that fits each series alone keeps the contract, on series that are hard to fit too."""

import warnings

import numpy as np
import pytest

from catalog import extras
from catalog.errors import MissingExtra
from catalog.extras import missing_modules
from search.pricing.classical.filled_series import empirical_forecast
from search.pricing.classical.table import CLASSICAL
from search.pricing.forecasting.base import HORIZON
from tests.search.pricing.classical.price_series import HARD, NAN, WEEKS, check_forecast, random_prices, weekly

NETWORKS = ("temporal_convolution", "temporal_convolution_calendar")
BY_SERIES = sorted(set(CLASSICAL) - set(NETWORKS))
needs_extra = pytest.mark.skipif(bool(missing_modules("prices")), reason="the extra prices is not installed")


@needs_extra
@pytest.mark.parametrize("name", BY_SERIES)
def test_hard_series_have_a_forecast_or_none_and_never_an_error(name):
    series = weekly([*HARD.values(), *random_prices()])
    forecaster = CLASSICAL[name]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = forecaster.fit(series, WEEKS).forecast(series, WEEKS)
    check_forecast(found, series)
    expected = empirical_forecast(series.prices)
    for kind in ("constant", "one point"):
        place = list(HARD).index(kind)
        assert np.array_equal(found[place], expected[place])
    modelled = found[len(HARD) :]
    assert not np.isclose(modelled[..., 2], expected[len(HARD) :, :, 2], rtol=1e-3).all(axis=1).any()


@needs_extra
@pytest.mark.parametrize("name", BY_SERIES)
@pytest.mark.parametrize("result", [None, NAN, 99.0])
def test_a_library_that_fails_leaves_the_empirical_forecast(name, result, monkeypatch):
    series = weekly(random_prices())
    forecaster = CLASSICAL[name]()

    def fail(logs):
        if result is None:
            raise ArithmeticError("singular")
        return np.full((HORIZON, 3), result)

    monkeypatch.setattr(forecaster, "_log_quantiles", fail)
    assert np.array_equal(forecaster.forecast(series, WEEKS), empirical_forecast(series.prices))


@needs_extra
@pytest.mark.parametrize("name", BY_SERIES)
def test_nothing_after_the_end_is_looked_at(name):
    end = WEEKS - 4
    prices = random_prices(2)
    changed = prices.copy()
    changed[:, end:] = 99
    forecaster = CLASSICAL[name]()
    found = [forecaster.fit(weekly(some), end).forecast(weekly(some), end) for some in (changed, prices[:, :end])]
    assert np.array_equal(*found)


@needs_extra
@pytest.mark.parametrize("name", ["ets", "theta", "garch"])  # the search for orders of ARIMA is slow
def test_prices_in_another_unit_have_the_same_forecast_in_it(name):
    prices = random_prices(2)
    found, in_parts = (CLASSICAL[name]().forecast(weekly(factor * prices), WEEKS) for factor in (1, 128))
    assert np.array_equal(in_parts, 128 * found)  # a power of two rounds nothing


@needs_extra
@pytest.mark.parametrize("name", BY_SERIES)
def test_no_products_and_no_weeks(name):
    empty = weekly(np.zeros((0, WEEKS)))
    assert CLASSICAL[name]().fit(empty, WEEKS).forecast(empty, WEEKS).shape == (0, HORIZON, 3)
    series = weekly(random_prices())
    assert np.isnan(CLASSICAL[name]().fit(series, 0).forecast(series, 0)).all()


@needs_extra
def test_a_rising_price_goes_on_rising_by_exponential_smoothing_and_not_by_a_random_walk():
    series = weekly([np.exp(np.linspace(1, 1.5, WEEKS) + 0.002 * np.random.default_rng(0).normal(size=WEEKS))])
    last = series.prices[0, -1]
    assert CLASSICAL["ets"]().forecast(series, WEEKS)[0, -1, 1] > 1.05 * last
    assert CLASSICAL["garch"]().forecast(series, WEEKS)[0, -1, 1] == last


@pytest.mark.parametrize("name", CLASSICAL)
def test_a_missing_extra_names_itself(name, monkeypatch):
    extra = "torch" if name in NETWORKS else "prices"

    def absent(module):
        raise ModuleNotFoundError(f"No module named {module!r}", name=extras.EXTRAS[extra][0])

    monkeypatch.setattr(extras, "find_spec", lambda module: None)
    monkeypatch.setattr(extras, "import_module", absent)
    with pytest.raises(MissingExtra, match=rf"windowshop\[{extra}\]"):
        CLASSICAL[name]()
