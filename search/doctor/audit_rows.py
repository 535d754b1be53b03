"""What the catalogue doctor looks at: a shop's rows and products, the findings, and neighbours of all rows."""

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

AT_ONCE = 256
OVERFETCH = 4
LEAST_SURE = 0.3  # what is less sure is not told; chosen in docs/decisions.md

Step = Callable[[str, int, int], object]  # what is being done, how much of it is done, of how many


@dataclass(frozen=True, slots=True)
class Finding:
    """One suspected fault: what (`kind`), of which product, how sure (0 to 1), why, and what would mend it.

    `field` and `proposal` are the field to change and its value, "" where a person must look; `others` are the
    products that show it.
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
    """A shop as the doctor reads it: row `numbers[i]` of the generation is a picture of `products[i]`.

    Rows whose product has left the catalogue are left out; `place` (all rows,) maps rows to i, or -1.
    """

    engine: SearchEngine
    generation: Generation
    products: Sequence[Product]
    numbers: Ints
    place: Ints

    @classmethod
    def of(cls, engine: SearchEngine) -> AuditRows:
        """The shop's current generation. Raises NoGeneration when none of its products is in the catalogue."""
        generation = engine.generation
        known: dict[int, Product] = {}
        keys = np.unique(generation.product_keys)
        for part in chunks(len(keys), AT_ONCE):
            known.update(engine.present(keys[part].tolist()))
        numbers = np.flatnonzero(np.isin(generation.product_keys, np.fromiter(known, np.int64, len(known))))
        if not len(numbers):
            raise NoGeneration("No product of the index is in the catalogue any more.", "Index the shop again.")
        place = np.full(len(generation.rows), -1, np.int64)
        place[numbers] = np.arange(len(numbers))
        products = [known[key] for key in generation.product_keys[numbers].tolist()]
        return cls(engine, generation, products, numbers, place)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def layout(self) -> RowLayout:
        """The blocks of the rows."""
        return self.generation.layout

    def rows(self, places: Ints | slice) -> Floats:
        """Rows, float32 (n, dim)."""
        return np.asarray(self.generation.rows[self.numbers[places]], np.float32)

    def hash_of(self, place: int) -> str:
        """The content hash of a row's picture."""
        return bytes(self.generation.picture_hashes[self.numbers[place]]).decode()

    def asking(self, places: slice, weights: dict[str, float]) -> Floats:
        """Queries (n, dim) by which pictures ask for pictures: the product with a row is their likeness, at most 1."""
        used = {name: weights.get(name, 0.0) for name in self.layout.names}
        encoded = self.rows(places)[:, : self.layout.encoder_dim]
        asked = self.layout.weigh(self.layout.queries(encoded), used)
        return np.asarray(asked / np.float32(sum(used.values()) or 1.0), dtype=np.float32)

    def titles(self, places: slice) -> Floats:
        """Queries (n, dim) by which titles ask, as `asking` does; only where the layout has words."""
        weights = self.generation.manifest.weights["text"]
        words = np.zeros((places.stop - places.start, self.layout.encoder_dim), np.float32)
        words[:, self.layout.slice(self.layout.text_block or "")] = self.rows(places)[:, self.layout.slice(WORDS)]
        used = {name: weights.get(name, 0.0) for name in self.layout.names}
        asked = self.layout.weigh(self.layout.queries(words), used)
        return np.asarray(asked / np.float32(sum(used.values()) or 1.0), dtype=np.float32)

    def nearest(self, queries: Floats, k: int) -> tuple[Floats, Ints]:
        """The k best rows of each query (m, dim): scores and places, best first; -inf and -1 where there are fewer.

        The index proposes and exact products decide, as in a search: n queries take n log n, not n².
        """
        record = self.generation.manifest.index
        proposed = self.generation.index.search(queries, OVERFETCH * k, None, max(1, record.nprobe))[1]
        near = np.where(proposed < 0, -1, self.place[np.maximum(proposed, 0)])
        exact = np.einsum("nkd,nd->nk", self.rows(np.maximum(near, 0).ravel()).reshape(*near.shape, -1), queries)
        exact[near < 0] = -np.inf
        best = np.argsort(-exact, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(exact, best, 1), np.take_along_axis(near, best, 1)
