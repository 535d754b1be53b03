"""A generation that is being served, with the encoder that reads it, at one state of the catalogue."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from catalog.errors import UnknownProduct
from indexer.encoders.base import Encoder
from indexer.generations.store import Generation
from indexer.types import Floats
from search.hits import SearchHit, Verdict
from search.query.query_encoder import QueryEncoder
from search.query.refine_token import RefineTokens, signing_key
from search.query.terms import PictureTerm, Query, Term, TextTerm
from search.retrieval.verdict import Calibration, MatchClassifier
from search.state.column_store import ProductColumns
from search.state.row_encoder import RowEncoder
from search.state.snapshot import GenerationRows, Snapshot


@dataclass(frozen=True, slots=True)
class ServingState:
    """All that a search needs but the catalogue; never changed, so that an answer is of one piece."""

    encoder: Encoder
    questions: QueryEncoder
    rows: RowEncoder
    snapshot: Snapshot
    columns: ProductColumns
    tokens: RefineTokens
    judge: MatchClassifier

    @classmethod
    def of(
        cls,
        home: Path,
        generation: Generation,
        encoder: Encoder,
        columns: ProductColumns,
        rows: RowEncoder | None = None,
    ) -> ServingState:
        """A generation as it was built; `columns` are of the catalogue as it is then or later, `rows` those of another
        generation, when the encoder is the same.
        """
        questions = QueryEncoder(encoder, generation.layout, generation.manifest.weights)
        manifest = generation.manifest
        judge = MatchClassifier(
            manifest.weights["picture"], manifest.match, Calibration.load(home, encoder.fingerprint)
        )
        tokens = RefineTokens(signing_key(home), encoder)
        snapshot = Snapshot.of(GenerationRows(generation))
        return cls(encoder, questions, rows or RowEncoder(home, encoder), snapshot, columns, tokens, judge)

    @property
    def generation(self) -> Generation:
        """The generation."""
        return self.snapshot.shelf.generation

    @property
    def number(self) -> int:
        """The generation's number."""
        return self.generation.number

    @property
    def state(self) -> tuple[Snapshot, ProductColumns]:
        """What a change of the catalogue changes."""
        return self.snapshot, self.columns

    def at(self, snapshot: Snapshot, columns: ProductColumns) -> ServingState:
        """The same generation at another state of the catalogue."""
        return replace(self, snapshot=snapshot, columns=columns)

    def stored(self, product_id: str, key: int) -> Floats:
        """The row of a product's first picture. Raises UnknownProduct when it cannot be found by any."""
        vectors = self.snapshot.rows_of(key).vectors
        if not len(vectors):
            raise UnknownProduct(f"The product {product_id!r} is not in the index yet.", "Index the shop again.")
        return np.asarray(vectors[0], dtype=np.float32)

    def similarity_vectors(self, keys: Sequence[int | None]) -> Floats:
        """Each product's first row, weighed so that the dot product of two is their mean cosine; zeros for None."""
        layout, weights = self.generation.layout, self.generation.manifest.weights["picture"]
        total = sum(map(abs, weights.values())) or 1.0
        scale = {name: math.sqrt(abs(weight) / total) for name, weight in weights.items()}
        rows = np.zeros((len(keys), layout.dim), np.float32)
        for place, key in enumerate(keys):
            vectors = rows[:0] if key is None else self.snapshot.rows_of(key).vectors
            if len(vectors):
                rows[place] = vectors[0]
        return layout.weigh(rows, scale)

    def verdict(self, query: Query, hits: Sequence[SearchHit]) -> Verdict | None:
        """Whether the shop has what a lone photo shows, and whether the first hit is it; None for other questions.

        `hits` are the best by score, whatever the page is sorted by. One alone cannot be called exact: the next tells.
        """
        if not hits:
            return None
        second = hits[1].parts if len(hits) > 1 else None
        return self.judge.verdict(query, hits[0].product.category, hits[0].parts, second)

    def warm_up(self) -> None:
        """Encode and search once, without the catalogue, before anybody waits for it."""
        for asked in self.questions.encode([Query(warm_up_terms(self))], _none_stored):
            assert asked.vector is not None
            self.snapshot.search(asked.vector, 10)


def warm_up_terms(served: ServingState) -> tuple[Term, ...]:
    """A picture and, where the encoder reads them, words to try a shop with."""
    terms: list[Term] = [PictureTerm(Image.new("RGB", (256, 256), (128, 128, 128)))]
    if served.generation.layout.text_block is not None:
        terms.append(TextTerm("red shoes"))
    return tuple(terms)


def _none_stored(product_id: str) -> tuple[int, Floats]:
    raise UnknownProduct(f"{product_id!r} was not asked for.")
