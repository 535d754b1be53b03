"""Serve the stored forecasts of a shop: those of the current version, as long as they are about the future."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.home import ShopHome
from search.fitting.version_follower import VersionFollower
from search.pricing.flags.measured_flags import MeasuredFlags
from search.pricing.learning.price_store import FORECASTS_NAME, PriceForecasts, serving_forecasts
from search.pricing.series.weekly_prices import week_of

MAX_AGE_S = 8 * 604_800  # of forecasts: older ones are not served, whatever week they are about
FLAT_SHARE = 0.01  # of the last price: a range within it is drawn as a flat line


@dataclass(frozen=True, slots=True)
class ForecastWeek:
    """The range of the price in a week: `low` to `high` holds it in 80 of 100 cases, `middle` is the median."""

    week: int
    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class StoredForecast:
    """The forecast of a product's price from this week on, in `currency`, "" where the history has none.

    `made_at` is in unix seconds, `model` the name of the forecaster. `flat` says that the price is expected to stay.
    """

    made_at: int
    model: str
    currency: str
    weeks: tuple[ForecastWeek, ...]
    flat: bool


class PriceModels:
    """The forecasts that one shop serves; threads share it. Another current version is followed at the next question.

    It maps arrays into memory, and needs neither the forecaster nor what fits it.
    """

    def __init__(self, home: Path) -> None:
        self._follower = VersionFollower(ShopHome(home).prices_current, lambda: serving_forecasts(home), FORECASTS_NAME)

    @classmethod
    def open(cls, home: Path) -> PriceModels:
        """Open the current version, and check its files; without one, nothing is known yet."""
        models = cls(home)
        models._follower.open()
        return models

    @property
    def degraded(self) -> tuple[str, ...]:
        """A public sentence when the current version cannot be used."""
        return self._follower.degraded

    @property
    def forecasts(self) -> PriceForecasts | None:
        """The version to serve; None where none is stored, or none is whole."""
        self._follower.follow()
        return self._follower.models

    def forecast(
        self, product_id: str, *, currency: str | None = None, price: float | None = None, now: int | None = None
    ) -> StoredForecast | None:
        """Return the forecast of a product, from the week of `now` on; None where there is none that holds.

        `currency` and `price` are those that the product has now. A forecast does not hold in another currency, where
        the price left the range of this week, after MAX_AGE_S, or once its weeks have passed. A forecast that the price
        stays does not hold once it changed at all.
        """
        forecasts, now = self.forecasts, int(time.time()) if now is None else now
        row = None if forecasts is None else forecasts.table.row(product_id)
        if forecasts is None or row is None:
            return None
        manifest, table = forecasts.manifest, forecasts.table
        if now - manifest.fitted_at > MAX_AGE_S or (currency and table.currency(row) not in ("", currency)):
            return None
        week = week_of(now)
        first = manifest.first_week
        weeks = tuple(
            ForecastWeek(first + place, *map(float, values))
            for place, values in enumerate(table.forecasts[row])
            if first + place >= week
        )
        if not weeks:
            return None
        last = float(table.last_prices[row])
        bounds = [value for forecast in weeks for value in (forecast.low, forecast.high)]
        flat = all(abs(value - last) <= FLAT_SHARE * last for value in bounds)
        if price is not None and not _holds(weeks[0], price, last if flat or weeks[0].week > week else None, flat):
            return None
        return StoredForecast(manifest.fitted_at, manifest.forecaster, table.currency(row), weeks, flat)

    def drop_probability(self, product_id: str, now: int | None = None) -> float | None:
        """Return the probability that the price falls by 5 % within 4 weeks of the fit; None where it is not known.

        It is not known any more once the first of these weeks has passed: what is said of it starts from now.
        """
        forecasts = self.forecasts
        row = None if forecasts is None else forecasts.table.row(product_id)
        return None if forecasts is None or row is None else _drop_probability(forecasts, row, now)

    @property
    def flags(self) -> MeasuredFlags:
        """How often the flags of prices were right in this shop, as of the fit; nothing without a version."""
        forecasts = self.forecasts
        return MeasuredFlags() if forecasts is None else forecasts.flags

    def waits(self, product_id: str, *, currency: str, price: float, now: int | None = None) -> bool | None:
        """Return whether a lower price than `price`, in `currency`, is expected within four weeks.

        None where no model decides. What the model did not see, such as a new price, it expects nothing of.
        """
        forecasts = self.forecasts  # once: another version may be served in between
        if forecasts is None:
            return MeasuredFlags().waits(None)
        table, row = forecasts.table, forecasts.table.row(product_id)
        if row is None:
            return forecasts.flags.waits(None)
        last = float(table.last_prices[row])
        same = abs(price - last) <= FLAT_SHARE * last and table.currency(row) in ("", currency)
        return forecasts.flags.waits(_drop_probability(forecasts, row, now) if same else None)


def _drop_probability(forecasts: PriceForecasts, row: int, now: int | None) -> float | None:
    if week_of(int(time.time()) if now is None else now) > forecasts.manifest.first_week:
        return None
    probability = float(forecasts.table.drop_probabilities[row])
    return None if math.isnan(probability) else probability


def _holds(first: ForecastWeek, price: float, last: float | None, flat: bool) -> bool:
    """Return whether a price of now agrees with the forecast of the first week; 0 is no price.

    `last` is the last price that the fit saw, where the forecast is `flat` or the week is still to come.
    """
    if not price > 0:
        return False
    if flat and last is not None:
        return float(np.float32(price)) == last  # both are the nearest float32 of an amount
    expected = (first.low, first.high, *(() if last is None else (last,)))
    slack = FLAT_SHARE * first.middle
    return bool(min(expected) - slack <= price <= max(expected) + slack)
