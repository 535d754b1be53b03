"""The probability that a visitor buys an item of one space within a horizon: boosted trees over `features`."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from typing_extensions import Self

from catalog.errors import DamagedStore
from catalog.extras import import_extra
from indexer.numeric import chunks
from indexer.types import Floats
from search.recommend.outlook.features import VisitorLog, pair_features
from search.recommend.outlook.item_facts import ItemFacts
from search.recommend.outlook.item_space import ItemSpace
from search.recommend.outlook.purchase_days import Keys
from search.recommend.outlook.training_pairs import LabelledPairs, eligible
from search.trees.tree_ensemble import TreeEnsemble

ITERATIONS, LEARNING_RATE, LEAVES, MIN_LEAF = 80, 0.08, 16, 200
# A small log gets fewer trees of larger leaves, else they learn its chance.
PAIRS_PER_TREE, MIN_LEAF_SHARE = 60, 0.1
FEATURE_SHARE = 0.3  # of the features that a split chooses from: most of them say much the same
SEED = 17
BATCH = 50_000  # pairs whose features are in memory at once
_TREES, _ARRAYS, _SPACE = "trees.onnx", "facts.npz", "space.json"


@dataclass(frozen=True, slots=True, eq=False)
class PurchaseModel:
    """A fitted model: trees, the facts of items as of the fit, and the space of items.

    `complete` says whether every eligible item counts for a visitor, or only what the visitor has an event on.
    """

    space: ItemSpace
    facts: ItemFacts
    trees: TreeEnsemble
    complete: bool

    def keys(self, log: VisitorLog) -> Keys:
        """Return the pairs that have a probability, as ascending keys: visitor * items + item."""
        return eligible(log, self.facts, complete=self.complete)

    def predict(self, log: VisitorLog, keys: Keys) -> Floats:
        """Return the probability of each pair, float32 (m,), as of the time of the log."""
        if not len(keys):
            return np.empty(0, np.float32)
        parts = [keys[part] for part in chunks(len(keys), BATCH)]
        return np.concatenate([self.trees.predict(pair_features(log, self.facts, part)) for part in parts])

    def save(self, folder: Path) -> None:
        """Write the model into an empty folder."""
        self.trees.save(folder / _TREES)
        facts = {field.name: getattr(self.facts, field.name) for field in fields(self.facts)}
        np.savez(folder / _ARRAYS, item_of=self.space.item_of, parent_of=self.space.parent_of, **facts)
        described = {"parents": self.space.parents, "complete": self.complete}
        (folder / _SPACE).write_text(json.dumps(described), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedStore."""
        trees = TreeEnsemble.load(folder / _TREES)
        try:
            described = json.loads((folder / _SPACE).read_text(encoding="utf-8"))
            with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
                space = ItemSpace(arrays["item_of"], arrays["parent_of"], int(described["parents"]))
                facts = ItemFacts(**{field.name: arrays[field.name] for field in fields(ItemFacts)})
            return cls(space, facts, trees, bool(described["complete"]))
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
            raise DamagedStore(f"{folder} holds no model: {error}", "Fit the recommender again.") from error


def fit_trees(pairs: LabelledPairs) -> Any:
    """Return scikit-learn's boosted trees, fitted on weighted pairs. Raises MissingExtra."""
    ensemble = import_extra("recs", "sklearn.ensemble", "Fitting the outlook")
    count = len(pairs.labels)
    trees = ensemble.HistGradientBoostingClassifier(
        max_iter=int(np.clip(count // PAIRS_PER_TREE, 20, ITERATIONS)),
        learning_rate=LEARNING_RATE,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=int(np.clip(count * MIN_LEAF_SHARE, 5, MIN_LEAF)),
        l2_regularization=1.0,
        max_features=FEATURE_SHARE,
        early_stopping=False,
        random_state=SEED,
    )
    return trees.fit(pairs.features, pairs.labels, sample_weight=pairs.weights)
