"""The steps of a fit, whose results are found again after an interruption: measuring, fitting, forecasting."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from operator import add
from pathlib import Path
from typing import Protocol

import numpy as np
from typing_extensions import Self

from catalog.errors import TooFewEvents
from catalog.files.failpoints import failpoint
from indexer.types import Floats, Ids
from search.pricing.flags.measured_flags import WaitingModel
from search.pricing.forecasting.base import HORIZON, QUANTILES, StoredForecaster
from search.pricing.learning.fit_work import FitWork, Results, digest_of
from search.pricing.learning.rolling_origins import MIN_ORIGIN, ForecastLosses
from search.pricing.series.weekly_prices import WeeklyPrices

FIT_ROWS = 300_000  # products times weeks that a model is fitted on at most
MEASURED_ROWS = 50_000  # the same, for measuring one: four examples a row
REFITTED_ROWS = 20_000  # the same, up to which it is fitted again at each origin
DROPS = "drops"


class DropForecaster(WaitingModel, Protocol):
    """What forecasts whether prices fall."""

    @classmethod
    def fit(cls, weekly: WeeklyPrices, end: int) -> Self:
        """Fit on the columns before `end`. Raises TooFewEvents."""
        ...

    def predict(self, weekly: WeeklyPrices, end: int) -> Floats:
        """Return the probability of each product as of the column `end`, (n,); NaN where it is not known."""
        ...

    def save(self, folder: Path) -> None:
        """Write the model into an empty folder."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedStore."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class FittedForecaster:
    """A forecaster fitted on the whole history, and the model of drops where the prices were enough for it."""

    prices: StoredForecaster
    drops: DropForecaster | None

    def save(self, folder: Path) -> None:
        """Write both into folders of their own."""
        for name, model in (("prices", self.prices), (DROPS, self.drops)):
            if model is not None:
                (folder / name).mkdir()
                model.save(folder / name)


@dataclass(frozen=True, slots=True)
class FitSteps:
    """A fit of the series `weekly`; `step` is called after each step."""

    weekly: WeeklyPrices
    work: FitWork
    seed: int
    step: Callable[[], object] = int

    def losses(
        self, forecasters: Mapping[str, type[StoredForecaster]], origins: Sequence[int]
    ) -> dict[str, ForecastLosses]:
        """Return the losses of each forecaster in the weeks after each origin.

        All are measured on the same products, which stand for the others. A forecaster is fitted again at each origin
        where that costs little, else once at the earliest one, which later origins forecast with too (Tashman 2000,
        "rolling-origin evaluations", without recalibration).
        """
        sample = self.sample(MEASURED_ROWS)
        digest = digest_of(sample)
        found: dict[str, ForecastLosses] = {}
        for name, kind in forecasters.items():
            for group in self.groups(origins):
                compute = partial(_losses, kind, sample, group)
                key = digest_of(name, *group, digest)
                losses = ForecastLosses(**self.work.result(f"losses-{name}-{group[0]}", key, compute))
                found[name] = found[name] + losses if name in found else losses
                failpoint("prices.measured")
                self.step()
        return found

    def groups(self, origins: Sequence[int]) -> list[Sequence[int]]:
        """Return the origins that one fit each is measured at."""
        rows = min(len(self.weekly) * self.weekly.weeks, MEASURED_ROWS)
        return [[origin] for origin in origins] if rows <= REFITTED_ROWS else [origins]

    def fitted(self, kind: type[StoredForecaster], drops: type[DropForecaster] | None) -> FittedForecaster:
        """Fit the chosen forecaster, and the model of drops, on the whole history of as many products as are needed."""
        sample = self.sample(FIT_ROWS)
        digest, end = digest_of(sample), sample.weeks
        forecaster = self.work.fitted(kind, digest_of(kind.name, digest), lambda: kind().fit(sample, end))
        failpoint("prices.fitted")
        self.step()
        falling = None
        if drops is not None:
            try:
                falling = self.work.fitted(drops, digest_of(DROPS, digest), lambda: drops.fit(sample, end))
            except TooFewEvents:
                falling = None
        self.step()
        return FittedForecaster(forecaster, falling)

    def forecasts(self, fitted: FittedForecaster, chunks: Sequence[Ids]) -> tuple[Floats, Floats]:
        """Return the forecasts of all products (n, HORIZON, quantiles), and the probabilities of drops (n,)."""
        n = len(self.weekly)
        prices = np.full((n, HORIZON, len(QUANTILES)), np.nan, np.float32)
        drops = np.full(n, np.nan, np.float32)
        models = self.work.digest_of_models([fitted.prices, fitted.drops])
        for number, rows in enumerate(chunks):
            part = self.weekly.rows(rows)
            compute = partial(_forecast, fitted, part)
            found = self.work.result(f"chunk-{number:05d}", digest_of(models, part), compute)
            prices[rows], drops[rows] = found["prices"], found["drops"]
            failpoint("prices.chunk")
            self.step()
        return prices, drops

    def sample(self, rows: int) -> WeeklyPrices:
        """Return the series of products drawn by a hash of their ids, of at most so many rows.

        Those with a price in fewer than MIN_ORIGIN weeks are left out, if there are enough others.
        """
        count = max(rows // max(self.weekly.weeks, 1), 1)
        known = (~np.isnan(self.weekly.prices)).sum(axis=1)
        hashes = [zlib.crc32(f"{self.seed} {name}".encode()) for name in self.weekly.product_ids]
        order = np.lexsort((hashes, known < MIN_ORIGIN))[:count]
        return self.weekly.rows(np.sort(order))


def _losses(kind: type[StoredForecaster], sample: WeeklyPrices, origins: Sequence[int]) -> Results:
    """Return the arrays of the losses from some origins on, of one fit at the earliest."""
    fitted = kind().fit(sample, min(origins))
    losses = [ForecastLosses.of(sample, origin, fitted.forecast(sample, origin)) for origin in origins]
    return reduce(add, losses).arrays()


def _forecast(fitted: FittedForecaster, part: WeeklyPrices) -> Results:
    """Return the arrays of one chunk."""
    end = part.weeks
    drops = np.full(len(part), np.nan, np.float32) if fitted.drops is None else fitted.drops.predict(part, end)
    return {"prices": fitted.prices.forecast(part, end).astype(np.float32), "drops": drops.astype(np.float32)}
