"""What every forecaster of prices offers."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Protocol

from typing_extensions import Self

from indexer.types import Floats
from search.pricing.series.weekly_prices import WeeklyPrices

QUANTILES = (0.1, 0.5, 0.9)
HORIZON = 4  # weeks


class PriceForecaster(Protocol):
    """Forecasts the prices of the weeks after a moment. Only a forecaster that learns nothing may forecast without
    being fitted.
    """

    name: ClassVar[str]
    uses_calendar: ClassVar[bool]

    def fit(self, weekly: WeeklyPrices, end: int) -> Self:
        """Fit on the columns before `end` of the series (n, w); later columns must not be looked at."""
        ...

    def forecast(self, weekly: WeeklyPrices, end: int) -> Floats:
        """Return the QUANTILES of the price in the HORIZON weeks from the column `end` on, (n, HORIZON, 3), ascending.

        `end` may be the number of columns. Only the columns before it count, and the calendar. NaN for a product
        without a known price.
        """
        ...


class StoredForecaster(PriceForecaster, Protocol):
    """A forecaster that can be stored as arrays, for shops to serve it."""

    def save(self, folder: Path) -> None:
        """Write the fitted forecaster into an empty folder: npz, ONNX or JSON, never pickle."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedStore."""
        ...
