"""Listing suggestions that use merchant feedback: decided listings join the k-NN neighbours immediately.

So a category that no product has works from its first few decisions, before the heads are refitted.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np

from catalog.files.atomic import stat_mark
from catalog.home import ShopHome
from catalog.product import Picture, Product
from indexer.labels.examples import neighbour_queries, words_slice
from indexer.labels.heads import LabelHeads
from indexer.labels.knn import KNN_NEIGHBOURS
from indexer.labels.network import LabelNetwork
from indexer.layout import RowLayout
from indexer.types import Floats
from search.engine import SearchEngine
from search.hits import SearchHit
from search.listings.attribute_fields import CATEGORY
from search.listings.decision_store import DECISION_PREFIX, DecidedListing, DecisionStore
from search.listings.suggester import Listing, ListingSuggester, ShopNeighbours, runtime_of


class FeedbackNeighbours:
    """Finds the nearest of the shop's products and of the listings that merchants decided on."""

    def __init__(self, engine: SearchEngine, examples: Sequence[DecidedListing]) -> None:
        self._shop = ShopNeighbours(engine)
        self._layout = engine.generation.layout
        self._weights = engine.generation.manifest.weights["picture"]
        self._products = [_product(example) for example in examples]
        parts = [rows_from_bytes(example.vectors, self._layout.dim) for example in examples]
        self._rows = np.concatenate([np.zeros((0, self._layout.dim), np.float32), *parts])
        self._owners = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        self._filled = filled_share(self._layout, self._rows, self._weights)

    def __call__(self, listing: Listing, rows: Floats) -> tuple[SearchHit, ...]:
        """Return the best hits, scored as the engine scores products."""
        hits = self._shop(listing, rows)
        if not len(self._rows):
            return hits
        words = words_slice(self._layout)
        mean = rows.mean(axis=0, keepdims=True)
        mean[:, words] = rows[0, words]
        (query,) = neighbour_queries(self._layout, self._weights, mean, titled=bool(mean[:, words].any()))
        best = np.full(len(self._products), -np.inf, np.float32)
        np.maximum.at(best, self._owners, self._rows @ query / self._filled)
        order = np.argsort(-best, kind="stable")[:KNN_NEIGHBOURS]
        decided = [SearchHit(self._products[i], Picture(""), float(best[i]), {}) for i in order.tolist()]
        merged = sorted([*hits, *decided], key=lambda hit: (-hit.score, hit.product.id))
        return tuple(merged[:KNN_NEIGHBOURS])


class FeedbackSuggester(ListingSuggester):
    """A suggester whose neighbours include decided listings."""

    def __init__(
        self,
        engine: SearchEngine,
        heads: LabelHeads | None,
        examples: Sequence[DecidedListing],
        network: LabelNetwork | None = None,
    ) -> None:
        super().__init__(engine, heads, network, FeedbackNeighbours(engine, examples))
        self._examples = examples

    def choices(self) -> dict[str, list[str]]:
        """Return every known value of each field: of products, heads and earlier decisions."""
        found = {CATEGORY: set(self._engine.categories())}
        for field, head in self._heads.items():
            found.setdefault(field, set()).update(head.names)
        for example in self._examples:
            for field, value in example.labels.items():
                found.setdefault(field, set()).add(value)
        return {field: sorted(names) for field, names in found.items()}


class SuggesterCache:
    """Caches the suggester of an open shop until its index, heads or decisions change. Threads may share it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._cached: tuple[object, FeedbackSuggester] | None = None
        self._network: tuple[object, LabelNetwork | None] = (None, None)

    def get(self, engine: SearchEngine) -> FeedbackSuggester:
        """Return the current suggester. Raises DamagedGeneration, EncoderUnavailable, StoreError."""
        shop = ShopHome(self._home)
        heads_mark, network_mark = stat_mark(shop.label_heads), stat_mark(shop.label_network)
        decisions = DecisionStore(self._home)
        fingerprint = engine.encoder.fingerprint
        manifest = engine.generation.manifest  # its address in memory might be that of an earlier one
        mark = (manifest.number, manifest.created, fingerprint, heads_mark, network_mark, decisions.changes())
        with self._lock:
            if self._cached is None or self._cached[0] != mark:
                heads = LabelHeads.load(self._home, fingerprint)
                network = self._network_of(engine, (fingerprint, network_mark))
                self._cached = (mark, FeedbackSuggester(engine, heads, decisions.examples(fingerprint), network))
            return self._cached[1]

    def _network_of(self, engine: SearchEngine, mark: object) -> LabelNetwork | None:
        """Return the shop's network, read again only when its file changes; one that was not ready is tried again."""
        if self._network[0] != mark or self._network[1] is None:
            network = LabelNetwork.load(self._home, engine.encoder.fingerprint, runtime_of(engine))
            self._network = (mark, network)
        return self._network[1]


def rows_from_bytes(vectors: bytes, dim: int) -> Floats:
    """Return rows (n, dim) from their float16 bytes, blocks of unit length; no rows where the layout was another."""
    if len(vectors) % (2 * dim):
        return np.zeros((0, dim), np.float32)
    return np.frombuffer(vectors, np.float16).astype(np.float32).reshape(-1, dim)


def filled_share(layout: RowLayout, rows: Floats, weights: Mapping[str, float]) -> Floats:
    """Return the share of the weights whose blocks a row has: a row without a title is compared by its picture only."""
    total = sum(map(abs, weights.values())) or 1.0
    filled = sum(
        (np.abs(rows[:, layout.slice(b.name)]).any(axis=1) * abs(weights.get(b.name, 0.0)) for b in layout.blocks),
        np.zeros(len(rows)),
    )
    return np.where(filled == 0, 1.0, filled / total).astype(np.float32)


def _product(example: DecidedListing) -> Product:
    attributes = {field: value for field, value in example.labels.items() if field != CATEGORY}
    category = example.labels.get(CATEGORY, "")
    return Product(DECISION_PREFIX + example.item, "", (), category, attributes=MappingProxyType(attributes))
