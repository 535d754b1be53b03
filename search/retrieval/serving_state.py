"""The serving state: one generation with its encoder, at one state of the catalogue."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from catalog.errors import GenerationError, UnknownProduct
from indexer.encoders.base import Encoder
from indexer.generations.store import Generation
from indexer.suggestions.segment_files import SuggestionWords, map_suggestions
from indexer.types import Floats, Ids, Mask
from search.hits import SearchHit, Verdict
from search.language.english import is_english
from search.query.query_encoder import QueryEncoder
from search.query.refine_token import RefineTokens, signing_key
from search.query.terms import PictureTerm, Query, Term, TextTerm
from search.retrieval.verdict import Calibration, MatchClassifier
from search.state.column_store import ProductColumns
from search.state.row_encoder import RowEncoder
from search.state.snapshot import Snapshot
from search.understanding.kind_nearness import KindNearness
from search.words.word_follower import WordFollower

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServingState:
    """All that a search needs but the catalogue. It never changes, so that all of a page is of one state.

    What is of the shop's products is in `snapshot`, as of one change; the rest depends on generation and encoder only.
    """

    encoder: Encoder
    query_encoder: QueryEncoder
    row_encoder: RowEncoder
    snapshot: Snapshot
    tokens: RefineTokens
    classifier: MatchClassifier
    nearness: KindNearness | None = None
    words: WordFollower | None = None  # None where an earlier version built the generation
    suggestions: SuggestionWords | None = None  # likewise

    @classmethod
    def of(cls, home: Path, snapshot: Snapshot, encoder: Encoder) -> ServingState:
        """Return the state that serves a snapshot with the encoder of its generation."""
        generation = snapshot.generation_rows.generation
        manifest = generation.manifest
        calibration = Calibration.load(home, encoder.fingerprint)
        return cls(
            encoder,
            QueryEncoder(encoder, generation.layout, manifest.weights),
            RowEncoder(home, encoder),
            snapshot,
            RefineTokens(signing_key(home), encoder),
            MatchClassifier(manifest.weights["picture"], manifest.match, calibration),
            KindNearness.open(generation, encoder),
            WordFollower.open(generation),
            _suggestions(generation),
        )

    @property
    def generation(self) -> Generation:
        """The generation."""
        return self.snapshot.generation_rows.generation

    @property
    def number(self) -> int:
        """The generation's number."""
        return self.generation.number

    @property
    def columns(self) -> ProductColumns:
        """The columns of the snapshot."""
        return self.snapshot.columns

    def at(self, snapshot: Snapshot) -> ServingState:
        """Return the same generation at another state of the catalogue."""
        return replace(self, snapshot=snapshot)

    def stored_row(self, product_id: str, key: int) -> Floats:
        """Return the row (dim,) of a product's first picture. Raises UnknownProduct when the index has no row of it."""
        vectors = self.snapshot.rows_of(key).vectors
        if not len(vectors):
            raise UnknownProduct(f"The product {product_id!r} is not in the index yet.", "Index the shop again.")
        return np.asarray(vectors[0], dtype=np.float32)

    def similarity_vectors(self, keys: Sequence[int | None]) -> Floats:
        """Return each product's first row, scaled so that the dot product of two is the mean cosine; zeros for None."""
        rows = self.snapshot.first_rows(np.array([-1 if key is None else key for key in keys], np.int64))
        return self._scaled(rows)

    def rows_of(self, ordinals: Ids) -> Floats:
        """Return the vectors of `similarity_vectors` for products by ordinal (m,)."""
        return self.similarity_vectors(self.columns.keys[ordinals].tolist())

    def nearest(self, vector: Floats, k: int, allowed: Mask) -> Ids:
        """Return the ordinals of at most k allowed products (mask (n,)) most like a vector, the most similar first.

        The vector (dim,) is one of `similarity_vectors`, or a sum of several.
        """
        snapshot = self.snapshot
        count = k * snapshot.rows_per_product
        _, rows = snapshot.search(self._scaled(vector), count, snapshot.rows_allowed(allowed))
        ordinals = snapshot.columns.ordinals(snapshot.keys_of(rows))
        _, first = np.unique(ordinals, return_index=True)
        return ordinals[np.sort(first)][:k]

    def _scaled(self, vectors: Floats) -> Floats:
        layout, weights = self.generation.layout, self.generation.manifest.weights["picture"]
        total = sum(map(abs, weights.values())) or 1.0
        return layout.weigh(vectors, {name: math.sqrt(abs(weight) / total) for name, weight in weights.items()})

    def verdict(self, query: Query, hits: Sequence[SearchHit]) -> Verdict | None:
        """Return whether the shop has what a single photo shows, given the best hits; None for other queries."""
        if not hits:
            return None
        second = hits[1].parts if len(hits) > 1 else None  # the gap to it decides whether the first one is exact
        return self.classifier.verdict(query, hits[0].product.category, hits[0].parts, second)

    def warm_up(self) -> None:
        """Encode and search once, without the catalogue, before a shopper waits for it."""
        no_products = dict[str, tuple[int, Floats]]()
        (encoded,) = self.query_encoder.encode([Query(warm_up_terms(self))], no_products.__getitem__)
        assert encoded.vector is not None
        self.snapshot.search(encoded.vector, 10)
        self.warm_up_tables()

    def warm_up_tables(self) -> None:
        """Read what questions in words are compared with, and what filters look up, so that the first is not late."""
        is_english("a")
        if self.nearness is not None:
            self.nearness.nearest("red shoes", self.columns.categories())
        if not self.snapshot.pushes_down:
            some = np.ones(self.generation.layout.dim, np.float32)
            self.snapshot.search(some, 1, self.snapshot.rows_allowed(self.columns.present))


def _suggestions(generation: Generation) -> SuggestionWords | None:
    try:
        return map_suggestions(generation.folder, generation.manifest)
    except GenerationError as error:
        log.warning("The words for suggestions are read from the catalogue: %s", error)
        return None


def warm_up_terms(state: ServingState) -> tuple[Term, ...]:
    """Return a picture and, where the encoder reads text, a text to warm up with."""
    terms: list[Term] = [PictureTerm(Image.new("RGB", (256, 256), (128, 128, 128)))]
    if state.generation.layout.text_block is not None:
        terms.append(TextTerm("red shoes"))
    return tuple(terms)
