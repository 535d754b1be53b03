"""A generation that is being served, with the encoder that reads it, at one state of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from catalog.errors import UnknownProduct
from indexer.encoders.base import Encoder, Floats
from indexer.generations import Generation
from search.calibration import Calibration
from search.encode import QueryEncoder
from search.hits import SearchHit
from search.query import PictureTerm, Query, Term, TextTerm
from search.row_encoder import RowEncoder
from search.snapshot import Shelf, Snapshot
from search.verdict import Verdict, judge


@dataclass(frozen=True, slots=True)
class Served:
    """All that a search needs but the catalogue; never changed, so that an answer is of one piece."""

    encoder: Encoder
    questions: QueryEncoder
    rows: RowEncoder
    snapshot: Snapshot
    calibration: Calibration | None = None

    @classmethod
    def of(cls, home: Path, generation: Generation, encoder: Encoder, rows: RowEncoder | None = None) -> Served:
        """A generation as it was built; `rows` is another generation's, when the encoder is the same."""
        questions = QueryEncoder(encoder, generation.layout, generation.manifest.weights)
        snapshot, calibration = Snapshot.of(Shelf(generation)), Calibration.load(home, encoder.fingerprint)
        return cls(encoder, questions, rows or RowEncoder(home, encoder), snapshot, calibration)

    @property
    def generation(self) -> Generation:
        """The generation."""
        return self.snapshot.shelf.generation

    @property
    def number(self) -> int:
        """The generation's number."""
        return self.generation.number

    def at(self, snapshot: Snapshot) -> Served:
        """The same generation at another state of the catalogue."""
        return replace(self, snapshot=snapshot)

    def stored(self, product_id: str, key: int) -> Floats:
        """The row of a product's first picture. Raises UnknownProduct when it cannot be found by any."""
        vectors = self.snapshot.rows_of(key).vectors
        if not len(vectors):
            raise UnknownProduct(f"The product {product_id!r} is not in the index yet.", "Index the shop again.")
        return np.asarray(vectors[0], dtype=np.float32)

    def verdict(self, query: Query, hits: Sequence[SearchHit]) -> Verdict | None:
        """Whether the shop has what a lone photo shows; None for other questions."""
        weights = self.generation.manifest.weights["picture"]
        return judge(self.calibration, weights, query, hits[0].parts) if hits else None

    def warm_up(self) -> None:
        """Encode and search once, without the catalogue, before anybody waits for it."""
        for asked in self.questions.encode([Query(warm_up_terms(self))], _none_stored):
            self.snapshot.search(asked.vector, 10)


def warm_up_terms(served: Served) -> tuple[Term, ...]:
    """A picture and, where the encoder reads them, words to try a shop with."""
    terms: list[Term] = [PictureTerm(Image.new("RGB", (256, 256), (128, 128, 128)))]
    if served.generation.layout.text_block is not None:
        terms.append(TextTerm("red shoes"))
    return tuple(terms)


def _none_stored(product_id: str) -> tuple[int, Floats]:
    raise UnknownProduct(f"{product_id!r} was not asked for.")
