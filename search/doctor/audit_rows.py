"""What the audit reads, a shop's rows and products with the neighbours of any row, and the findings that it writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.errors import NoGeneration
from catalog.product import Product
from indexer.generations.store import Generation
from indexer.labels.knn import Ints
from indexer.layout import WORDS, RowLayout
from indexer.numeric import chunks
from indexer.types import Floats
from search.engine import SearchEngine

ROWS_PER_CHUNK = 256
OVERFETCH_FACTOR = 4
MIN_CONFIDENCE = 0.3  # findings below it are dropped; chosen in docs/decisions/listing-suggestions.md

ReportProgress = Callable[[str, int, int], object]  # what is being done, how many are done, of how many


@dataclass(frozen=True, slots=True)
class Finding:
    """One suspected fault: its kind, the product, the confidence (0 to 1) and the reason.

    `field` and `proposal` are the field to change and its new value, "" where a person must decide; `others` are the
    products that are evidence of the fault.
    """

    kind: str
    product: Product
    confidence: float
    why: str
    field: str = ""
    proposal: str = ""
    others: tuple[Product, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditRows:
    """A shop as the audit reads it: row `row_numbers[i]` of the generation is a picture of `products[i]`.

    Rows whose product has left the catalogue are left out; `positions` (all rows,) maps rows to i, or to -1.
    """

    engine: SearchEngine
    generation: Generation
    products: Sequence[Product]
    row_numbers: Ints
    positions: Ints

    @classmethod
    def of(cls, engine: SearchEngine) -> AuditRows:
        """Read the shop's current generation. Raises NoGeneration when none of its products is in the catalogue."""
        generation = engine.generation
        known: dict[int, Product] = {}
        keys = np.unique(generation.product_keys)
        for part in chunks(len(keys), ROWS_PER_CHUNK):
            known.update(engine.present(keys[part].tolist()))
        numbers = np.flatnonzero(np.isin(generation.product_keys, np.fromiter(known, np.int64, len(known))))
        if not len(numbers):
            raise NoGeneration("No product of the index is in the catalogue any more.", "Index the shop again.")
        positions = np.full(len(generation.rows), -1, np.int64)
        positions[numbers] = np.arange(len(numbers))
        products = [known[key] for key in generation.product_keys[numbers].tolist()]
        return cls(engine, generation, products, numbers, positions)

    def __len__(self) -> int:
        return len(self.row_numbers)

    @property
    def layout(self) -> RowLayout:
        """The row layout of the generation."""
        return self.generation.layout

    def rows(self, places: Ints | slice) -> Floats:
        """Return the rows at `places`, float32 (n, dim)."""
        return np.asarray(self.generation.rows[self.row_numbers[places]], np.float32)

    def hash_of(self, place: int) -> str:
        """Return the content hash of a row's picture."""
        return bytes(self.generation.picture_hashes[self.row_numbers[place]]).decode()

    def picture_queries(self, places: slice, weights: dict[str, float]) -> Floats:
        """Return query vectors (n, dim) of pictures: the dot product with a row is their mean cosine, at most 1."""
        return self.layout.query(self.rows(places)[:, : self.layout.encoder_dim], weights)

    def title_queries(self, places: slice) -> Floats:
        """Return query vectors (n, dim) of titles, scaled as `picture_queries`; the layout must have "words"."""
        words = np.zeros((places.stop - places.start, self.layout.encoder_dim), np.float32)
        words[:, self.layout.slice(self.layout.text_block or "")] = self.rows(places)[:, self.layout.slice(WORDS)]
        return self.layout.query(words, self.generation.manifest.weights["text"])

    def nearest(self, queries: Floats, k: int) -> tuple[Floats, Ints]:
        """Return scores and places of the k best rows of each query (m, dim), best first; -inf and -1 pad them.

        The index retrieves candidates and exact dot products rerank them, so n queries take n log n, not n².
        """
        retrieved = self.generation.vectors.propose(queries, OVERFETCH_FACTOR * k)
        near = np.where(retrieved < 0, -1, self.positions[np.maximum(retrieved, 0)])
        exact = np.einsum("nkd,nd->nk", self.rows(np.maximum(near, 0).ravel()).reshape(*near.shape, -1), queries)
        exact[near < 0] = -np.inf
        best = np.argsort(-exact, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(exact, best, 1), np.take_along_axis(near, best, 1)
