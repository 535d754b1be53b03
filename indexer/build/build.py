"""A feed into a new generation: read, decode and encode, write the catalogue, make the index, publish."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from catalog.errors import BadFeed
from catalog.files.failpoints import failpoint
from catalog.feeds.reader import read_feed
from catalog.fetching.fetcher import PictureFetcher
from catalog.product import Picture, Product, Rejected
from catalog.storage.catalogue import Catalogue
from indexer.build.row_writer import Sources
from indexer.cache.vector_cache import VectorCache
from indexer.encoders.base import Encoder, make_maps_ready
from indexer.build.feed_settings import fetching
from indexer.cache.file_stats import FileFacts
from indexer.build.feed_settings import ChosenFeed, choose_feed, remember_feed
from indexer.build.generation_builder import BuildOptions, Made, Maker
from indexer.build.encoding_pipeline import encode_files
from indexer.build.encoding_pipeline import PictureFacts, encode_titles
from indexer.progress import progress
from indexer.generations.publishing import CATALOGUE, announce, only_writer, publish_announced
from indexer.build.report import BuildReport, Step, save_report

__all__ = ["CATALOGUE", "BuildOptions", "build", "peak_memory_mb", "split_origin", "usable_pictures"]


def build(
    home: Path, feed: Path, encoder: Encoder, options: BuildOptions | None = None, *, fetch: bool | None = None
) -> BuildReport:
    """Index a feed as the shop's new current generation. Pictures and titles encoded before are not encoded again.

    `fetch` says whether pictures named by web address are fetched, None as the last time with this feed. Raises
    BadFeed when nothing in it can be indexed, GenerationError when the index would lose too much or another build is
    running. Index and catalogue change together in the last step; a build that fails changes neither.
    """
    options = options or BuildOptions()
    home.mkdir(parents=True, exist_ok=True)
    with only_writer(home):
        report = _Build(home, encoder, options).run(choose_feed(home, feed, fetch))
    make_maps_ready(encoder)
    return report


class _Build:
    """One build on its way: each method is one role, `run` says their order."""

    def __init__(self, home: Path, encoder: Encoder, options: BuildOptions) -> None:
        self._home = home
        self._maker = Maker(home, encoder, options)
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
                    made = maker.seal(catalogue, Sources(maker.layout, pictures, titles))
                    self._step("index", made.manifest.rows, start)
                    announce(catalogue, made.manifest.number)
                publish_announced(self._home, catalogue)
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

    def _encode(self, products: list[Product], cache: VectorCache) -> PictureFacts:
        paths = list(dict.fromkeys(picture.path for product in products for picture in product.pictures))
        with progress("pictures", len(paths)) as tick, FileFacts(self._home) as files:
            facts = encode_files(paths, self._maker.encoder, cache, files, self._maker.options.pipeline, tick)
        self._steps.append(Step("decode", facts.decoded, facts.decode_seconds))
        self._steps.append(Step("encode", facts.encoded, facts.encode_seconds))
        return facts

    def _usable(self, products: list[Product], facts: PictureFacts, feed: Path) -> list[Product]:
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

    def _report(self, made: Made, facts: PictureFacts) -> BuildReport:
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


def read_whole(feed: Path, fetcher: PictureFetcher | None = None) -> tuple[list[Product], list[Rejected]]:
    """All of a feed: its products, and the rows that are none. Raises BadFeed."""
    products: list[Product] = []
    rejected: list[Rejected] = []
    for item in read_feed(feed, fetcher):
        if isinstance(item, Rejected):
            rejected.append(item)
        else:
            products.append(item)
    return products, rejected


def first_reasons(rejected: Sequence[Rejected]) -> str:
    """Why the first three rows were rejected, in one line; empty when none was."""
    return "; ".join(f"{row.source}:{row.line}: {row.reason}" for row in rejected[:3])


def usable_pictures(product: Product, facts: PictureFacts) -> tuple[tuple[Picture, ...], list[Rejected]]:
    """The product's pictures that were decoded, each content once, and what is rejected: one row for the whole
    product when none is left, else one for each broken picture.
    """
    good: dict[str, Picture] = {}
    broken = []
    for picture in product.pictures:
        if picture.path in facts.broken:
            broken.append(f"{Path(picture.path).name}: {facts.broken[picture.path]}")
        else:
            sha256 = facts.hashes[picture.path]
            width, height = facts.sizes[picture.path]
            good.setdefault(sha256, Picture(picture.path, sha256, width, height))
    if good and not broken:
        return tuple(good.values()), []
    source, line = split_origin(product.origin)
    if not good:
        return (), [Rejected(source, line, f"no usable picture ({'; '.join(broken)})")]
    return tuple(good.values()), [Rejected(source, line, f"picture left out ({reason})") for reason in broken]


def split_origin(origin: str) -> tuple[str, int]:
    """ "products.csv:17" as ("products.csv", 17); without a number the line is 0."""
    source, _, line = origin.rpartition(":")
    return (source, int(line)) if source and line.isascii() and line.isdigit() else (origin, 0)


def peak_memory_mb() -> float:
    """The most memory this process has had, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)  # macOS counts bytes, Linux KiB
