"""The engine: a shop opened for searching. Threads share it; every page comes from one serving state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from PIL import Image

from catalog.errors import EncoderMismatch, NoGeneration, WindowshopError
from catalog.home import ShopHome
from catalog.product import Product
from catalog.reviews.review_store import ReviewStore
from catalog.storage.catalogue import Catalogue
from catalog.storage.opening import has_catalogue, open_catalogue
from indexer.encoders.backends.runtime import threads
from indexer.encoders.base import Encoder
from indexer.encoders.registry import open_encoder
from indexer.generations.publishing import recover_pending
from indexer.generations.store import Generation, open_serving
from indexer.types import Floats
from search.engine_status import EngineStatus
from search.execution.deadlines import StepRunner
from search.execution.step_timing import METADATA, SEARCH, timed
from search.explain.explainer import HitExplainer, HitExplanation
from search.explain.reasons import resembled_ids
from search.explain.regions import Regions
from search.hits import SearchPage
from search.live.live_index import LiveIndex
from search.live.picture_store import remove_unused
from search.live.product_edit import ProductEdit, Written
from search.live.thumbnails import Thumbnails
from search.merchandising.rule_follower import RuleFollower
from search.merchandising.rule_set import Rules
from search.pricing.learning.price_models import PriceModels
from search.pricing.product_prices import ProductPrices
from search.query.filters import Filter
from search.query.glossary import Glossary
from search.query.refine_token import signing_key
from search.query.terms import ProductTerm, Query
from search.recommend.recommender import Recommender
from search.retrieval.pipeline import SearchPipeline
from search.retrieval.serving_state import ServingState, warm_up_terms
from search.reviews.photo_retrieval.photo_search import ReviewPhotoSearch
from search.reviews.ranking.rating_factor import RatingFollower
from search.reviews.working.shop_models import ReviewModels
from search.state.change_replay import MAX_LIVE_ROWS, ChangeReplayer
from search.state.snapshot import GenerationRows
from search.suggest.suggester import Suggester
from search.suggest.suggestions import DEFAULT_LIMIT, Suggestions

MAX_COMPARED_CHANGES = 64  # beyond them, some are taken to concern any page
NO_SEARCHES: Mapping[str, int] = MappingProxyType({})
CLOSE_SECONDS = 1.0  # that closing waits for the words of suggestions; they are in memory alone
MAX_ATTEMPTS = 3  # attempts at a page of one state, when its products change meanwhile


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
        live_rows: int = MAX_LIVE_ROWS,
    ) -> None:
        self.home = home
        self.key = signing_key(home)  # 32 bytes
        self._catalogue = catalogue
        self.price_history = catalogue.price_history
        self._thumbnails = Thumbnails(catalogue, ShopHome(home).thumbnails)
        self._steps = StepRunner(threads())
        self.batch_counts = self._steps.counts  # what the queues of batches counted
        glossary = Glossary.usable(home)
        self.prices = ProductPrices(catalogue.price_history, PriceModels.open(home))
        self.rules = RuleFollower(home)
        self.ratings = RatingFollower(home)
        self.review_photos = ReviewPhotoSearch(home, lambda: self._live.served, self.find)
        self._pipeline = SearchPipeline(catalogue, glossary, self._steps, self.rules.current, self.ratings.score_parts)
        self._suggester = Suggester(catalogue, glossary)
        self._explainer = HitExplainer(self._pipeline, self._steps)
        self.reviews = ReviewStore(home)
        self.review_models = ReviewModels(home, encoder, runtime)
        self.recommender = Recommender(home, self, self._steps, lambda: self._live.served)
        replayer = ChangeReplayer(catalogue, live_rows)

        def opener(generation: Generation, current: ServingState) -> ServingState:
            snapshot = replayer.open(GenerationRows(generation), current.columns)
            if generation.manifest.fingerprint != current.encoder.fingerprint:
                return ServingState.of(home, snapshot, _open_encoder(home, generation, runtime))
            opened = ServingState.of(home, snapshot, current.encoder)
            return replace(opened, row_encoder=current.row_encoder)  # with the vectors that it has in memory

        state = ServingState.of(home, replayer.open(GenerationRows(generation)), encoder)
        self._live = LiveIndex(home, replayer, state, opener)

    @classmethod
    def open(cls, home: Path | str, *, runtime: str = "auto", live_rows: int = MAX_LIVE_ROWS) -> SearchEngine:
        """Open the current generation with the encoder that made it, and replay all changes since it was built.

        When it is damaged, open the newest older one that is whole; `status` then says so. At most `live_rows` rows
        are live. Raises GenerationError, EncoderError.
        """
        home = Path(home)
        recover_pending(home)
        generation = open_serving(home)
        encoder = _open_encoder(home, generation, runtime)
        if not has_catalogue(home):
            raise NoGeneration(f"{home} has an index but no catalogue.", "Index the shop again.")
        remove_unused(home)
        engine = cls(home, generation, open_catalogue(home), encoder, runtime=runtime, live_rows=live_rows)
        try:
            engine.follow()
        except BaseException:
            engine.close()
            raise
        return engine

    @property
    def generation(self) -> Generation:
        """The generation that is searched now; the next call may return another."""
        return self._live.served.generation

    @property
    def encoder(self) -> Encoder:
        """The encoder of that generation."""
        return self._live.served.encoder

    def search(self, query: Query) -> SearchPage:
        """Return the products that match a query best. Raises BadQuery, UnsupportedQuery, UnknownProduct."""
        return self.search_many((query,))[0]

    @timed(SEARCH)
    def search_many(self, queries: Sequence[Query], rules: Rules | None = None) -> list[SearchPage]:
        """Return a page for each query, encoded in one batch; `rules` are to be tried in place of the owner's."""
        for _ in range(MAX_ATTEMPTS):
            state = self._live.served
            pages = self._pipeline.pages(state, queries, rules)
            if not self._is_outdated(state, pages):
                return pages
        with self._live.writes_paused():
            return self._pipeline.pages(self._live.served, queries, rules)

    @timed(SEARCH)
    def suggest(self, text: str, limit: int = DEFAULT_LIMIT, logged: Mapping[str, int] = NO_SEARCHES) -> Suggestions:
        """Return at most `limit` suggestions of each sort for a text that is being typed; see `Suggester.suggest`."""
        return self._suggester.suggest(text, (state := self._live.served).columns, limit, logged, state.suggestions)

    @timed(SEARCH)
    def detect_objects(
        self, picture: Image.Image, k: int = 5, narrowed: Filter | None = None, timeout_ms: int | None = None
    ) -> Regions:
        """Return the objects in a picture, each with the products that match it. Raises BadQuery."""
        return self._explainer.detect_objects(self._live.served, picture, k, narrowed, timeout_ms)

    @timed(SEARCH)
    def explain_hit(self, query: Query, product_id: str) -> HitExplanation:
        """Return why a product matches a query, and where its picture matches. Raises BadQuery, UnknownProduct."""
        resembled = [self._catalogue.get(sku) for sku in resembled_ids(query)]
        return self._explainer.explain_hit(self._live.served, query, self._catalogue.get(product_id), resembled)

    def query_of(self, token: str) -> Query:
        """Return the query of a page's refine token. Raises BadQuery when it is no token of this shop."""
        return self._live.served.tokens.read(token)

    def put(self, edit: ProductEdit) -> Written:
        """Add or change a product; it is durable and searchable then. Raises BadInput, LiveIndexFull, StoreError."""
        return self._live.put(edit)

    def put_many(self, edits: Sequence[ProductEdit]) -> list[Written | WindowshopError]:
        """Add or change products at once; return what became of each edit. Raises StoreError. See `LiveIndex`."""
        return self._live.put_many(edits)

    def remove(self, product_id: str) -> None:
        """Remove a product; that is durable and visible to searches on return. Raises UnknownProduct, StoreError."""
        self._live.remove(product_id)

    def follow(self, interval: float | None = None) -> None:
        """Take over the changes of other processes: a new generation, products put or removed, fitted models.

        `interval` is the number of seconds after which the caller follows again; `status` says when that is overdue.
        """
        self.recommender.follow()
        self._live.follow(interval)
        self.review_photos.follow()

    def similar(self, product_id: str, k: int = 10, timeout_ms: int | None = None) -> SearchPage:
        """Return what is most like a product, never itself or its variants. Raises UnknownProduct, DeadlineExceeded."""
        return self.search(Query((ProductTerm(product_id),), k=k, timeout_ms=timeout_ms, group_variants=True))

    @timed(METADATA)
    def product(self, product_id: str) -> Product:
        """Return the product with that id. Raises UnknownProduct."""
        return self._catalogue.get(product_id)

    @timed(METADATA)
    def present(self, keys: Sequence[int]) -> dict[int, Product]:
        """Return the products that are still in the catalogue, by their keys in the index."""
        return self._catalogue.get_many(keys)

    def find(self, ids: Sequence[str]) -> dict[str, Product]:
        """Return the products that exist, by id."""
        return {sku: product for sku, (_, product) in self._catalogue.find(ids).items()}

    def variants(self, product_id: str) -> tuple[Product, ...]:
        """Return the products of a product's item group, itself too, in the order of the shop; none without others."""
        ids = self._live.served.columns.variants_of(product_id)
        found = self.find(ids) if ids else {}
        return tuple(found[sku] for sku in ids if sku in found)

    def similarity_vectors(self, ids: Sequence[str]) -> Floats:
        """Return float32 (ids, dim): the dot product of two rows is their similarity; zeros for ids without a row."""
        keys = {sku: key for sku, (key, _) in self._catalogue.find(ids).items()}
        return self._live.served.similarity_vectors([keys.get(sku) for sku in ids])

    def categories(self, *, grouped: bool = False) -> dict[str, int]:
        """Return each category and its number of products; `grouped`: those above too, an item group counted once."""
        columns = self._live.served.columns
        return columns.category_groups if grouped else columns.categories()

    @timed(METADATA)
    def browse(self, k: int, seed: int = 0) -> tuple[Product, ...]:
        """Return k random products, drawn by `seed`: the same ones while the shop is the same."""
        keys = self._live.served.snapshot.draw(2 * k, seed)  # some may have left the catalogue
        return tuple(self._catalogue.get_many(keys).values())[:k]

    @timed(METADATA)
    def thumbnail(self, sha256: str, size: int) -> bytes:
        """Return a product's picture as a JPEG of at most `size` pixels a side. Raises UnknownProduct, BadQuery."""
        return self._thumbnails.get(sha256, size)

    def require_texts(self) -> None:
        """Raise UnsupportedQuery when the shop's encoder cannot encode text."""
        self._live.served.query_encoder.require_texts()

    def warm_up(self) -> None:
        """Encode and search once, with a picture and where possible a text, so that the first shopper need not wait."""
        self._suggester.start(self._live.served.columns, self._live.served.suggestions)  # in the background
        self._live.served.warm_up_tables()
        self.recommender.warm_up()
        self.search(Query(warm_up_terms(self._live.served)))

    def status(self) -> EngineStatus:
        """Return what is served."""
        state = self._live.served
        manifest = state.generation.manifest
        return EngineStatus(
            generation=state.number,
            products=state.snapshot.products,
            pictures=state.snapshot.pictures,
            encoder=manifest.encoder.name,
            fingerprint=manifest.fingerprint,
            runtime=str(getattr(state.encoder, "runtime", "numpy")),
            texts=state.generation.layout.text_block is not None,
            live=len(state.snapshot.live),
            degraded=self._live.degraded + self.recommender.degraded + self.prices.degraded,
        )

    def close(self) -> None:
        """Save the encoded rows and close the catalogue; the engine cannot be used afterwards."""
        self.review_models.worker.close()
        self._steps.close()
        self._suggester.wait(CLOSE_SECONDS)
        self.recommender.close()
        self.rules.close()
        self._live.served.row_encoder.save()
        self._catalogue.close()

    def __enter__(self) -> SearchEngine:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _is_outdated(self, state: ServingState, pages: Sequence[SearchPage]) -> bool:
        """Return whether hits were changed, or products removed, since: facts and scores must be of one time."""
        if self._catalogue.seq == state.snapshot.seq:
            return False
        hits = {hit.product.id for page in pages for hit in page.hits}
        changes = self._catalogue.changes(state.snapshot.seq, MAX_COMPARED_CHANGES)
        concerned = any(change.kind == "remove" or change.product_id in hits for change in changes)
        return (concerned or len(changes) == MAX_COMPARED_CHANGES) and self._live.wait_for_publish(state)


def _open_encoder(home: Path, generation: Generation, runtime: str) -> Encoder:
    """Open the encoder that made a generation. Raises EncoderError, EncoderMismatch when it has changed since."""
    manifest = generation.manifest
    encoder = open_encoder(manifest.encoder.name, runtime=runtime, home=home)
    if encoder.fingerprint != manifest.fingerprint:
        raise EncoderMismatch(
            f"The index in {home} was made by another version of the encoder {manifest.encoder.name!r}.",
            "Index the shop again with the encoder that is installed now.",
        )
    return encoder
