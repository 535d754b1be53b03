"""A feed that changed into a shop that is searched: only what differs is encoded, the rest is copied.

What changes no row of the index (prices, stock, other texts) is committed to the catalogue alone: searches read it
from there, and the index would be the same bytes. Only when the log since the index has grown long is one made all
the same, so that servers need not replay it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from catalog.errors import BadFeed
from catalog.feeds.reader import read_feed
from catalog.files.failpoints import failpoint
from catalog.product import Rejected
from catalog.storage.catalogue import Catalogue, PictureRow
from indexer.build.encoding_pipeline import PictureResults, encode_files, encode_titles, look_at_files
from indexer.build.feed_diff import REMOVED, Changes, FeedDiff
from indexer.build.feed_reading import first_reasons, peak_memory_mb, split_origin
from indexer.build.feed_settings import ChosenFeed, choose_feed, fetching, remember_feed
from indexer.build.generation_builder import BuildOptions, GenerationBuilder, SealedGeneration
from indexer.build.report import UpdateReport, save_update
from indexer.build.row_writer import ReusableRows, VectorSources
from indexer.cache.file_stats import FileStatCache
from indexer.cache.vector_cache import VectorCache
from indexer.encoders.base import Encoder, make_maps_ready
from indexer.generations import store
from indexer.generations.encoder_diff import save_change
from indexer.generations.publishing import (
    CATALOGUE,
    build_lock,
    catalogue_of,
    open_current_or_none,
    publish_pending,
    record_pending,
)
from indexer.generations.store import Generation
from indexer.progress import progress

Reader = Callable[[list[str], FileStatCache], PictureResults]

LONG_LOG = 5_000  # changes since the index was made; servers replay them when they open it


@dataclass(frozen=True, slots=True)
class UpdateOptions:
    """What an update may do; `feed` None is the one of the last run, `from_catalogue` reads none at all.

    `fetch` says whether pictures named by web address are fetched, None as the last time with that feed.
    """

    feed: Path | None = None
    fetch: bool | None = None
    from_catalogue: bool = False
    check_pictures: bool = False
    keep_missing: bool = False
    allow_shrink: bool = False
    force: bool = False
    build: BuildOptions = field(default_factory=BuildOptions)


def update_index(home: Path, encoder: Encoder, options: UpdateOptions | None = None) -> UpdateReport:
    """Bring a shop up to date with its feed. Raises BadFeed, GenerationError; then nothing has changed.

    A run that was cut short is taken up by the next: what was encoded is kept.
    """
    options = options or UpdateOptions()
    catalogue_of(home)
    with build_lock(home):
        return _Update(home, encoder, options).run()


def dry_run(home: Path, encoder: Encoder, options: UpdateOptions | None = None) -> UpdateReport:
    """What `update_index` would do; nothing is encoded, and nothing changes on disk but that pictures may be fetched."""
    options = options or UpdateOptions()
    catalogue_of(home)
    return _Update(home, encoder, options).rehearse()


def compare_encoder(home: Path, encoder: Encoder, options: UpdateOptions | None = None) -> UpdateReport:
    """What another encoder would change: all is encoded, compared and reported, and nothing is published."""
    options = options or UpdateOptions()
    catalogue_of(home)
    with build_lock(home):
        return _Update(home, encoder, options).run(publish=False)


class _NotPublished(Exception):
    """Leaves the transaction of a rehearsal."""


class _Update:
    """One update on its way."""

    def __init__(self, home: Path, encoder: Encoder, options: UpdateOptions) -> None:
        self._home = home
        self._options = options
        self._maker = GenerationBuilder(home, encoder, options.build)
        self._previous = open_current_or_none(home)
        self._encoded = PictureResults()
        self._titles = 0
        self._began = time.perf_counter()

    def run(self, publish: bool = True) -> UpdateReport:
        with closing(Catalogue.open(self._home / CATALOGUE)) as catalogue, FileStatCache(self._home) as files:
            found = self._compared(catalogue, files, self._encode_unread)
            failpoint("update.compared")
            made: SealedGeneration | None = None
            if self._needs_generation(catalogue, found.changes):
                if self._reusable() is None:
                    make_maps_ready(self._maker.encoder)
                made = self._make(catalogue, files, found, publish)
            elif found.changes.total and publish:
                with catalogue.applying(found.puts, found.gone):
                    failpoint("update.before-commit")
                failpoint("update.committed")
        report = self._report(found, made, published=publish)
        if publish:
            save_update(self._home, report)
            if not self._options.from_catalogue:
                remember_feed(self._home, self._feed())
            failpoint("update.reported")
        return report

    def rehearse(self) -> UpdateReport:
        with (
            closing(Catalogue.open(self._home / CATALOGUE)) as catalogue,
            FileStatCache(self._home, readonly=True) as files,
        ):
            found = self._compared(catalogue, files, self._look_at_unread)
            needed = self._needs_generation(catalogue, found.changes)
        return replace(self._report(found, None, published=False), would_make=needed)

    def _compared(self, catalogue: Catalogue, files: FileStatCache, read: Reader) -> FeedDiff:
        found = FeedDiff(catalogue, files, self._options.check_pictures)
        if self._options.from_catalogue:
            found.changes.unchanged = catalogue.count()
            return found
        feed = self._feed().path
        with fetching(self._home, self._feed().fetch) as fetcher:
            found.take(read_feed(feed, fetcher))
        found.decide(read(found.unread(), files))
        if not found.puts and not found.changes.unchanged:
            reasons = first_reasons(found.rejected)
            raise BadFeed(f"{feed} has no product that can be indexed.", reasons or "Is it the right file or folder?")
        if not self._options.keep_missing:
            found.find_removed()
            self._refuse_shrinking(feed, catalogue.count(), found.changes)
        return found

    def _feed(self) -> ChosenFeed:
        return choose_feed(self._home, self._options.feed, self._options.fetch)

    def _refuse_shrinking(self, feed: Path, count: int, changes: Changes) -> None:
        removed = changes.counts[REMOVED]
        if 2 * removed > count and not self._options.allow_shrink:
            raise BadFeed(
                f"{feed} would remove {removed:,} of the shop's {count:,} products, more than half. Is it cut short?"
                " Nothing was changed.",
                "Look at the feed; --allow-shrink removes them, --keep-missing updates the others only.",
            )

    def _encode_unread(self, paths: list[str], files: FileStatCache) -> PictureResults:
        if not paths:
            return PictureResults()
        with self._maker.picture_cache() as cache:
            return self._encode(paths, cache, files)

    def _encode(self, paths: list[str], cache: VectorCache, files: FileStatCache) -> PictureResults:
        with progress("pictures", len(paths)) as tick:
            facts = encode_files(paths, self._maker.encoder, cache, files, self._options.build.pipeline, tick)
        self._encoded.add(facts)
        return facts

    def _look_at_unread(self, paths: list[str], _: FileStatCache) -> PictureResults:
        with progress("pictures", len(paths)) as tick:
            return look_at_files(paths, self._maker.encoder, self._options.build.pipeline, tick)

    def _reusable(self) -> Generation | None:
        """The generation before, when its rows are what this encoder would give."""
        before = self._previous
        if before is None or before.manifest.fingerprint != self._maker.encoder.fingerprint:
            return None
        return before if before.layout == self._maker.layout else None

    def _needs_generation(self, catalogue: Catalogue, changes: Changes) -> bool:
        before = self._reusable()
        if before is None or changes.alter_index(self._maker.layout.text_block is not None):
            return True
        behind = catalogue.seq - before.manifest.seq
        return behind > 0 if self._options.from_catalogue else behind + changes.total > LONG_LOG

    def _make(
        self, catalogue: Catalogue, files: FileStatCache, found: FeedDiff, publish: bool
    ) -> SealedGeneration | None:
        maker, before = self._maker, self._reusable()
        made = None
        with maker.picture_cache() as pictures, maker.title_cache() as titles:
            if titles is not None:
                self._encode_titles((product.title for product in found.puts), titles)
            self._fill(catalogue, files, self._sources(catalogue, pictures, titles), found)
            failpoint("update.encoded")
            try:
                with catalogue.applying(found.puts, found.gone):
                    sources = self._sources(catalogue, pictures, titles)
                    self._encode_missing(list(sources.missing(catalogue)), sources, files)  # put while we encoded
                    made = maker.seal(catalogue, sources, before, self._options.force)
                    self._compare_encoders(catalogue, made)
                    if not publish:
                        raise _NotPublished
                    record_pending(catalogue, made.manifest.number)
            except _NotPublished:
                store.remove_unfinished(self._home)
                return made
            publish_pending(self._home, catalogue)
        return made

    def _sources(self, catalogue: Catalogue, pictures: VectorCache, titles: VectorCache | None) -> VectorSources:
        before = self._reusable()
        kept = None if before is None else ReusableRows(before, catalogue.keys_changed(before.manifest.seq))
        return VectorSources(self._maker.layout, pictures, titles, kept)

    def _fill(self, catalogue: Catalogue, files: FileStatCache, sources: VectorSources, found: FeedDiff) -> None:
        """Encode what products that the feed leaves alone lack; a picture that cannot be had any more is left out."""
        changed = {product.id for product in found.puts} | set(found.gone)
        skipped = {key for key, _ in catalogue.find(changed).values()}
        missing = [shown for shown in sources.missing(catalogue) if shown.key not in skipped]
        lost: dict[int, set[str]] = {}
        for shown in self._encode_missing(missing, sources, files):
            lost.setdefault(shown.key, set()).add(shown.sha256)
        for key, product in catalogue.get_many(list(lost)).items():
            pictures = tuple(picture for picture in product.pictures if picture.sha256 not in lost[key])
            source, line = split_origin(product.origin)
            reason = "no picture" if not pictures else "not every picture"
            found.rejected.append(Rejected(source, line, f"{product.id}: {reason} could be read again"))
            if pictures:
                found.puts.append(replace(product, pictures=pictures))
            else:
                found.gone.append(product.id)
                found.changes.note(REMOVED, product.id)

    def _encode_missing(
        self, missing: list[PictureRow], sources: VectorSources, files: FileStatCache
    ) -> list[PictureRow]:
        """Encode the pictures and titles that are missing; returns those whose picture is not there any more."""
        lacking = [shown for shown in missing if sources.picture(shown) is None]
        if lacking:
            self._encode(list(dict.fromkeys(shown.path for shown in lacking)), sources.pictures, files)
        if sources.titles is not None:
            self._encode_titles((shown.title for shown in missing), sources.titles)
        return [shown for shown in lacking if sources.picture(shown) is None]

    def _encode_titles(self, titles: Iterable[str], cache: VectorCache) -> None:
        wanted = set(titles)
        with progress("titles", len(wanted)) as tick:
            self._titles += encode_titles(
                wanted, self._maker.encoder, cache, self._options.build.pipeline.batch_size, tick
            )

    def _compare_encoders(self, catalogue: Catalogue, made: SealedGeneration) -> None:
        """Where the encoder is another one, say in the shop's folder what that changes."""
        if self._previous is not None and self._reusable() is None:
            save_change(self._home, self._previous, made.candidate, catalogue)

    def _report(self, found: FeedDiff, made: SealedGeneration | None, published: bool) -> UpdateReport:
        number = self._previous.number if self._previous is not None else 0
        manifest = made.manifest if made is not None else None
        return UpdateReport(
            generation=manifest.number if manifest is not None else number,
            made=manifest is not None and published,
            changes=found.changes,
            encoded=self._encoded.encoded,
            titles=self._titles,
            copied=made.copied if made is not None else 0,
            rows=manifest.rows if manifest is not None else 0,
            rejected=tuple(found.rejected),
            gates=made.gates if made is not None else (),
            seconds=time.perf_counter() - self._began,
            peak_memory_mb=peak_memory_mb(),
        )
