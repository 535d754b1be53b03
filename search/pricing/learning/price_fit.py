"""Choose a shop's forecaster by its own past prices, fit it, and store the forecasts of every product."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import TooLittleHistory
from catalog.extras import check_extra
from catalog.files.failpoints import failpoint
from search.pricing.flags.measured_flags import MeasuredFlags
from search.pricing.forecasting.base import HORIZON, StoredForecaster
from search.pricing.forecasting.measures import origins_of
from search.pricing.learning.fit_steps import FIT_ROWS, DropForecaster, FitSteps
from search.pricing.learning.fit_work import FitWork, chunks_of
from search.pricing.learning.forecast_files import ForecastTable
from search.pricing.learning.forecast_gate import ForecasterChoice, choose, figures_of_losses
from search.pricing.learning.price_fit_report import (
    NOT_STORED,
    STORED,
    PriceFitReport,
    choice_sentence,
)
from search.pricing.learning.price_store import (
    PriceForecasts,
    PriceManifest,
    price_fit_lock,
    price_fit_progress,
    publish_forecasts,
    serving_forecasts,
)
from search.pricing.learning.rolling_origins import MIN_ORIGIN
from search.pricing.series.weekly_prices import WeeklyPrices

MIN_WEEKS = 20  # with a known price, of MIN_PRODUCTS products or of all where a shop has fewer
MIN_PRODUCTS = 30


@dataclass(frozen=True, slots=True)
class PriceFitOptions:
    """How a shop's series are read, and the forecasters to choose from by name; `naive` says that prices stay."""

    read_series: Callable[[Path], WeeklyPrices]
    forecasters: Mapping[str, type[StoredForecaster]]
    drops: type[DropForecaster] | None = None
    naive: str = "naive"
    seed: int = 0


def fit_prices(home: Path, options: PriceFitOptions) -> PriceFitReport:
    """Choose and fit the forecaster, store all forecasts as a new version; return and store what was measured.

    Servers follow a new version; a fit that fails or is killed leaves the served one, and the next fit of the same
    prices goes on where that was. Raises MissingExtra, NoGeneration, StoreError, TooLittleHistory, and TrainingError
    while another fit is running.
    """
    check_extra("recs", "Fitting forecasts of prices")
    with price_fit_lock(home):
        began = time.monotonic(), time.process_time()
        try:
            report = _timed(_fit(home, options), *began)
        except Exception as error:
            _timed(PriceFitReport.of_error(error), *began).save(home)
            raise
        report.save(home)
    return report


def history_weeks(weekly: WeeklyPrices) -> int:
    """Return of how many weeks MIN_PRODUCTS products, or all of fewer, have a known price."""
    known = np.sort((~np.isnan(weekly.prices)).sum(axis=1))[::-1]
    return int(known[min(MIN_PRODUCTS, len(known)) - 1]) if len(known) else 0


def _fit(home: Path, options: PriceFitOptions) -> PriceFitReport:
    weekly = options.read_series(home)
    _require_enough(weekly)
    forecasters = _usable(options.forecasters, weekly)
    origins, chunks = origins_of(weekly.weeks, earliest=MIN_ORIGIN), chunks_of(weekly)
    steps = FitSteps(weekly, FitWork.of(home), options.seed)
    total = len(steps.groups(origins)) * len(forecasters) + 2 + len(chunks) + 1
    with price_fit_progress(home).steps(total, "forecasting prices") as step:
        steps = replace(steps, step=step)
        losses = steps.losses(forecasters, origins)
        serving = serving_forecasts(home).models
        served = None if serving is None else serving.manifest
        choice = choose(losses, options.naive, None if served is None else served.forecaster)
        report = PriceFitReport(
            NOT_STORED,
            choice.reason,
            choice_sentence(choice),
            served=None if served is None else served.version,
            forecaster=choice.name,
            history_weeks=history_weeks(weekly),
            decisive=choice.decisive,
            figures=figures_of_losses(losses, options.naive),
        )
        if choice.name:
            fitted = steps.fitted(forecasters[choice.name], options.drops)
            forecasts, drops = steps.forecasts(fitted, chunks)
            table = ForecastTable.of(weekly.product_ids, weekly.currencies, forecasts, weekly.last_known(), drops)
            failpoint("prices.forecast")
            settings = {
                "origins": [weekly.first + origin for origin in origins],
                "flags": MeasuredFlags.measure(steps.sample(FIT_ROWS), weekly.weeks, fitted.drops).as_json(),
            }
            manifest = _manifest(weekly, choice, report, settings)
            published = publish_forecasts(home, PriceForecasts(manifest, table), fitted.save)
            report = replace(report, outcome=STORED, version=published.version, products=published.products)
        steps.work.clear()
        step()
    return replace(report, reused=steps.work.reused)


def _require_enough(weekly: WeeklyPrices) -> None:
    """Raise TooLittleHistory, which says what is missing, when there is too little to fit and measure forecasters."""
    if not len(weekly):
        raise TooLittleHistory("No product of the shop has a price, so there is nothing to forecast.")
    if (weeks := history_weeks(weekly)) < MIN_WEEKS:
        raise TooLittleHistory(
            f"There is not enough history of prices: {weeks} of {MIN_WEEKS} weeks.",
            f"Fit again in {MIN_WEEKS - weeks} weeks, or import past prices: windowshop prices import.",
        )


def _usable(
    forecasters: Mapping[str, type[StoredForecaster]], weekly: WeeklyPrices
) -> dict[str, type[StoredForecaster]]:
    """Leave out those that use the calendar of promotions, unless it has some in the weeks to forecast."""
    end = weekly.first + weekly.weeks
    planned = weekly.calendar is not None and bool(weekly.calendar.between(end, end + HORIZON).any())
    return {name: kind for name, kind in forecasters.items() if planned or not kind.uses_calendar}


def _manifest(
    weekly: WeeklyPrices, choice: ForecasterChoice, report: PriceFitReport, settings: Mapping[str, Any]
) -> PriceManifest:
    return PriceManifest(
        version=0,
        fitted_at=int(time.time()),
        first_week=weekly.first + weekly.weeks,
        history_weeks=report.history_weeks,
        products=0,
        currencies=(),
        forecaster=choice.name,
        settings=settings,
        figures=report.figures,
    )


def _timed(report: PriceFitReport, began: float, began_cpu: float) -> PriceFitReport:
    seconds, cpu = time.monotonic() - began, time.process_time() - began_cpu
    return replace(report, at=int(time.time()), seconds=round(seconds, 1), cpu_seconds=round(cpu, 1))
