"""The outlook of a visitor: what the visitor probably buys within the next days, and what it is time to buy again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from catalog.errors import DamagedStore
from indexer.types import Floats, Mask
from search.recommend.events.interactions import History, Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.outlook.features import VisitorLog
from search.recommend.outlook.item_space import category_space, product_space
from search.recommend.outlook.purchase_days import UNKNOWN, Keys, Rhythm
from search.recommend.outlook.purchase_model import PurchaseModel, fit_trees
from search.recommend.outlook.training_pairs import Horizon, facts_at, sample_visitors, training_pairs
from search.trees.tree_ensemble import TreeEnsemble

DAYS = 14
MIN_DUE_TIMES = 2  # purchase days from which on a product can be due
MIN_DUE_GAPS = 0.8  # time since the last purchase, in usual gaps
MIN_DUE_PROBABILITY = 0.2
_CATEGORIES, _PRODUCTS, _ABOUT = "categories", "products", "outlook.json"


@dataclass(frozen=True, slots=True)
class LikelyCategory:
    """A category by its path, and the probability that the visitor buys in it."""

    path: str
    probability: float


@dataclass(frozen=True, slots=True)
class LikelyProduct:
    """A product by its position in the table, the probability that the visitor buys it, and on how many days it did.

    `gap_days` is the visitor's usual time between two purchases of it, None before the second one; `since_days` are
    the whole days since the last one, None before the first.
    """

    product: int
    probability: float
    times: int
    gap_days: float | None
    since_days: int | None


class Outlook:
    """Predicts purchases of visitors within `days`; it holds facts of items alone, and no visitor."""

    name: ClassVar[str] = "outlook"

    def __init__(
        self, categories: PurchaseModel, products: PurchaseModel, paths: tuple[str, ...], days: int = DAYS
    ) -> None:
        self.category_model = categories
        self.product_model = products
        self.days = days
        self._paths = paths

    @classmethod
    def fit(cls, events: Interactions, products: ProductTable, now: int, days: int = DAYS) -> Self:
        """Fit on events before `now`, unix seconds. Raises TooFewEvents, MissingExtra."""
        events = sample_visitors(events.between(0, now))
        space, paths = category_space(products)
        models = [
            _fit(events, Horizon(space, days, complete=True), now),
            _fit(events, Horizon(product_space(products), days, complete=False), now),
        ]
        return cls(models[0], models[1], paths, days)

    def categories(self, visitor: History, now: int, k: int) -> list[LikelyCategory]:
        """Return the k categories of the second level that the visitor most probably buys in, best first."""
        log = _log_of(visitor, self.category_model, now)
        keys = self.category_model.keys(log)
        probabilities = self.category_model.predict(log, keys)
        best = np.argsort(-probabilities, kind="stable")[:k]
        return [LikelyCategory(self._paths[keys[i]], float(probabilities[i])) for i in best]

    def products(self, visitor: History, now: int, k: int) -> list[LikelyProduct]:
        """Return the k products that the visitor most probably buys, of those that it has an event on, best first."""
        return self._likely_products(visitor, now, k, due=False)

    def due(self, visitor: History, now: int, k: int) -> list[LikelyProduct]:
        """Return up to k products that it is time to buy again, most probable first; see `due_mask`."""
        return self._likely_products(visitor, now, k, due=True)

    def save(self, folder: Path) -> None:
        """Write both models into an empty folder."""
        for name, model in ((_CATEGORIES, self.category_model), (_PRODUCTS, self.product_model)):
            (folder / name).mkdir()
            model.save(folder / name)
        about = {"days": self.days, "categories": self._paths}
        (folder / _ABOUT).write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedStore."""
        categories, products = (PurchaseModel.load(folder / name) for name in (_CATEGORIES, _PRODUCTS))
        try:
            about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
            return cls(categories, products, tuple(about["categories"]), int(about["days"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DamagedStore(f"{folder} holds no outlook: {error}", "Fit the recommender again.") from error

    def _likely_products(self, visitor: History, now: int, k: int, *, due: bool) -> list[LikelyProduct]:
        log = _log_of(visitor, self.product_model, now)
        keys = self.product_model.keys(log)
        probabilities = self.product_model.predict(log, keys)
        rhythm = log.item_rhythm.at(log.by_item, keys)
        rows = np.flatnonzero(due_mask(rhythm, probabilities)) if due else np.arange(len(keys))
        best = rows[np.argsort(-probabilities[rows], kind="stable")][:k]
        return [_likely(keys, probabilities, rhythm, int(row)) for row in best]


def due_mask(rhythm: Rhythm, probabilities: Floats) -> Mask:
    """Return which products (m,) it is time to buy again.

    The visitor bought them on at least two days, about as long ago as usual or longer, and probably buys them within
    the horizon. So a durable that was bought once is never due.
    """
    ripe = rhythm.last >= MIN_DUE_GAPS * rhythm.gap_median
    return (rhythm.counts >= MIN_DUE_TIMES) & ripe & (probabilities >= MIN_DUE_PROBABILITY)


def _fit(events: Interactions, horizon: Horizon, now: int) -> PurchaseModel:
    trees = TreeEnsemble.from_sklearn(fit_trees(training_pairs(events, horizon, now)))
    facts = facts_at(VisitorLog(events, horizon.space, now), horizon.days)
    return PurchaseModel(horizon.space, facts, trees, horizon.complete)


def _log_of(visitor: History, model: PurchaseModel, now: int) -> VisitorLog:
    """Return a log of one visitor, number 0."""
    events = Interactions.of([b""], np.zeros(len(visitor), np.int32), visitor)
    return VisitorLog(events, model.space, now)


def _likely(keys: Keys, probabilities: NDArray[np.float32], rhythm: Rhythm, row: int) -> LikelyProduct:
    times, gap = int(rhythm.counts[row]), float(rhythm.gap_median[row])
    since = int(rhythm.last[row]) if times else None
    return LikelyProduct(int(keys[row]), float(probabilities[row]), times, None if gap == UNKNOWN else gap, since)
