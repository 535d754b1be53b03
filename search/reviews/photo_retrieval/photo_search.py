"""Find customers' photos that look like a query's picture: the photos of approved reviews, as rows of the index.

They are rows beside the index, which no ranking of products uses. New photos are encoded in small portions by the
thread that follows the shop's changes, so no shopper waits for that.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from catalog.errors import StoreError, UnknownProduct
from catalog.product import Picture, Product
from catalog.reviews.review_query import ReviewPhoto
from catalog.reviews.review_reader import ReviewReader
from indexer.types import Floats
from search.query.terms import PictureTerm, Query, VectorTerm
from search.retrieval.serving_state import ServingState
from search.state.row_encoder import RowEncoder

MAX_PHOTOS = 5_000  # the newest ones
NEAR_PRODUCTS = 10
PORTION = 8  # photos that are encoded at a time
_NO_ROWS = np.zeros((0, 0), np.float32)
NO_KEY = -1  # of a product that the index does not have
log = logging.getLogger(__name__)
Find = Callable[[Sequence[str]], dict[str, Product]]


@dataclass(frozen=True, slots=True)
class CustomerPhoto:
    """A photo of an approved review, the product, and the score that a row with this picture would have."""

    sha256: str
    review_id: str
    product: Product
    score: float


class ReviewPhotoSearch:
    """The photos of one shop's reviews. Threads share it.

    `serving_state` returns what is served now, `find` the products that exist, by id.
    """

    def __init__(self, home: Path, serving_state: Callable[[], ServingState], find: Find) -> None:
        self._reader = ReviewReader(home)
        self._serving_state = serving_state
        self._find = find
        self._lock = threading.Lock()
        self._change = 0
        self._encoder: RowEncoder | None = None
        self._waiting: list[ReviewPhoto] = []
        self._photos: tuple[ReviewPhoto, ...] = ()
        self._rows: dict[str, Floats] = {}  # by digest, float16 (dim,)
        self._found: tuple[tuple[ReviewPhoto, ...], Floats] = ((), _NO_ROWS)  # that have rows, float32 (n, dim)

    def follow(self) -> bool:
        """Take over changed reviews and encode a portion of their photos; return whether more of them wait."""
        state = self._serving_state()
        with self._lock:
            try:
                change = self._reader.change_number()
                if change != self._change or state.row_encoder is not self._encoder:
                    self._begin(change, state.row_encoder)
            except StoreError as error:
                log.error("The photos of reviews cannot be searched: %s", error)
                return False
            portion, self._waiting = self._waiting[:PORTION], self._waiting[PORTION:]
            if portion:
                self._encode(portion, state)
                self._stack()
            return bool(self._waiting)

    def nearest(self, query: Query, k: int = 6) -> tuple[CustomerPhoto, ...]:
        """Return the k photos that are nearest to a query's picture, one of each product, best first.

        A photo is left out that is not as near as the NEAR_PRODUCTS nearest pictures of products. Empty for a query
        without a picture. The query of a page has its picture as a vector, which costs no encoding.
        """
        pictures = [term for term in query.terms if isinstance(term, PictureTerm | VectorTerm) and term.weight > 0]
        photos, rows = self._found
        if not pictures or not photos:
            return ()
        state = self._serving_state()
        vector = state.query_encoder.encode([Query(tuple(pictures[:1]))], _no_row)[0].vector
        if vector is None:
            return ()
        product_scores, _ = state.snapshot.search(vector, NEAR_PRODUCTS)
        least = float(product_scores[-1]) if len(product_scores) else -1.0
        scores = rows @ vector
        best: dict[str, int] = {}
        for place in np.argsort(-scores, kind="stable").tolist():
            if scores[place] >= least:
                best.setdefault(photos[place].product_id, place)
        chosen = list(best.items())[:k]
        products = self._find([product_id for product_id, _ in chosen])
        return tuple(
            CustomerPhoto(photos[place].sha256, photos[place].review_id, products[product_id], float(scores[place]))
            for product_id, place in chosen
            if product_id in products
        )

    def _begin(self, change: int, encoder: RowEncoder) -> None:
        """Read which photos are shown; rows of other encoders and of photos that are shown no more are dropped."""
        self._photos = self._reader.shown_photos(MAX_PHOTOS)
        shown = {photo.sha256 for photo in self._photos}
        same = encoder is self._encoder
        self._rows = {sha256: row for sha256, row in self._rows.items() if same and sha256 in shown}
        self._waiting = [photo for photo in self._photos if photo.sha256 not in self._rows]
        self._change, self._encoder = change, encoder
        if not same:
            self._found = (), _NO_ROWS
        self._stack()

    def _stack(self) -> None:
        """Make one matrix of the rows, so that no search does."""
        photos = tuple(photo for photo in self._photos if photo.sha256 in self._rows)
        if photos == self._found[0]:  # a vote changes no photo
            return
        rows = np.stack([self._rows[photo.sha256] for photo in photos]).astype(np.float32) if photos else _NO_ROWS
        self._found = photos, rows

    def _encode(self, portion: Sequence[ReviewPhoto], state: ServingState) -> None:
        products = self._find([photo.product_id for photo in portion])
        for photo in portion:
            path, product = self._reader.photos.path(photo.sha256), products.get(photo.product_id)
            if path is not None and product is not None:
                pictured = replace(product, pictures=(Picture(str(path), photo.sha256),))
                rows = state.row_encoder.rows({NO_KEY: pictured}, state.snapshot)[NO_KEY].vectors
                if len(rows):
                    self._rows[photo.sha256] = rows[0]


def _no_row(product_id: str) -> tuple[int, Floats]:
    raise UnknownProduct(f"The product {product_id!r} is not part of a picture's query.")
