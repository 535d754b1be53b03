"""The forecasters of this package by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from search.pricing.classical.statistical import AutoArima, ExponentialSmoothing, Theta
from search.pricing.classical.temporal_convolution import PromotedTemporalConvolution, TemporalConvolution
from search.pricing.classical.volatility import GarchRandomWalk
from search.pricing.forecasting.base import PriceForecaster

# A factory raises MissingExtra where its library is not installed.
CLASSICAL: Mapping[str, Callable[[], PriceForecaster]] = {
    made.name: made
    for made in (
        ExponentialSmoothing,
        Theta,
        AutoArima,
        GarchRandomWalk,
        TemporalConvolution,
        PromotedTemporalConvolution,
    )
}
