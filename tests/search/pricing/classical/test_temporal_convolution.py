"""What the network reads, by hand; and that it learns what promotions do."""

import numpy as np
import pytest

from search.pricing.classical.network_inputs import CHANNELS, WINDOW, SeriesTable
from search.pricing.classical.table import CLASSICAL
from search.pricing.forecasting.base import HORIZON
from tests.search.pricing.classical.price_series import HARD, WEEKS, check_forecast, random_prices, weekly

torch = pytest.importorskip("torch", reason="the extra torch is not installed")
pytestmark = pytest.mark.torch
NAN = np.nan
NETWORKS = ("temporal_convolution", "temporal_convolution_calendar")


def promoted(products=24, seed=0):
    """Prices of products that cost a third less in the weeks of the mailer, a fifth of all, known 4 weeks ahead."""
    rng = np.random.default_rng(seed)
    in_mailer = rng.random((products, WEEKS + HORIZON)) < 0.2
    prices = rng.uniform(2, 9, (products, 1)) * np.where(in_mailer, 2 / 3, 1)
    shares = np.stack([in_mailer, np.zeros_like(in_mailer)], axis=2)
    return weekly(prices[:, :WEEKS], shares), prices[:, WEEKS:]


def test_windows_by_hand():
    series = weekly([[NAN, 2, NAN, 4, NAN, 8]], [[[0, 0]] * 5 + [[0.5, 0.25]]])
    table = SeriesTable.of(series, 5, uses_calendar=True)
    rows, ends = np.array([0]), np.array([5])
    windows, ahead = table.windows(rows, ends)
    assert windows.shape == (1, len(CHANNELS), WINDOW)
    price, known, before_first, list_price, mailer, display = windows[0, :, -6:]
    assert price == pytest.approx([0, 0, np.log(0.5), np.log(0.5), 0, 0])
    assert known.tolist() == [0, 0, 1, 0, 1, 0]
    assert before_first.tolist() == [1, 1, 0, 0, 0, 0]
    assert not (list_price.any() or mailer.any() or display.any())
    assert ahead.tolist() == [[0.5, 0.25, 0, 0, 0, 0, 0, 0]]  # the week of the price 8, and three without a plan
    # The price 8 lies after the end: it is no target.
    assert np.isnan(table.filled[0, 0]) and table.prices.shape == (1, 5)
    assert not SeriesTable.of(series, 5, uses_calendar=False).shares.any()


def test_targets_are_ratios_to_the_last_price():
    table = SeriesTable.of(weekly([[2, 2, NAN, 4, NAN, 1]]), 6, uses_calendar=False)
    found = table.targets(np.array([0]), np.array([2]))
    assert found[0] == pytest.approx([NAN, np.log(2), NAN, np.log(0.5)], nan_ok=True)


def test_moments_have_weeks_before_and_a_price_after():
    prices = np.full((2, 20), 3.0)
    prices[0, :4] = NAN
    prices[1, 10:] = NAN
    rows, ends = SeriesTable.of(weekly(prices), 20, uses_calendar=False).moments()
    assert ends[rows == 0].tolist() == [12, 13, 14, 15, 16]
    assert ends[rows == 1].tolist() == [8, 9]


@pytest.fixture(scope="module")
def forecasts():
    """The forecasts of promoted prices by each network, and what the prices were."""
    series, later = promoted()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("search.pricing.classical.quantile_network.BATCH", 64)
        patch.setattr("search.pricing.classical.quantile_network.EPOCHS", 18)
        threads, state = torch.get_num_threads(), torch.random.get_rng_state()
        found = {name: CLASSICAL[name]().fit(series, WEEKS).forecast(series, WEEKS) for name in NETWORKS}
        again = CLASSICAL[NETWORKS[1]]().fit(series, WEEKS).forecast(series, WEEKS)
        assert torch.get_num_threads() == threads and torch.equal(torch.random.get_rng_state(), state)
    return series, later, found, again


def test_the_network_learns_what_the_calendar_says(forecasts):
    series, later, found, _ = forecasts
    without, with_calendar = (np.abs(found[name][..., 1] - later).mean() for name in NETWORKS)
    last = np.abs(series.last_known()[:, None] - later).mean()
    assert without < last and with_calendar < 0.5 * without


def test_the_range_has_most_of_the_later_prices(forecasts):
    _, later, found, _ = forecasts
    low, high = found[NETWORKS[0]][..., 0], found[NETWORKS[0]][..., 2]
    assert 0.6 < ((low <= later) & (later <= high)).mean() <= 1


def test_the_same_series_give_the_same_network(forecasts):
    *_, found, again = forecasts
    assert np.array_equal(found[NETWORKS[1]], again)


def test_hard_series_have_a_forecast_or_none_and_never_an_error(monkeypatch):
    monkeypatch.setattr("search.pricing.classical.quantile_network.EPOCHS", 1)
    series = weekly([*HARD.values(), *random_prices()])
    forecaster = CLASSICAL[NETWORKS[0]]().fit(series, WEEKS)
    check_forecast(forecaster.forecast(series, WEEKS), series)
    # Fitted on what another product had, a shop's first weeks have a forecast too.
    assert np.isfinite(forecaster.forecast(weekly([[2.0]]), 1)).all()


def test_without_a_window_there_is_the_empirical_forecast():
    series = weekly([[2.0, 3.0], [NAN, NAN]])
    found = CLASSICAL[NETWORKS[0]]().fit(series, 2).forecast(series, 2)
    assert (found[0] == 3).all() and np.isnan(found[1]).all()
    assert CLASSICAL[NETWORKS[0]]().fit(series, 0).forecast(series, 0).shape == (2, HORIZON, 3)
