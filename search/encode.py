"""From a query to one vector: what its terms look like, each block times its weight, all added up."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.errors import BadQuery, UnsupportedQuery
from indexer.encoders.base import Encoder, Floats
from indexer.vectors import Layout
from search.query import PictureTerm, ProductTerm, Query, Term, TextTerm

Stored = Callable[[str], tuple[int, Floats]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A query as a vector whose dot product with a row is the score, and the product keys that may not be hits."""

    vector: Floats
    excluded: tuple[int, ...]


class QueryEncoder:
    """Encodes queries. Shared by threads, keeps no state."""

    def __init__(self, encoder: Encoder, layout: Layout, weights: Mapping[str, Mapping[str, float]]) -> None:
        self._encoder = encoder
        self._layout = layout
        self._weights = weights
        self._worded = frozenset(block.name for block in layout.blocks if block.texts)

    def require_texts(self) -> None:
        """Raise UnsupportedQuery when words cannot be encoded."""
        if not self._worded:
            raise UnsupportedQuery(
                f"This shop's encoder, {self._encoder.spec.name!r}, cannot read words.",
                "Search with a picture, or index the shop with an encoder that reads words.",
            )

    def encode(self, queries: Sequence[Query], stored: Stored) -> list[Asked]:
        """Each query's vector; all pictures are encoded in one batch, all words in another.

        `stored` gives a product's key and its stored row.
        """
        pictures = [term.picture for query in queries for term in query.terms if isinstance(term, PictureTerm)]
        words = [term.words for query in queries for term in query.terms if isinstance(term, TextTerm)]
        if words:
            self.require_texts()
        for query in queries:  # refuse what is wrong before the costly part
            self._check_blocks(query)
        pictured = iter(self._layout.queries(self._encoder.encode_images(pictures)) if pictures else ())
        worded = iter(self._layout.queries(self._encoder.encode_texts(words)) if words else ())
        return [self._combine(query, pictured, worded, stored) for query in queries]

    def _combine(self, query: Query, pictured: Iterator[Floats], worded: Iterator[Floats], stored: Stored) -> Asked:
        total = np.zeros(self._layout.dim, dtype=np.float32)
        norm = 0.0
        excluded = []
        for term in query.terms:
            if isinstance(term, ProductTerm):
                key, vector = stored(term.product_id)
                excluded.append(key)
            else:
                vector = next(pictured if isinstance(term, PictureTerm) else worded)
            weights = self._block_weights(query, term)
            total += term.weight * self._layout.weigh(vector, weights)
            norm += abs(term.weight) * sum(map(abs, weights.values()))
        if norm == 0.0:
            raise BadQuery("Every weight of the query is 0.", "Give at least one term and one of its blocks a weight.")
        return Asked(total / np.float32(norm), tuple(excluded))

    def _block_weights(self, query: Query, term: Term) -> dict[str, float]:
        if isinstance(term, TextTerm):
            weights = {**self._weights["text"], **(query.blocks or {})}
            return {name: weight for name, weight in weights.items() if name in self._worded}
        return {**self._weights["picture"], **(query.blocks or {})}

    def _check_blocks(self, query: Query) -> None:
        for name, weight in (query.blocks or {}).items():
            if name not in self._layout.names:
                raise BadQuery(
                    f"There is no block {name!r} to weigh.", f"This shop's blocks are: {', '.join(self._layout.names)}."
                )
            if not math.isfinite(weight) or abs(weight) > 10:
                raise BadQuery(f"The weight of block {name!r} is {weight}, which is outside -10 to 10.", "Use 0 to 1.")
