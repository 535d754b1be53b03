"""A feed into a new generation: read, decode and encode, write the catalogue, make the index, publish."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from catalog.errors import BadFeed
from catalog.files.failpoints import failpoint
from catalog.product import Product, Rejected
from catalog.storage.catalogue import Catalogue
from indexer.build.encoding_pipeline import PictureResults, encode_files, encode_titles
from indexer.build.feed_reading import first_reasons, peak_memory_mb, read_whole, split_origin, usable_pictures
from indexer.build.feed_settings import ChosenFeed, choose_feed, fetching, remember_feed
from indexer.build.generation_builder import BuildOptions, GenerationBuilder, SealedGeneration
from indexer.build.report import BuildReport, Step, save_report
from indexer.build.row_writer import VectorSources
from indexer.cache.file_stats import FileStatCache
from indexer.cache.vector_cache import VectorCache
from indexer.encoders.base import Encoder, make_maps_ready
from indexer.generations.publishing import CATALOGUE, build_lock, publish_pending, record_pending
from indexer.progress import progress

__all__ = ["CATALOGUE", "BuildOptions", "build", "peak_memory_mb", "split_origin", "usable_pictures"]


def build_index(
    home: Path, feed: Path, encoder: Encoder, options: BuildOptions | None = None, *, fetch: bool | None = None
) -> BuildReport:
    """Index a feed as the shop's new current generation. Pictures and titles encoded before are not encoded again.

    `fetch` says whether pictures named by web address are fetched, None as the last time with this feed. Raises
    BadFeed when nothing in it can be indexed, GenerationError when the index would lose too much or another build is
    running. Index and catalogue change together in the last step; a build that fails changes neither.
    """
    options = options or BuildOptions()
    home.mkdir(parents=True, exist_ok=True)
    with build_lock(home):
        report = _Build(home, encoder, options).run(choose_feed(home, feed, fetch))
    make_maps_ready(encoder)
    return report


class _Build:
    """One build on its way: each method is one role, `run` says their order."""

    def __init__(self, home: Path, encoder: Encoder, options: BuildOptions) -> None:
        self._home = home
        self._maker = GenerationBuilder(home, encoder, options)
        self._rejected: list[Rejected] = []
        self._steps: list[Step] = []
        self._began = time.perf_counter()

    def run(self, feed: ChosenFeed) -> BuildReport:
        products = self._read(feed)
        maker = self._maker
        with maker.picture_cache() as pictures, maker.title_cache() as titles:
            facts = self._encode(products, pictures)
            products = self._usable(products, facts, feed.path)
            if titles is not None:
                self._encode_titles(products, titles)
            failpoint("build.encoded")
            with closing(Catalogue.open(self._home / CATALOGUE)) as catalogue:
                # The generation must stand, its gates passed, before the catalogue it was made from shows.
                with catalogue.replacing(products):
                    start = time.perf_counter()
                    made = maker.seal(catalogue, VectorSources(maker.layout, pictures, titles))
                    self._step("index", made.manifest.rows, start)
                    record_pending(catalogue, made.manifest.number)
                publish_pending(self._home, catalogue)
        report = self._report(made, facts)
        save_report(self._home, report)
        remember_feed(self._home, feed)
        return report

    def _read(self, feed: ChosenFeed) -> list[Product]:
        start = time.perf_counter()
        with fetching(self._home, feed.fetch) as fetcher:
            products, rejected = read_whole(feed.path, fetcher)
        self._rejected.extend(rejected)
        self._step("read", len(products) + len(self._rejected), start)
        return products

    def _encode(self, products: list[Product], cache: VectorCache) -> PictureResults:
        paths = list(dict.fromkeys(picture.path for product in products for picture in product.pictures))
        with progress("pictures", len(paths)) as tick, FileStatCache(self._home) as files:
            facts = encode_files(paths, self._maker.encoder, cache, files, self._maker.options.pipeline, tick)
        self._steps.append(Step("decode", facts.decoded, facts.decode_seconds))
        self._steps.append(Step("encode", facts.encoded, facts.encode_seconds))
        return facts

    def _usable(self, products: list[Product], facts: PictureResults, feed: Path) -> list[Product]:
        kept = []
        for product in products:
            good, rejected = usable_pictures(product, facts)
            self._rejected.extend(rejected)
            if good:
                kept.append(replace(product, pictures=good))
        if not kept:
            reasons = first_reasons(self._rejected)
            raise BadFeed(
                f"{feed} has no product that can be indexed ({len(self._rejected):,} rows rejected).",
                f"The first reasons: {reasons}" if reasons else "Is it the right file or folder?",
            )
        return kept

    def _encode_titles(self, products: list[Product], cache: VectorCache) -> None:
        start = time.perf_counter()
        titles = {product.title for product in products}
        with progress("titles", len(titles)) as tick:
            done = encode_titles(titles, self._maker.encoder, cache, self._maker.options.pipeline.batch_size, tick)
        self._step("words", done, start)

    def _report(self, made: SealedGeneration, facts: PictureResults) -> BuildReport:
        manifest = made.manifest
        return BuildReport(
            generation=manifest.number,
            encoder=manifest.encoder.name,
            products=manifest.products,
            pictures=len(set(facts.hashes.values())),
            indexed=manifest.rows,
            encoded=facts.encoded,
            reused=facts.reused,
            rejected=tuple(self._rejected),
            steps=tuple(self._steps),
            seconds=time.perf_counter() - self._began,
            peak_memory_mb=peak_memory_mb(),
            index=manifest.index,
            recall=manifest.recall,
            words_gate=manifest.words_gate,
            gates=made.gates,
        )

    def _step(self, name: str, items: int, start: float) -> None:
        self._steps.append(Step(name, items, time.perf_counter() - start))
