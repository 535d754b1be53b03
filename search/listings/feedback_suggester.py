"""Suggestions by a shop that has been taught: what merchants decided counts among the look-alikes at once.

So a category that no product has works from its first few decisions, long before heads are learnt anew.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np

from catalog.files.atomic import stat_mark
from catalog.product import Picture, Product
from indexer.labels.heads import FILE, LabelHeads
from indexer.labels.knn import NEIGHBOURS
from indexer.labels.network import FILE as NETWORK
from indexer.labels.network import LabelNetwork
from indexer.layout import RowLayout
from indexer.types import Floats
from search.engine import SearchEngine
from search.hits import SearchHit
from search.listings.attribute_fields import CATEGORY
from search.listings.decision_store import DecisionStore, Example
from search.listings.suggester import Listing, ListingSuggester, runtime_of

DECIDED = "decided:"  # begins the ids of neighbours that are decisions, not products


class FeedbackSuggester(ListingSuggester):
    """A lister whose neighbours are the shop's products and the listings that merchants decided on."""

    def __init__(
        self,
        engine: SearchEngine,
        heads: LabelHeads | None,
        examples: Sequence[Example],
        network: LabelNetwork | None = None,
    ) -> None:
        super().__init__(engine, heads, network)
        self._layout = engine.generation.layout
        self._weights = engine.generation.manifest.weights["picture"]
        self._learnt = tuple(heads.heads) if heads else ()
        self._known = [_product(one) for one in examples]
        parts = [rows_of(one.vectors, self._layout.dim) for one in examples]
        self._rows = np.concatenate([np.zeros((0, self._layout.dim), np.float32), *parts])
        self._of = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        self._filled = filled_share(self._layout, self._rows, self._weights)

    def choices(self) -> dict[str, list[str]]:
        """What can be chosen for each field: what products, heads and earlier decisions say."""
        found = {CATEGORY: set(self._engine.categories())}
        for field in self._learnt:
            found.setdefault(field, set()).update(self._heads[field].names)
        for one in self._known:
            found[CATEGORY].update(filter(None, [one.category]))
            for field, value in one.attributes.items():
                found.setdefault(field, set()).add(value)
        return {field: sorted(names) for field, names in found.items()}

    def _neighbours(self, listing: Listing, rows: Floats) -> tuple[SearchHit, ...]:
        hits = super()._neighbours(listing, rows)
        if not len(self._rows):
            return hits
        scores = self._rows @ self._asked(rows) / self._filled
        best = np.full(len(self._known), -np.inf, np.float32)
        np.maximum.at(best, self._of, scores)
        order = np.argsort(-best, kind="stable")[:NEIGHBOURS]
        taught = [SearchHit(self._known[i], Picture(""), float(best[i]), {}) for i in order.tolist()]
        merged = sorted([*hits, *taught], key=lambda hit: (-hit.score, hit.product.id))
        return tuple(merged[:NEIGHBOURS])

    def _asked(self, rows: Floats) -> Floats:
        """The vector that the engine compares rows with, for the same views: the mean of the blocks' cosines."""
        layout, weights = self._layout, self._weights
        encoded = rows[:, : layout.encoder_dim].mean(axis=0)
        total = sum(map(abs, weights.values()))
        asked = layout.weigh(layout.queries(encoded), weights)
        words = rows[0, layout.encoder_dim :]
        if layout.text_block is not None and words.any():
            title = np.zeros(layout.encoder_dim, np.float32)
            title[layout.slice(layout.text_block)] = words
            asked, total = asked + layout.weigh(layout.queries(title), weights), 2 * total
        return np.asarray(asked / np.float32(total or 1.0), np.float32)


class SuggesterCache:
    """The lister of an open shop, made anew when its index, its heads or its decisions have changed. For threads."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._made: tuple[object, FeedbackSuggester] | None = None
        self._network: tuple[object, LabelNetwork | None] = (None, None)

    def get(self, engine: SearchEngine) -> FeedbackSuggester:
        """The lister for what the shop knows now. Raises DamagedGeneration, EncoderUnavailable, StoreError."""
        heads_mark, network_mark = (stat_mark(self._home / name) for name in (FILE, NETWORK))
        decisions = DecisionStore(self._home)
        fingerprint = engine.encoder.fingerprint
        mark = (id(engine.generation), fingerprint, heads_mark, network_mark, decisions.changes())
        with self._lock:
            if self._made is None or self._made[0] != mark:
                heads = LabelHeads.load(self._home, fingerprint)
                network = self._network_of(engine, (fingerprint, network_mark))
                self._made = (mark, FeedbackSuggester(engine, heads, decisions.examples(fingerprint), network))
            return self._made[1]

    def _network_of(self, engine: SearchEngine, mark: object) -> LabelNetwork | None:
        """The shop's network, read when it is another, not after every decision; one not ready is tried again."""
        if self._network[0] != mark or self._network[1] is None:
            network = LabelNetwork.load(self._home, engine.encoder.fingerprint, runtime_of(engine))
            self._network = (mark, network)
        return self._network[1]


def rows_of(vectors: bytes, dim: int) -> Floats:
    """Rows from their float16 bytes, (n, dim) with blocks of unit length; none where the layout was another."""
    numbers = (
        np.frombuffer(vectors, np.float16).astype(np.float32) if len(vectors) % 2 == 0 else np.zeros(0, np.float32)
    )
    return numbers.reshape(-1, dim) if len(numbers) % dim == 0 else np.zeros((0, dim), np.float32)


def filled_share(layout: RowLayout, rows: Floats, weights: Mapping[str, float]) -> Floats:
    """The share of the weights whose blocks a row has: one without a title is compared by its picture alone."""
    total = sum(map(abs, weights.values())) or 1.0
    filled = sum(
        (np.abs(rows[:, layout.slice(b.name)]).any(axis=1) * abs(weights.get(b.name, 0.0)) for b in layout.blocks),
        np.zeros(len(rows)),
    )
    return np.where(filled == 0, 1.0, filled / total).astype(np.float32)


def _product(example: Example) -> Product:
    attributes = {field: value for field, value in example.labels.items() if field != CATEGORY}
    category = example.labels.get(CATEGORY, "")
    return Product(DECIDED + example.item, "", (), category, attributes=MappingProxyType(attributes))
