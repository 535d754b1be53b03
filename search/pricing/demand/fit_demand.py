"""Fit the model of a shop's demand, measure it on the last weeks, and store it where it is better than no model."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import WindowshopError
from catalog.home import ShopHome
from search.fitting.report_file import read_report, write_report
from search.pricing.demand.demand_model import DemandModel
from search.pricing.demand.demand_series import SeriesReader, columns, demand_series
from search.pricing.demand.demand_store import DemandManifest, StoredDemand, demand_lock, publish_demand
from search.pricing.demand.evaluation import default_origins, evaluate_demand
from search.pricing.demand.regression.demand_weeks import DROPPED
from search.pricing.series.shop_series import shop_series
from search.pricing.series.weekly_prices import WeeklyPrices

MIN_WEEKS, MIN_UNITS = 12, 200  # of sales in the shop: there is nothing to fit below
MEASURED_PRODUCTS = 2_000  # the best sold ones
MEASURED_ORIGINS = 2
STORED, NOT_STORED, FAILED = "stored", "not_stored", "failed"
BETTER, NO_BETTER, TOO_FEW_SALES = "better", "no_better_than_without_prices", "too_few_sales"
ONE_IS_BETTER = "better_with_one_elasticity"  # stored: better than without prices, but one for all would be better


@dataclass(frozen=True, slots=True)
class DemandReport:
    """A fit: its outcome, the reason as a code, and what was measured on the last weeks.

    `at` is its end in unix seconds, `message` the error of one that failed. `version` is the number of the new version,
    None where none was stored; the one before is then served on.
    """

    outcome: str
    reason: str
    version: int | None = None
    products: int = 0
    weeks: int = 0
    units: int = 0
    elasticity: float | None = None
    seconds: float = 0.0
    figures: Mapping[str, Any] = field(default_factory=dict)
    at: int = 0
    message: str = ""

    @classmethod
    def of_error(cls, error: Exception) -> DemandReport:
        """Return the report of a fit that ended with an error."""
        code = error.code if isinstance(error, WindowshopError) else "internal"
        return cls(FAILED, code, at=int(time.time()), message=str(error))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    def save(self, home: Path) -> None:
        """Write the report, over that of the fit before."""
        write_report(ShopHome(home).demand_report, self.to_dict())


def last_demand_fit(home: Path) -> dict[str, Any] | None:
    """Return the report of the last fit as JSON values; None before the first, or where it cannot be read."""
    return read_report(ShopHome(home).demand_report)


def fit_demand(home: Path, read_series: SeriesReader = shop_series, now: int | None = None) -> DemandReport:
    """Fit on the shop's weekly series, as `demand_series` completes it; return what was measured.

    A model is stored where it expects the units of the last weeks better than one that does not look at prices; both
    know promotions where there is a calendar.
    Raises NoGeneration, StoreError, BadFeed where promotions.csv cannot be read, and TrainingError while another fit of
    demand is running.
    """
    began = time.monotonic()
    with demand_lock(home):
        try:
            report = _fit(home, read_series, now)
        except Exception as error:
            DemandReport.of_error(error).save(home)
            raise
        report = replace(report, at=int(time.time()), seconds=round(time.monotonic() - began, 1))
        report.save(home)
    return report


def _fit(home: Path, read_series: SeriesReader, now: int | None) -> DemandReport:
    weekly = demand_series(home, read_series, now)
    sold = np.nan_to_num(weekly.units).sum(axis=0)
    if sold.any():  # a log may have ended long ago: weeks after it say nothing
        weekly = columns(weekly, weekly.first, weekly.first + int(np.flatnonzero(sold)[-1]) + 1)
    weeks, units = int((sold > 0).sum()), int(sold.sum())
    if weeks < MIN_WEEKS or units < MIN_UNITS:
        return DemandReport(NOT_STORED, TOO_FEW_SALES, weeks=weeks, units=units)
    figures = _figures(weekly)
    best = figures.get("with_calendar", figures)
    model = DemandModel.fit(weekly, unsold=DROPPED)
    report = DemandReport(
        NOT_STORED, NO_BETTER, None, len(model), weeks, units, float(model.node_effects[0, 0]), figures=figures
    )
    if best["deviance_ratio"] is not None and best["deviance_ratio"] < best["without_price_deviance_ratio"]:
        manifest = DemandManifest(0, int(time.time()), weeks, len(model), figures)
        published = publish_demand(home, StoredDemand(manifest, model))
        reason = ONE_IS_BETTER if best["single_elasticity_deviance_ratio"] < best["deviance_ratio"] else BETTER
        report = replace(report, outcome=STORED, reason=reason, version=published.version)
    return report


def _figures(weekly: WeeklyPrices) -> Mapping[str, Any]:
    sold = np.nan_to_num(weekly.units).sum(axis=1)
    chosen = np.sort(np.argsort(-sold, kind="stable")[:MEASURED_PRODUCTS])
    return evaluate_demand(weekly.rows(chosen), default_origins(weekly.weeks)[-MEASURED_ORIGINS:], DROPPED)
