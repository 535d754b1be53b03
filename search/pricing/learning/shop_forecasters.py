"""The forecasters that a shop chooses from."""

from __future__ import annotations

from collections.abc import Mapping

from search.pricing.flags.drop_model import DropModel
from search.pricing.forecasting.base import StoredForecaster
from search.pricing.forecasting.boosted import Boosted, BoostedWithCalendar
from search.pricing.forecasting.naive import NaiveRange
from search.pricing.forecasting.ridge import Ridge, RidgeWithCalendar
from search.pricing.learning.price_fit import PriceFitOptions
from search.pricing.series.shop_series import shop_series

FORECASTERS: Mapping[str, type[StoredForecaster]] = {
    kind.name: kind for kind in (NaiveRange, Ridge, RidgeWithCalendar, Boosted, BoostedWithCalendar)
}


def shop_price_options() -> PriceFitOptions:
    """Return how the prices of a shop are read and forecast."""
    return PriceFitOptions(shop_series, FORECASTERS, DropModel, NaiveRange.name)
