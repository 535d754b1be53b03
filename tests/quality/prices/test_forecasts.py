"""The section of prices: skipped without its data, and its table on a few products."""

import numpy as np

from catalog.errors import MissingExtra
from search.pricing.forecasting.naive import LastPrice, NaiveRange
from tests.quality.prices.forecasts import forecast_figures, forecasts, measure_prices
from tests.search.pricing.classical.price_series import random_prices, weekly


def absent():
    raise MissingExtra("Forecasting needs a package that is not installed.", "Install it.")


def test_no_data_is_said(tmp_path):
    assert str(tmp_path) in measure_prices(tmp_path).skipped


def test_the_table_has_every_forecaster_that_is_installed():
    series = weekly(random_prices(210, 30))
    models = {
        "last_price": LastPrice,
        "boosted": NaiveRange,
        "boosted_calendar": NaiveRange,
        "garch": LastPrice,
        "absent": absent,
    }
    measured, missing = forecast_figures(series, models)
    outcome = forecasts(measured, missing)
    rows = {row[0]: row for row in outcome.section.tables[0].rows}
    assert list(rows) == ["last_price", "boosted", "boosted_calendar", "garch"]
    assert [rows[name][1] for name in ("last_price", "garch")] == ["210", "200"]
    assert rows["last_price"][2].figure == rows["boosted"][3].figure == 1
    assert rows["last_price"][3].figure > 1
    assert "not installed" in outcome.section.note
    assert [headline.met for headline in outcome.headlines[:2]] == [False, bool(rows["boosted"][3].figure <= 0.8)]
    assert np.isclose(outcome.headlines[1].share.figure, 1 - rows["boosted"][3].figure)
