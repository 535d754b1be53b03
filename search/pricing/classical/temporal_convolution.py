"""The convolutional network behind the contract of forecasters, without and with the calendar of promotions."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from catalog.extras import import_extra
from indexer.types import Floats
from search.pricing.classical.filled_series import empirical_forecast
from search.pricing.classical.network_inputs import SeriesTable
from search.pricing.series.weekly_prices import WeeklyPrices


class TemporalConvolution:
    """A network that is fitted on all series together; the empirical forecast where no window can be learnt from.

    Raises MissingExtra when it is made without the extra `torch`.
    """

    name: ClassVar[str] = "temporal_convolution"
    uses_calendar: ClassVar[bool] = False

    def __init__(self) -> None:
        module = "search.pricing.classical.quantile_network"
        self._library = import_extra("torch", module, f"Forecasting prices by {self.name}")
        self._network: Any = None

    def fit(self, weekly: WeeklyPrices, end: int) -> Self:
        """Fit the network on the columns before `end`."""
        self._network = self._library.fit_network(SeriesTable.of(weekly, end, self.uses_calendar))
        return self

    def forecast(self, weekly: WeeklyPrices, end: int) -> Floats:
        """Return the QUANTILES of the price in the HORIZON weeks from `end` on, (n, HORIZON, 3)."""
        found = empirical_forecast(weekly.prices[:, :end])
        if self._network is None or not found.size or not end:
            return found
        table = SeriesTable.of(weekly, end, self.uses_calendar)
        logs = self._library.network_quantiles(self._network, table)
        return np.asarray(table.filled[:, -1, None, None] * np.exp(logs), np.float32)


class PromotedTemporalConvolution(TemporalConvolution):
    """The same network, which also reads the calendar of promotions, that of the weeks ahead included."""

    name: ClassVar[str] = "temporal_convolution_calendar"
    uses_calendar: ClassVar[bool] = True
