"""How probably a price falls by 5 % within four weeks: boosted trees over past prices, calibrated on later weeks."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from typing_extensions import Self

from catalog.errors import DamagedStore, TooFewEvents
from indexer.types import Floats, Ids, Mask
from search.pricing.flags.calibration import LogitScale
from search.pricing.flags.drop_features import DropFeatures
from search.pricing.flags.outcomes import AHEAD, RECENT
from search.pricing.flags.precision import FlagPrecision, choose_threshold
from search.pricing.flags.rules import PriceWindow, known_prices
from search.pricing.series.weekly_prices import WeeklyPrices
from search.trees.tree_ensemble import TreeEnsemble, fit_trees

FIRST = 8  # columns before the first moment that is learnt from
MOMENTS = 40  # the newest ones
HELD_OUT = 6  # newest moments, for the calibration, the threshold and its precision
MAX_ROWS = 200_000
MIN_ROWS = 500
SETTINGS = {
    "max_iter": 120,
    "learning_rate": 0.06,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 200,
    "max_features": 0.3,  # of those that a split chooses from: most of them say much the same
}
MIN_LEAF_SHARE = 0.02  # of the rows, in place of min_samples_leaf for few rows
SEED = 17
_TREES, _SETTINGS = "drops.onnx", "drops.json"


@dataclass(frozen=True, slots=True, eq=False)
class DropModel:
    """A fitted model.

    `threshold` is the least probability at which "often cheaper" is said, None where no threshold had the wanted
    precision on the weeks held out; `precision` is what it had there.
    """

    trees: TreeEnsemble
    scale: LogitScale
    uses_calendar: bool
    threshold: float | None
    precision: FlagPrecision | None

    @classmethod
    def fit(cls, weekly: WeeklyPrices, end: int, *, calendar: bool | None = None) -> Self:
        """Fit on the columns before `end`, with the calendar of promotions or not; None: where it has some ahead.

        Raises MissingExtra, TooFewEvents where the prices are too few or do not fall.
        """
        planned = weekly.calendar is not None and calendar is not False
        if weekly.calendar is not None and calendar is None:
            week = weekly.first + end
            planned = bool(weekly.calendar.between(week, week + AHEAD).any())
        features = DropFeatures(weekly, calendar=planned)
        end = weekly.whole_before(end)  # the price may still fall in a week that is not over
        ends = range(max(FIRST, end - AHEAD - MOMENTS) + 1, end - AHEAD + 1)  # their outcomes are known before `end`
        later = ends[-HELD_OUT:]
        # What the first trees learn from is over when the first moment held out begins.
        earlier = range(ends.start, later.start - AHEAD + 1)
        held_out = _cases(weekly, features, later)
        found = _trees(_cases(weekly, features, earlier)).predict(held_out.features)
        scale = LogitScale.fit(found, held_out.labels)
        chosen = choose_threshold(scale.of(found), held_out.labels, held_out.products, held_out.was_cheaper)
        return cls(_trees(_cases(weekly, features, ends)), scale, planned, *chosen)

    def predict(self, weekly: WeeklyPrices, end: int) -> Floats:
        """Return the probability of each product as of the column before `end`, float32 (n,).

        NaN for a product whose price was not known in the RECENT weeks before `end`.
        """
        found = self.scale.of(self.trees.predict(DropFeatures(weekly, calendar=self.uses_calendar).at(end)))
        unknown = np.isnan(known_prices(weekly.prices[:, max(end - RECENT, 0) : end])).all(axis=1)
        return np.where(unknown, np.float32(np.nan), found).astype(np.float32)

    def waits(self, probabilities: Floats) -> Mask:
        """Return which probabilities (n,) are high enough for "often cheaper"; False for NaN."""
        if self.threshold is None:
            return np.zeros(len(probabilities), bool)
        return np.asarray(probabilities >= np.float32(self.threshold), bool)

    def save(self, folder: Path) -> None:
        """Write the model into a folder, which may have other files."""
        self.trees.save(folder / _TREES)
        described = {
            "scale": asdict(self.scale),
            "uses_calendar": self.uses_calendar,
            "threshold": self.threshold,
            "precision": None if self.precision is None else asdict(self.precision),
        }
        (folder / _SETTINGS).write_text(json.dumps(described), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedStore."""
        trees = TreeEnsemble.load(folder / _TREES)
        try:
            described = json.loads((folder / _SETTINGS).read_text(encoding="utf-8"))
            threshold, precision = described["threshold"], described["precision"]
            return cls(
                trees,
                LogitScale(**described["scale"]),
                bool(described["uses_calendar"]),
                None if threshold is None else float(threshold),
                None if precision is None else FlagPrecision(**precision),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DamagedStore(
                f"{folder} holds no model of falling prices: {error}", "Fit the models again."
            ) from error


@dataclass(frozen=True, slots=True, eq=False)
class _Cases:
    """Products at moments whose outcome is known: features (m, f); whether the price fell, the product, and whether it
    was cheaper before, (m,) each.
    """

    features: Floats
    labels: Mask
    products: Ids
    was_cheaper: Mask


def _cases(weekly: WeeklyPrices, features: DropFeatures, ends: range) -> _Cases:
    """Return the cases of moments. Raises TooFewEvents."""
    rng = np.random.default_rng(SEED)
    parts: list[tuple[Floats, Mask, Ids, Mask]] = []
    for end in ends:
        outcomes = features.outcomes[:, end - 1]
        rows = np.flatnonzero(~np.isnan(outcomes))
        if len(rows) > MAX_ROWS // len(ends):
            rows = np.sort(rng.choice(rows, MAX_ROWS // len(ends), replace=False))
        was_cheaper = PriceWindow.of_weekly(weekly, end).was_cheaper()
        parts.append((features.at(end)[rows], outcomes[rows] == 1, rows, was_cheaper[rows]))
    cases = _Cases(*(np.concatenate(column) for column in zip(*parts, strict=True))) if parts else None
    if cases is None or len(cases.labels) < MIN_ROWS or cases.labels.all() or not cases.labels.any():
        raise TooFewEvents(
            f"The prices of {len(weekly)} products in {len(ends)} weeks are too few to learn when prices fall.",
            "Fit again when more weeks of prices are known, or import past prices.",
        )
    return cases


def _trees(cases: _Cases) -> TreeEnsemble:
    least = min(SETTINGS["min_samples_leaf"], max(int(len(cases.labels) * MIN_LEAF_SHARE), 1))
    return fit_trees(cases.features, cases.labels, **{**SETTINGS, "min_samples_leaf": least})
