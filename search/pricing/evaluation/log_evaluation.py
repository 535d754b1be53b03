"""Measure forecasts, flags and demand on a log of purchases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from catalog.errors import BadInput, MissingExtra, TooFewEvents
from search.pricing.classical.table import CLASSICAL
from search.pricing.demand.evaluation import evaluate_demand
from search.pricing.evaluation.rolling_origin import by_volatility, figures, rolling_outcomes
from search.pricing.flags.evaluation import evaluate_flags
from search.pricing.forecasting.base import HORIZON, PriceForecaster
from search.pricing.forecasting.boosted import Boosted, BoostedWithCalendar
from search.pricing.forecasting.measures import origins_of
from search.pricing.forecasting.naive import LastPrice, NaiveRange
from search.pricing.forecasting.ridge import Ridge, RidgeWithCalendar
from search.pricing.series.purchase_series import PurchaseSeries, read_purchase_series
from search.pricing.series.weekly_prices import WeeklyPrices

Make = Callable[[], PriceForecaster]
SHIPPED: Mapping[str, Make] = {
    made.name: made for made in (LastPrice, NaiveRange, Ridge, Boosted, RidgeWithCalendar, BoostedWithCalendar)
}
MODELS: Mapping[str, Make] = {**SHIPPED, **CLASSICAL}
PRODUCTS, MIN_WEEKS = 1_000, 30  # the most bought products, of those that were sold in so many weeks
MIN_LOG_WEEKS = 2 * HORIZON + 26  # two origins after half a year
ORIGINS = 5
MIN_FLAG_WEEKS = 30  # before the first moment at which flags are judged: they look half a year back
PROMOTIONS_FILE = "promotions.csv.gz"
NOT_MEASURED = "not_measured"


def evaluate_log(
    events: Path,
    products: Path,
    promotions: Path | None = None,
    names: Sequence[str] = (),
    progress: Callable[[str], object] = lambda _: None,
) -> dict[str, Any]:
    """Return the figures of forecasters, flags and demand on a log, as `figures` and the evaluations have them.

    Every figure at the top is of the boosted forecaster, `with_calendar` has those of the one that knows `promotions`;
    a file of that name next to the events is found without being named. `names` are the models to measure, without any
    those that may be served. Raises BadFeed, BadInput for a log that is too short, MissingExtra.
    """
    usual = events.parent / PROMOTIONS_FILE
    series = read_purchase_series(events, products, promotions or (usual if usual.is_file() else None))
    weekly = series.most_bought(PRODUCTS, min(MIN_WEEKS, series.weekly.weeks))
    _require_enough(series, weekly)
    origins = origins_of(weekly.weeks, min(ORIGINS, (weekly.weeks - MIN_LOG_WEEKS) // HORIZON + 2))
    found: dict[str, Any] = {"products": len(weekly), "weeks": weekly.weeks, "origins": list(origins)}
    found["weighed_goods"] = int(series.by_weight.sum())
    models = {name: _measured(name, weekly, origins, progress) for name in names or SHIPPED}
    found |= models.get(Boosted.name, {})
    if BoostedWithCalendar.name in models and weekly.calendar is not None:
        found["with_calendar"] = models[BoostedWithCalendar.name]
    found["models"] = models
    progress("flags")
    try:
        found |= evaluate_flags(weekly, [origin for origin in origins if origin >= MIN_FLAG_WEEKS])
    except TooFewEvents as error:
        found["flags"] = {NOT_MEASURED: error.message}
    progress("demand")
    found["demand"] = evaluate_demand(weekly, origins)
    return found


def _require_enough(series: PurchaseSeries, weekly: WeeklyPrices) -> None:
    weeks = series.weekly.weeks
    if weeks < MIN_LOG_WEEKS:
        raise BadInput(
            f"The log spans {weeks} whole weeks; forecasts are measured on {MIN_LOG_WEEKS} or more.",
            "Give a log of a longer time.",
        )
    if not len(weekly):
        raise BadInput(
            f"No product of the log was sold in {MIN_WEEKS} weeks at a price of its own.", "Give a log with more sales."
        )


def _measured(
    name: str, weekly: WeeklyPrices, origins: Sequence[int], progress: Callable[[str], object]
) -> dict[str, Any]:
    progress(name)
    make = MODELS[name]
    try:
        if make().uses_calendar and weekly.calendar is None:
            return {NOT_MEASURED: "the log has no calendar of promotions"}
        outcomes = rolling_outcomes(make, weekly, origins)
    except MissingExtra as error:
        return {NOT_MEASURED: error.message}
    return {**figures(outcomes), "by_volatility": by_volatility(outcomes)}
