"""The engine: a shop opened for searching. Opened once, shared by all threads, never changed by a query.

Every answer comes from one state of the shop, taken once; changes and new generations put the next state in its place.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from PIL import Image

from catalog.errors import BadInput, EncoderMismatch, NoGeneration
from catalog.home import ShopHome
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from catalog.text.glossary import GLOSSARY, read_glossary
from indexer.encoders.base import Encoder
from indexer.encoders.registry import open_encoder
from indexer.generations.publishing import recover_pending
from indexer.generations.store import Generation, open_serving
from indexer.types import Floats
from search.execution.deadlines import StepRunner
from search.execution.step_timing import METADATA, SEARCH, timed
from search.explain.explainer import HitExplainer, HitExplanation, Regions
from search.explain.reasons import resembled_ids
from search.hits import SearchPage
from search.live.live_index import LiveIndex, Written
from search.live.picture_store import remove_unused
from search.live.product_edit import ProductEdit
from search.live.thumbnails import Thumbnails
from search.query.filters import Filter
from search.query.glossary import Glossary
from search.query.terms import ProductTerm, Query
from search.recommend.recommender import Recommender
from search.retrieval.pipeline import SearchPipeline
from search.retrieval.serving_state import ServingState, warm_up_terms
from search.state.change_replay import LIVE_ROWS, ChangeReplayer
from search.state.column_store import ProductColumns

MANY = 64  # changes of which some will concern any answer
ATTEMPTS = 3  # at an answer of one piece, when the products in it change while it is made

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What is being served: which generation, how much can be found, and by which encoder it is read.

    `live` rows changed since the generation was built; `degraded` says what is not as it should be.
    """

    generation: int
    products: int
    pictures: int
    encoder: str
    fingerprint: str
    runtime: str
    texts: bool
    live: int = 0
    degraded: tuple[str, ...] = ()


class SearchEngine:
    """One shop, open for searching; use it as a context manager or close it."""

    def __init__(
        self,
        home: Path,
        generation: Generation,
        catalogue: Catalogue,
        encoder: Encoder,
        *,
        runtime: str = "auto",
        live_rows: int = LIVE_ROWS,
    ) -> None:
        self._catalogue = catalogue
        self._thumbnails = Thumbnails(catalogue, ShopHome(home).thumbnails)
        self._steps = StepRunner()
        self._answers = SearchPipeline(catalogue, _glossary_of(home), self._steps)
        self._closeups = HitExplainer(self._answers, self._steps)
        self.recommender = Recommender(home, self, self._steps)

        def opener(generation: Generation, present: ServingState) -> ServingState:
            if generation.manifest.fingerprint == present.encoder.fingerprint:
                return ServingState.of(home, generation, present.encoder, present.columns, present.rows)
            return ServingState.of(home, generation, _encoder_of(home, generation, runtime), present.columns)

        served = ServingState.of(home, generation, encoder, ProductColumns.read(catalogue))
        self._live = LiveIndex(home, ChangeReplayer(catalogue, live_rows), served, opener)

    @classmethod
    def open(cls, home: Path, *, runtime: str = "auto", live_rows: int = LIVE_ROWS) -> SearchEngine:
        """Open the current generation with the encoder that made it, and all changes since it was built.

        A damaged one is passed over for the newest older one that is whole, which `status` then tells. At most
        `live_rows` rows are kept beside the generation. Raises GenerationError, EncoderError.
        """
        recover_pending(home)
        generation = open_serving(home)
        encoder = _encoder_of(home, generation, runtime)
        path = ShopHome(home).catalogue
        if not path.is_file():
            raise NoGeneration(f"{home} has an index but no catalogue ({path.name}).", "Index the shop again.")
        remove_unused(home)
        engine = cls(home, generation, Catalogue.open(path), encoder, runtime=runtime, live_rows=live_rows)
        try:
            engine.follow()
        except BaseException:
            engine.close()
            raise
        return engine

    @property
    def generation(self) -> Generation:
        """The generation that is searched now; the next call may see another."""
        return self._live.served.generation

    @property
    def encoder(self) -> Encoder:
        """The encoder that reads it."""
        return self._live.served.encoder

    def search(self, query: Query) -> SearchPage:
        """The products that answer the query best. Raises BadQuery, UnsupportedQuery, UnknownProduct."""
        return self.search_many((query,))[0]

    @timed(SEARCH)
    def search_many(self, queries: Sequence[Query]) -> list[SearchPage]:
        """A page for each query, as `search` gives it; their pictures and words are encoded in one batch each."""
        for _ in range(ATTEMPTS):
            served = self._live.served
            pages = self._answered(served, queries)
            if not self._overtaken(served, pages):
                return pages
        with self._live.writes_paused():
            return self._answered(self._live.served, queries)

    @timed(SEARCH)
    def detect_objects(
        self, picture: Image.Image, k: int = 5, narrowed: Filter | None = None, timeout_ms: int | None = None
    ) -> Regions:
        """The things in a picture, each with the products it brings. Raises BadQuery."""
        return self._closeups.detect_objects(self._live.served, picture, k, narrowed, timeout_ms)

    @timed(SEARCH)
    def explain_hit(self, query: Query, product_id: str) -> HitExplanation:
        """Why a product answers a query, and where its picture matches. Raises BadQuery, UnknownProduct."""
        resembled = [self._catalogue.get(sku) for sku in resembled_ids(query)]
        return self._closeups.explain_hit(self._live.served, query, self._catalogue.get(product_id), resembled)

    def query_of(self, token: str) -> Query:
        """The query that a page's refine token carries on. Raises BadQuery when it is none of this shop's."""
        return self._live.served.tokens.read(token)

    def put(self, edit: ProductEdit) -> Written:
        """Add or change a product: durable, and found, when this returns. Raises BadInput, NoRoom, StoreError."""
        return self._live.put(edit)

    def remove(self, product_id: str) -> None:
        """Remove a product: durable, and found no more, when this returns. Raises UnknownProduct, StoreError."""
        self._live.remove(product_id)

    def follow(self) -> None:
        """Take over what other processes did to the shop: a new generation, products put or removed."""
        self._live.follow()

    def similar(self, product_id: str, k: int = 10, timeout_ms: int | None = None) -> SearchPage:
        """The products most like a product, never itself. Raises UnknownProduct, TooLate."""
        return self.search(Query((ProductTerm(product_id),), k=k, timeout_ms=timeout_ms))

    @timed(METADATA)
    def product(self, product_id: str) -> Product:
        """The product with that id. Raises UnknownProduct."""
        return self._catalogue.get(product_id)

    @timed(METADATA)
    def present(self, keys: Sequence[int]) -> dict[int, Product]:
        """Those of the index's keys whose products are in the catalogue still, with them."""
        return self._catalogue.get_many(keys)

    def find(self, ids: Sequence[str]) -> dict[str, Product]:
        """Those of these products that there are, by id."""
        return {sku: product for sku, (_, product) in self._catalogue.find(ids).items()}

    def similarity_vectors(self, ids: Sequence[str]) -> Floats:
        """A row (dim,) for each id, float32: the dot product of two is how alike they are, zeros for what has none."""
        served = self._live.served
        keys = {sku: key for sku, (key, _) in self._catalogue.find(ids).items()}
        return served.similarity_vectors([keys.get(sku) for sku in ids])

    def categories(self) -> dict[str, int]:
        """Each category that a product has, as the feed writes it, and how many products have it."""
        return self._live.served.columns.categories()

    @timed(METADATA)
    def browse(self, k: int, seed: int = 0) -> tuple[Product, ...]:
        """Some k products to start from, drawn by `seed`: the same ones for as long as the shop is the same."""
        drawn = self._live.served.snapshot.draw(2 * k, seed)  # some may have left the catalogue
        return tuple(self._catalogue.get_many(drawn).values())[:k]

    @timed(METADATA)
    def thumbnail(self, sha256: str, size: int) -> bytes:
        """A picture of some product as a JPEG of at most `size` pixels a side. Raises UnknownProduct, BadQuery."""
        return self._thumbnails.get(sha256, size)

    def require_texts(self) -> None:
        """Raise UnsupportedQuery when the shop's encoder cannot read words."""
        self._live.served.questions.require_texts()

    def warm_up(self) -> None:
        """Encode a picture and, where possible, words, and search for them, so that the first shopper need not wait."""
        self.search(Query(warm_up_terms(self._live.served)))

    def status(self) -> EngineStatus:
        """What is being served."""
        served = self._live.served
        manifest = served.generation.manifest
        return EngineStatus(
            generation=served.number,
            products=served.snapshot.products,
            pictures=served.snapshot.pictures,
            encoder=manifest.encoder.name,
            fingerprint=manifest.fingerprint,
            runtime=str(getattr(served.encoder, "runtime", "numpy")),
            texts=served.generation.layout.text_block is not None,
            live=len(served.snapshot.live),
            degraded=self._live.degraded,
        )

    def close(self) -> None:
        """Keep what was encoded and close the catalogue; the engine is of no use afterwards."""
        self._steps.close()
        self.recommender.close()
        self._live.served.rows.save()
        self._catalogue.close()

    def __enter__(self) -> SearchEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answered(self, served: ServingState, queries: Sequence[Query]) -> list[SearchPage]:
        return self._answers.pages(served, queries)

    def _overtaken(self, served: ServingState, pages: Sequence[SearchPage]) -> bool:
        """Whether a newer state is there and matters: products were removed, or some of these hits have changed.

        The facts of a product come from the catalogue, its score from the state: they must be of one time.
        """
        if self._catalogue.seq == served.snapshot.seq:
            return False
        found = {hit.product.id for page in pages for hit in page.hits}
        changes = self._catalogue.changes(served.snapshot.seq, MANY)
        concerned = len(changes) == MANY or any(
            change.kind == "remove" or change.product_id in found for change in changes
        )
        return concerned and self._live.wait_for_publish(served)


def _glossary_of(home: Path) -> Glossary:
    """The shop's glossary; the shipped one where its own cannot be read, because shoppers come before it is mended."""
    try:
        return Glossary.of(home)
    except BadInput as error:
        log.error("The shop's glossary is not used: %s", error)
        return Glossary(read_glossary(GLOSSARY))


def _encoder_of(home: Path, generation: Generation, runtime: str) -> Encoder:
    """The encoder that made a generation. Raises EncoderError, or EncoderMismatch when it is another one by now."""
    made_by = generation.manifest
    encoder = open_encoder(made_by.encoder.name, runtime=runtime, home=home)
    if encoder.fingerprint != made_by.fingerprint:
        raise EncoderMismatch(
            f"The index in {home} was made by another version of the encoder {made_by.encoder.name!r}.",
            "Index the shop again with the encoder that is installed now.",
        )
    return encoder
