"""A feed into a new generation: read, decode and encode, write the catalogue, make the index, publish."""

from __future__ import annotations

import fcntl
import resource
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from catalog.errors import BadFeed, GenerationError
from catalog.feed import read_feed
from catalog.product import Picture, Product, Rejected
from catalog.store import Catalogue
from indexer import generations
from indexer.assemble import RowFiles, write_rows
from indexer.cache import PICTURES, TITLES, VectorCache, cache_path
from indexer.encoders.base import Encoder
from indexer.manifest import Manifest
from indexer.other_views import share_of_words
from indexer.pipeline import PictureFacts, PipelineOptions, encode_pictures, encode_titles
from indexer.progress import progress
from indexer.recall import Goal, sample_queries, title_agreement, tune
from indexer.report import BuildReport, Step, save_report
from indexer.vector_index import IndexPlan, VectorIndex, plan_for
from indexer.vectors import Layout
from indexer.weights import shop_weights

CATALOGUE = "catalog.sqlite"


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How to build; the defaults suit every shop. `kind` forces an index kind, `threads` are for batches of queries."""

    pipeline: PipelineOptions = field(default_factory=PipelineOptions)
    kind: str | None = None
    goal: Goal = field(default_factory=Goal)
    threads: int | None = None


def build(home: Path, feed: Path, encoder: Encoder, options: BuildOptions | None = None) -> BuildReport:
    """Index a feed as the shop's new current generation. Pictures and titles encoded before are not encoded again.

    Raises BadFeed when nothing in it can be indexed, GenerationError when the index would lose too much or another
    build is running. Index and catalogue change together in the last step; a build that fails changes neither.
    """
    options = options or BuildOptions()
    home.mkdir(parents=True, exist_ok=True)
    with _only_build(home):
        return _Build(home, encoder, options).run(feed)


class _Build:
    """One build on its way: each method is one role, `run` says their order."""

    def __init__(self, home: Path, encoder: Encoder, options: BuildOptions) -> None:
        self._home = home
        self._encoder = encoder
        self._options = options
        self._layout = Layout.of_encoder(encoder.blocks)
        self._rejected: list[Rejected] = []
        self._steps: list[Step] = []
        self._began = time.perf_counter()

    def run(self, feed: Path) -> BuildReport:
        products = self._read(feed)
        with self._cache(PICTURES, self._encoder.dim) as pictures, self._title_cache() as titles:
            facts = self._encode(products, pictures)
            products = self._usable(products, facts, feed)
            if titles is not None:
                self._encode_titles(products, titles)
            with closing(Catalogue.open(self._home / CATALOGUE)) as catalogue:
                # The generation must stand, its gate passed, before the catalogue it was made from shows.
                with catalogue.replacing(products):
                    manifest = self._seal(catalogue, pictures, titles)
                generations.make_current(self._home, manifest.number)
        report = self._report(manifest, facts)
        save_report(self._home, report)
        return report

    def _read(self, feed: Path) -> list[Product]:
        start = time.perf_counter()
        products = []
        for item in read_feed(feed):
            if isinstance(item, Rejected):
                self._rejected.append(item)
            else:
                products.append(item)
        self._step("read", len(products) + len(self._rejected), start)
        return products

    def _encode(self, products: list[Product], cache: VectorCache) -> PictureFacts:
        paths = list(dict.fromkeys(picture.path for product in products for picture in product.pictures))
        with progress("pictures", len(paths)) as tick:
            facts = encode_pictures(paths, self._encoder, cache, self._options.pipeline, tick)
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
            reasons = "; ".join(f"{row.source}:{row.line}: {row.reason}" for row in self._rejected[:3])
            raise BadFeed(
                f"{feed} has no product that can be indexed ({len(self._rejected):,} rows rejected).",
                f"The first reasons: {reasons}" if reasons else "Is it the right file or folder?",
            )
        return kept

    def _encode_titles(self, products: list[Product], cache: VectorCache) -> None:
        start = time.perf_counter()
        titles = {product.title for product in products}
        with progress("titles", len(titles)) as tick:
            done = encode_titles(titles, self._encoder, cache, self._options.pipeline.batch_size, tick)
        self._step("words", done, start)

    def _seal(self, catalogue: Catalogue, pictures: VectorCache, titles: VectorCache | None) -> Manifest:
        start = time.perf_counter()
        number, folder = generations.begin(self._home)
        try:
            seq = catalogue.seq
            files = write_rows(folder, catalogue, self._layout, pictures, titles)
            manifest = self._index(folder, files, number, seq)
            generations.seal(self._home, folder, manifest)
        finally:
            shutil.rmtree(folder, ignore_errors=True)  # gone already when it was sealed
        self._step("index", files.count, start)
        return manifest

    def _index(self, folder: Path, files: RowFiles, number: int, seq: int) -> Manifest:
        rows = np.load(folder / generations.ROWS, mmap_mode="r", allow_pickle=False)
        goal, encoder = self._options.goal, self._encoder
        keys = np.load(folder / generations.PRODUCTS, allow_pickle=False)
        gate = title_agreement(self._layout, rows, goal.seed)
        gate *= share_of_words(self._layout, rows, keys, shop_weights(self._layout), goal.seed)
        weights = shop_weights(self._layout, gate)
        index = VectorIndex.build(rows, self._plan(files.count), self._options.threads)
        record, recall = tune(index, rows, sample_queries(self._layout, rows, weights, goal), goal)
        index.save(folder / generations.INDEX)
        return Manifest(
            number=number,
            created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            encoder=encoder.spec,
            fingerprint=encoder.fingerprint,
            preprocessing=dict(encoder.preprocessing),
            blocks=self._layout.blocks,
            rows=files.count,
            products=files.products,
            seq=seq,
            index=record,
            weights=weights,
            words_gate=gate,
            recall=recall,
            files={},
        )

    def _plan(self, count: int) -> IndexPlan:
        plan = plan_for(count, self._options.goal.seed)
        return plan if self._options.kind is None else replace(plan, kind=self._options.kind)

    def _report(self, manifest: Manifest, facts: PictureFacts) -> BuildReport:
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
        )

    def _cache(self, kind: str, dim: int) -> VectorCache:
        fingerprint = self._encoder.fingerprint
        return VectorCache(cache_path(self._home, fingerprint, kind), fingerprint, dim)

    def _title_cache(self) -> VectorCache | nullcontext[None]:
        if self._layout.text_block is None:
            return nullcontext()
        return self._cache(TITLES, self._layout.blocks[-1].dim)

    def _step(self, name: str, items: int, start: float) -> None:
        self._steps.append(Step(name, items, time.perf_counter() - start))


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
            good.setdefault(sha256, replace(picture, sha256=sha256, width=width, height=height))
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


@contextmanager
def _only_build(home: Path) -> Iterator[None]:
    with (home / "build.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GenerationError(
                f"Another build of {home} is running.", "Wait until it has ended, or stop it, and try again."
            ) from None
        yield
