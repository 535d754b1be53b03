"""The engine: a shop opened for searching. Opened once, shared by all threads, never changed by a query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from types import TracebackType

import numpy as np
from PIL import Image

from catalog.errors import EncoderMismatch, NoGeneration, UnknownProduct
from catalog.product import Picture, Product
from catalog.store import Catalogue
from indexer.encoders.base import Encoder, Floats
from indexer.encoders.registry import open_encoder
from indexer.generations import Generation, open_current
from search.encode import Asked, QueryEncoder
from search.hits import SearchHit, SearchPage
from search.query import PictureTerm, ProductTerm, Query, Term, TextTerm
from search.rank import Ints, best_rows, contenders, cut, split_scores
from search.thumbnails import Thumbnails
from search.verdict import Verdict, judge

SPARE_ROWS = 16  # fetched beyond what should suffice, so that one fetch nearly always does
GROWTH = 4
PATIENCE = 4096  # rows beyond which a tie at the end of the page is no longer followed to its end


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What is being served: which generation, how much is in it, and by which encoder it is read."""

    generation: int
    products: int
    pictures: int
    encoder: str
    fingerprint: str
    runtime: str
    texts: bool


@dataclass(frozen=True, slots=True)
class _Ranked:
    """The best row of each product fetched, best first: parallel arrays, because this runs for every query."""

    rows: Ints
    products: Ints
    scores: Floats


class SearchEngine:
    """One shop, open for searching; use it as a context manager or close it."""

    def __init__(self, home: Path, generation: Generation, catalogue: Catalogue, encoder: Encoder) -> None:
        self.generation = generation
        self.encoder = encoder
        self._catalogue = catalogue
        self._thumbnails = Thumbnails(catalogue, home / "thumbs")
        layout = generation.layout
        self._starts = [layout.slice(name).start for name in layout.names]
        self._product_keys = np.unique(generation.product_keys)
        self._by_product = np.argsort(generation.product_keys, kind="stable")
        self._sorted_keys = generation.product_keys[self._by_product]
        self._spread = -(-generation.manifest.rows // max(1, generation.manifest.products))
        self._questions = QueryEncoder(encoder, layout, generation.manifest.weights, self._stored)

    @classmethod
    def open(cls, home: Path, *, runtime: str = "auto") -> SearchEngine:
        """Open a shop's current generation with the encoder that made it. Raises GenerationError, EncoderError."""
        generation = open_current(home)
        made_by = generation.manifest
        encoder = open_encoder(made_by.encoder.name, runtime=runtime, home=home)
        if encoder.fingerprint != made_by.fingerprint:
            raise EncoderMismatch(
                f"The index in {home} was made by another version of the encoder {made_by.encoder.name!r}.",
                "Index the shop again with the encoder that is installed now.",
            )
        path = home / "catalog.sqlite"
        if not path.is_file():
            raise NoGeneration(f"{home} has an index but no catalogue ({path.name}).", "Index the shop again.")
        return cls(home, generation, Catalogue.open(path), encoder)

    def search(self, query: Query) -> SearchPage:
        """The products that answer the query best. Raises BadQuery, UnsupportedQuery, UnknownProduct."""
        return self.search_many((query,))[0]

    def search_many(self, queries: Sequence[Query]) -> list[SearchPage]:
        """A page for each query, as `search` gives it; their pictures and words are encoded in one batch each."""
        started = perf_counter()
        asked = self._questions.encode(queries)
        share = (perf_counter() - started) / max(1, len(queries))
        return [self._page(query, question, share) for query, question in zip(queries, asked, strict=True)]

    def similar(self, product_id: str, k: int = 10) -> SearchPage:
        """The products most like a product, never itself. Raises UnknownProduct."""
        return self.search(Query((ProductTerm(product_id),), k=k))

    def product(self, product_id: str) -> Product:
        """The product with that id. Raises UnknownProduct."""
        return self._catalogue.get(product_id)

    def products(self, keys: Sequence[int]) -> list[Product]:
        """The products of the index's keys, in that order. Raises UnknownProduct when one has left the catalogue."""
        found = self._catalogue.get_many(keys)
        if len(found) < len(set(keys)):
            raise UnknownProduct("A product of the index has left the catalogue.", "Index the shop again.")
        return [found[key] for key in keys]

    def browse(self, k: int, seed: int = 0) -> tuple[Product, ...]:
        """Some k products to start from, drawn by `seed`: the same ones for as long as the shop is the same."""
        keys = self._product_keys
        count = min(len(keys), 2 * k)  # some may have left the catalogue
        drawn = keys[np.random.default_rng(seed).choice(len(keys), count, replace=False)]
        return tuple(self._catalogue.get_many(drawn.tolist()).values())[:k]

    def thumbnail(self, sha256: str, size: int) -> bytes:
        """A picture of some product as a JPEG of at most `size` pixels a side. Raises UnknownProduct, BadQuery."""
        return self._thumbnails.get(sha256, size)

    def require_texts(self) -> None:
        """Raise UnsupportedQuery when the shop's encoder cannot read words."""
        self._questions.require_texts()

    def warm_up(self) -> None:
        """Encode a picture and, where possible, words, and search for them, so that the first shopper need not wait."""
        terms: list[Term] = [PictureTerm(Image.new("RGB", (256, 256), (128, 128, 128)))]
        if self.status().texts:
            terms.append(TextTerm("red shoes"))
        self.search(Query(tuple(terms)))

    def status(self) -> EngineStatus:
        """What is being served."""
        manifest = self.generation.manifest
        return EngineStatus(
            generation=self.generation.number,
            products=manifest.products,
            pictures=manifest.rows,
            encoder=manifest.encoder.name,
            fingerprint=manifest.fingerprint,
            runtime=str(getattr(self.encoder, "runtime", "numpy")),
            texts=self.generation.layout.text_block is not None,
        )

    def close(self) -> None:
        """Close the catalogue; the engine is of no use afterwards."""
        self._catalogue.close()

    def __enter__(self) -> SearchEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _page(self, query: Query, asked: Asked, encode_seconds: float) -> SearchPage:
        started = perf_counter()
        hits = self._hits(asked, query.offset, query.k)
        took = (perf_counter() - started + encode_seconds) * 1000
        return SearchPage(hits, self.generation.number, took, offset=query.offset, verdict=self._verdict(query, hits))

    def _verdict(self, query: Query, hits: tuple[SearchHit, ...]) -> Verdict | None:
        weights = self.generation.manifest.weights["picture"]
        return judge(self.encoder.calibration, weights, query, hits[0].parts) if hits else None

    def _hits(self, asked: Asked, offset: int, k: int) -> tuple[SearchHit, ...]:
        """Fetch rows until the page is certain: enough products, and nothing unseen can tie with the last of them."""
        reach = offset + k
        fetch = reach * self._spread + SPARE_ROWS
        while True:
            ranked, exhausted = self._fetch(asked, fetch)
            products, seen = self._present(ranked, reach)
            enough = len(products) >= reach and (seen < len(ranked.rows) or fetch > PATIENCE)
            if enough or exhausted:
                return self._cut(asked, ranked, products, offset, k)
            fetch *= GROWTH

    def _fetch(self, asked: Asked, fetch: int) -> tuple[_Ranked, bool]:
        """The best `fetch` rows, one a product, without the excluded; and whether there are no others to fetch."""
        scores, rows = self.generation.search(asked.vector, fetch)
        products = self.generation.product_keys[rows]
        best = best_rows(products, scores)
        if asked.excluded:
            best = best[~np.isin(products[best], asked.excluded)]
        return _Ranked(rows[best], products[best], scores[best]), len(rows) < fetch

    def _present(self, ranked: _Ranked, reach: int) -> tuple[Mapping[int, Product], int]:
        """The products, by key, of as many leading rows as `reach` needs: those that left the catalogue are skipped."""
        wanted = reach
        while True:
            seen = contenders(ranked.scores, wanted)
            products = self._catalogue.get_many(ranked.products[:seen].tolist())
            if len(products) >= reach or seen == len(ranked.rows):
                return products, seen
            wanted = seen + reach - len(products)

    def _cut(
        self, asked: Asked, ranked: _Ranked, products: Mapping[int, Product], offset: int, k: int
    ) -> tuple[SearchHit, ...]:
        generation = self.generation
        keys, scores = ranked.products.tolist(), np.minimum(ranked.scores, 1.0).tolist()
        page = cut(((scores[i], products[key].id, i) for i, key in enumerate(keys) if key in products), offset, k)
        rows = ranked.rows[page]
        parts = split_scores(generation.rows[rows], asked.vector, self._starts).tolist()
        hits = []
        for i, row, shares in zip(page, rows, parts, strict=True):
            product = products[keys[i]]
            picture = _picture(product, generation.picture_hashes[row].decode())
            hits.append(SearchHit(product, picture, scores[i], dict(zip(generation.layout.names, shares, strict=True))))
        return tuple(hits)

    def _stored(self, product_id: str) -> tuple[int, Floats]:
        """A product's key and the row of its first picture that was indexed."""
        key = self._catalogue.key_of(product_id)
        first, last = np.searchsorted(self._sorted_keys, (key, key + 1))
        if first == last:
            raise UnknownProduct(f"The product {product_id!r} is not in the index yet.", "Index the shop again.")
        return key, self.generation.rows[self._by_product[first]].astype(np.float32)


def _picture(product: Product, sha256: str) -> Picture:
    """The product's picture with that content; its first one when the catalogue changed after the index was made."""
    fallback = product.pictures[0] if product.pictures else Picture("", sha256)
    return next((picture for picture in product.pictures if picture.sha256 == sha256), fallback)
