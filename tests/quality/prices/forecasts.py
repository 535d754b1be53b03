"""Every forecaster of prices on a log of purchases: what products cost in the four weeks after five moments."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import MissingExtra, WindowshopError
from search.pricing.evaluation.log_evaluation import MIN_WEEKS, MODELS, ORIGINS, PRODUCTS, PROMOTIONS_FILE
from search.pricing.evaluation.rolling_origin import figures, rolling_outcomes
from search.pricing.forecasting.base import PriceForecaster
from search.pricing.forecasting.measures import origins_of
from search.pricing.series.purchase_series import read_purchase_series
from search.pricing.series.weekly_prices import WeeklyPrices
from tests.quality.report.records import Headline, Outcome, Part, Section, Share, Table

KEY, TITLE = "prices", "Prices"
FILES = ("events.csv.gz", "products.csv", PROMOTIONS_FILE)
SLOW = ("arima", "garch")  # seconds for a hundred products
SLOW_COUNT = 200
SEED = 0
# The ratios of error and pinball loss of the models that serve are no higher.
CEILINGS = {"boosted": (0.96, 0.80), "boosted_calendar": (0.78, 0.64)}
COLUMNS = ("mae_ratio", "pinball_ratio", "coverage_80")
Forecasters = Mapping[str, Callable[[], PriceForecaster]]


def measure_prices(folder: Path) -> Part:
    """All forecasters on the log in a folder; skipped when it is not there."""
    if absent := [name for name in FILES if not (folder / name).is_file()]:
        return Part(KEY, TITLE, skipped=f"{folder} has no {', '.join(absent)}.")
    print("forecasting prices ...", file=sys.stderr, flush=True)
    try:
        series = read_purchase_series(*(folder / name for name in FILES))
    except WindowshopError as error:
        return Part(KEY, TITLE, skipped=str(error))
    weekly = series.most_bought(PRODUCTS, MIN_WEEKS)
    measured, missing = forecast_figures(weekly, MODELS)
    return Part(KEY, TITLE, (forecasts(measured, missing),), facts={"products": len(weekly), "weeks": weekly.weeks})


def forecast_figures(weekly: WeeklyPrices, forecasters: Forecasters) -> tuple[dict[str, Any], dict[str, str]]:
    """The figures of each forecaster, and why some have none; the slow ones on a sample of the products."""
    drawn = np.random.default_rng(SEED).permutation(len(weekly))[:SLOW_COUNT]
    measured, missing = {}, {}
    for name, make in forecasters.items():
        part = weekly.rows(np.sort(drawn)) if name in SLOW else weekly
        try:
            found = figures(rolling_outcomes(make, part, origins_of(weekly.weeks, ORIGINS)))
        except MissingExtra as error:
            missing[name] = str(error)
            continue
        measured[name] = {**found, "products": len(part)}
    return measured, missing


def forecasts(measured: Mapping[str, Any], missing: Mapping[str, str]) -> Outcome:
    """The table of all forecasters; those that serve have a limit."""
    rows = tuple(
        (name, f"{of['products']:,}", *(Share(of[column]) for column in COLUMNS), f"{_seconds(of):.1f}")
        for name, of in measured.items()
    )
    section = Section(
        "What products cost four weeks later",
        "The most bought products that are not sold by weight. Each forecaster is fitted before five moments, four "
        "weeks apart, and judged on the four weeks after each. Errors are divided by those of the last price in a "
        "range from the past: lower is better. The range should have 0.8 of the prices. Seconds of one core are for "
        "1,000 products at one moment.",
        (Table(("forecaster", "products", "absolute error", "pinball loss", "in the range", "seconds"), rows),),
        note=" ".join(missing.values()),
    )
    headlines = tuple(
        # A summary's floors are lower bounds, so what is shown is how much of the error is avoided.
        Headline(f"Prices, {name}: {title} avoided", Share(1 - of[column]), of["forecasts"], floor=1 - limit)
        for name, limits in CEILINGS.items()
        if name in measured
        for of in [measured[name]]
        for title, column, limit in zip(("error", "pinball loss"), COLUMNS, limits, strict=False)
    )
    return Outcome("forecasts", dict(measured), section, headlines)


def _seconds(of: Mapping[str, Any]) -> float:
    return float(of["seconds"]) / ORIGINS * 1_000 / max(of["products"], 1)
