"""One index run, of a build or an update: compare the feed, encode what is missing, seal a generation, publish, report.

Changes that alter no row of the index (prices, stock, other texts) are committed to the catalogue alone: searches read
them from there, and the index would be the same bytes. Only when the log since the index has grown long does such an
update make a generation, so that servers need not replay the log.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path

from catalog.errors import GenerationError
from catalog.feeds.known_rows import NO_ROWS, KnownRows
from catalog.feeds.reader import read_feed
from catalog.files.failpoints import failpoint
from catalog.home import ShopHome
from catalog.product import Rejected, split_origin
from catalog.staging.import_draft import ImportDraft, import_draft
from catalog.storage.catalogue import Catalogue, PictureRow
from catalog.storage.opening import open_catalogue
from indexer.build.encoding_pipeline import PictureResults, encode_pictures, encode_titles
from indexer.build.feed_diff import FeedDiff, pictures_now
from indexer.build.feed_settings import ChosenFeed, UpdateOptions, choose_feed, fetching, remember_feed
from indexer.build.generation_builder import BuiltGeneration, GenerationBuilder
from indexer.build.report import BUILD, UPDATE, IndexReport, save_report
from indexer.build.row_writer import ReusableRows, VectorSources
from indexer.cache.feed_rows import read_feed_rows, write_feed_rows
from indexer.cache.file_stats import FileStatCache
from indexer.cache.vector_cache import VectorCache
from indexer.encoders.base import Encoder, make_maps_ready
from indexer.feed_changes import REMOVED, Changes
from indexer.generations import store
from indexer.generations.encoder_diff import save_encoder_diff
from indexer.generations.publishing import publish_pending, record_pending
from indexer.generations.store import Generation
from indexer.run_warnings import RunWarnings
from indexer.step_times import StepTimes, peak_memory_mb, recording_to, timed_step

MAX_LOG_CHANGES = 5_000  # since the index was made; servers replay them when they open it


class IndexRun:
    """One build or update. A build is an update against nothing (`rebuild`).

    It reads every picture file, reuses vectors from the caches alone and no row of an earlier generation, and opens the
    catalogue only when the feed is read and its pictures are encoded.
    """

    def __init__(self, home: Path, encoder: Encoder, options: UpdateOptions, rebuild: bool = False) -> None:
        self._home = home
        self._options = options
        self._rebuild = rebuild
        self._builder = GenerationBuilder(home, encoder, options.build)
        self._previous: Generation | None = None
        with suppress(GenerationError):  # without a current generation, or when it is damaged, nothing of it is reused
            self._previous = None if rebuild else store.open_current(home, mapped=True)
        self._pictures = PictureResults()
        self._titles = 0
        self._rows = KnownRows()
        self._steps = StepTimes()
        self._began = time.perf_counter()

    def run(self, publish: bool = True) -> IndexReport:
        """Run every step and save the report; without `publish`, roll back once the new generation was compared."""
        with FileStatCache(self._home) as files, recording_to(self._steps):
            diff, sealed = self._build(files) if self._rebuild else self._update(files, publish)
        report = self._report(diff, sealed, made=sealed is not None and publish)
        if not publish:
            return report
        warnings = RunWarnings()
        if not self._options.from_catalogue:
            with warnings.warn_on_error("The feed is not remembered: name it when you update the shop next."):
                remember_feed(self._home, self._feed())
            with warnings.warn_on_error("The next update reads every row of the feed."):
                self._remember_rows(diff, sealed)
        report = save_report(self._home, report, warnings)
        failpoint("update.reported")
        return report

    def dry_run(self) -> IndexReport:
        """Report what an update would change; encode and write nothing."""
        with self._open_catalogue() as catalogue, FileStatCache(self._home, readonly=True) as files:
            diff = self._compare_feed(catalogue, files, dry_run=True)
            needed = self._needs_generation(catalogue, diff.changes)
        return replace(self._report(diff, None, made=False), would_make=needed)

    def _build(self, files: FileStatCache) -> tuple[FeedDiff, BuiltGeneration]:
        diff = self._compare_feed(None, files)
        with self._open_catalogue() as catalogue:
            diff.find_removed(catalogue)
            return diff, self._make_generation(catalogue, files, diff, publish=True)

    def _update(self, files: FileStatCache, publish: bool) -> tuple[FeedDiff, BuiltGeneration | None]:
        with self._open_catalogue() as catalogue:
            diff = self._compare_feed(catalogue, files)
            failpoint("update.compared")
            if self._needs_generation(catalogue, diff.changes):
                if self._reusable() is None:
                    make_maps_ready(self._builder.encoder)
                return diff, self._make_generation(catalogue, files, diff, publish)
            if diff.changes.total and publish:
                with catalogue.applying(diff.puts, diff.gone, store.current_number(self._home)):
                    failpoint("update.before-commit")
                failpoint("update.committed")
        return diff, None

    def _make_generation(
        self, catalogue: Catalogue, files: FileStatCache, diff: FeedDiff, publish: bool
    ) -> BuiltGeneration:
        with self._builder.picture_cache() as pictures, self._builder.title_cache() as titles:
            self._encode_titles((product.title for product in diff.puts), titles)
            self._encode_unlisted(catalogue, files, self._sources(catalogue, pictures, titles), diff)
            if self._rebuild:
                failpoint("build.encoded")
            else:
                failpoint("update.encoded")
            with ExitStack() as stack:
                with timed_step("copy"):
                    draft = stack.enter_context(import_draft(catalogue, ShopHome(self._home).staging))
                with timed_step("catalogue", diff.changes.total):
                    draft.apply(diff.puts, diff.gone)
                with timed_step("missing"):
                    sources = self._sources(draft.catalogue, pictures, titles)
                    late = self._put_meanwhile(draft.catalogue, sources, diff)
                diff.puts.clear()  # they are in the copy, and the index needs the memory
                self._encode_missing(late, sources, files)
                built = self._builder.build(draft.catalogue, sources, self._reusable(), self._options.force)
                with self._builder.removing_on_error(built):
                    if self._previous is not None and self._reusable() is None:
                        save_encoder_diff(self._home, self._previous, built.candidate, draft.catalogue)
                if publish:
                    return self._publish(catalogue, draft, built)
                self._builder.remove(built.candidate.folder)
        return built

    def _put_meanwhile(self, catalogue: Catalogue, sources: VectorSources, diff: FeedDiff) -> list[PictureRow]:
        """Return the pictures and titles of products that were put while those of the feed were encoded."""
        encoded = catalogue.keys_of(product.id for product in diff.puts) if self._rebuild else ()
        return list(sources.missing(catalogue, but=set(encoded)))

    def _publish(self, catalogue: Catalogue, draft: ImportDraft, built: BuiltGeneration) -> BuiltGeneration:
        complete = False
        try:
            with timed_step("commit"), draft.committing() as seq:
                sealed = self._builder.seal(built, catalogue, seq)
                record_pending(self._home, catalogue, sealed.candidate.number)
                complete = True
        except BaseException:
            if not complete:  # else the commit failed, and a lost connection does not tell whether it was made
                self._builder.remove(built.candidate.folder)
            raise
        publish_pending(self._home, catalogue)
        return sealed

    def _remember_rows(self, diff: FeedDiff, sealed: BuiltGeneration | None) -> None:
        # An update has compared since `seq`: what it wrote itself is read once more. A build wrote what it has read.
        seq = sealed.candidate.manifest.seq if self._rebuild and sealed else diff.seq
        with self._open_catalogue() as catalogue:
            write_feed_rows(self._home, diff.complete(self._rows.noted()), catalogue, seq)

    def _open_catalogue(self) -> AbstractContextManager[Catalogue]:
        return closing(open_catalogue(self._home, create=True))

    def _feed(self) -> ChosenFeed:
        return choose_feed(self._home, self._options.feed, self._options.fetch, self._options.encoding)

    def _compare_feed(self, catalogue: Catalogue | None, files: FileStatCache, dry_run: bool = False) -> FeedDiff:
        diff = FeedDiff(catalogue, None if self._options.check_pictures else files)
        if catalogue is not None and self._options.from_catalogue:
            diff.changes.unchanged = catalogue.count()
            return diff
        feed = self._feed()
        with fetching(self._home, feed.fetch) as fetcher, timed_step("read"):
            if catalogue is not None and not self._options.check_pictures:
                self._rows = KnownRows(read_feed_rows(self._home, catalogue, files))
            diff.add_items(read_feed(feed.path, fetcher, feed.encoding, self._rows))
            self._rows.before = NO_ROWS  # the index needs the memory
        rows = diff.changes.unchanged + len(diff.puts) + len(diff.pending) + len(diff.rejected)
        self._steps.add("read", rows, 0.0)
        contents = self._read_pictures(diff.unread_paths(), files, dry_run)
        with timed_step("compare", len(diff.pending)):
            diff.compare_pending(contents)
        diff.require_usable(feed.path)
        if catalogue is not None:
            options = self._options
            remove, certain = not options.keep_missing, options.allow_shrink
            diff.find_removed(catalogue, remove=remove, certain=certain, removable=options.removable)
            if not options.allow_shrink:
                diff.require_not_shrunk(feed.path, catalogue.count())
            if not options.force:
                diff.require_not_undone(feed.path, catalogue.history.undone())
        return diff

    def _read_pictures(self, paths: list[str], files: FileStatCache, dry_run: bool) -> PictureResults:
        if dry_run or not paths:
            return encode_pictures(paths, self._builder.encoder, None, self._options.build.pipeline)
        with self._builder.picture_cache() as cache:
            return self._encode_pictures(paths, cache, files)

    def _encode_pictures(self, paths: list[str], cache: VectorCache, files: FileStatCache) -> PictureResults:
        with timed_step("files", len(paths)):
            results = encode_pictures(paths, self._builder.encoder, cache, self._options.build.pipeline, files)
        self._pictures.add(results)
        self._steps.add("decode", results.decoded, results.decode_seconds)
        self._steps.add("encode", results.encoded, results.encode_seconds)
        return results

    def _encode_titles(self, titles: Iterable[str], cache: VectorCache | None) -> None:
        if cache is not None:
            with timed_step("words"):
                encoded = encode_titles(titles, self._builder.encoder, cache, self._options.build.pipeline)
            self._titles += encoded
            self._steps.add("words", encoded, 0.0)

    def _encode_unlisted(
        self, catalogue: Catalogue, files: FileStatCache, sources: VectorSources, diff: FeedDiff
    ) -> None:
        """Encode what products lack that the feed leaves alone.

        A picture whose file shows another picture by now is replaced by that one, and left out when it cannot be read.
        Products that earlier versions stored, and this one does not, are removed when that happens to their pictures.
        """
        changed = {product.id for product in diff.puts} | set(diff.gone)
        missing = sources.missing(catalogue, but=set(catalogue.keys_of(changed)))
        lost: dict[int, set[str]] = {}
        for row in self._encode_missing(list(missing), sources, files):
            lost.setdefault(row.key, set()).add(row.sha256)
        for key, product in catalogue.get_many(list(lost)).items():
            pictures, unread = pictures_now(product.pictures, lost[key], self._pictures.contents)
            if unread:
                reason = f"{product.id}: {'not every picture' if pictures else 'no picture'} could be read again"
                diff.rejected.append(Rejected(*split_origin(product.origin), reason, product.id))
            changed_product = replace(product, pictures=pictures)
            if pictures and diff.accepts(changed_product):
                diff.puts.append(changed_product)
            else:
                diff.gone.append(product.id)
                diff.changes.count(REMOVED, product.id)

    def _encode_missing(
        self, missing: list[PictureRow], sources: VectorSources, files: FileStatCache
    ) -> list[PictureRow]:
        """Encode the pictures and titles that are missing; return the rows whose picture is not there any more."""
        unencoded = [row for row in missing if sources.picture(row) is None]
        if unencoded:
            self._encode_pictures(list(dict.fromkeys(row.path for row in unencoded)), sources.pictures, files)
        self._encode_titles((row.title for row in missing), sources.titles)
        return [row for row in unencoded if sources.picture(row) is None]

    def _reusable(self) -> Generation | None:
        """Return the generation before, when its rows are what this encoder would give."""
        before = self._previous
        return before if before is not None and self._builder.may_reuse(before) else None

    def _needs_generation(self, catalogue: Catalogue, changes: Changes) -> bool:
        before = self._reusable()
        if (
            before is None
            or self._builder.moves(before)
            or changes.alter_index(self._builder.layout.text_block is not None)
        ):
            return True
        behind = catalogue.seq - before.manifest.seq
        return behind > 0 if self._options.from_catalogue else behind + changes.total > MAX_LOG_CHANGES

    def _sources(self, catalogue: Catalogue, pictures: VectorCache, titles: VectorCache | None) -> VectorSources:
        before = self._reusable()
        reusable = None if before is None else ReusableRows(before, catalogue.keys_changed(before.manifest.seq))
        return VectorSources(self._builder.layout, pictures, titles, reusable)

    def _report(self, diff: FeedDiff, sealed: BuiltGeneration | None, made: bool) -> IndexReport:
        return IndexReport(
            kind=BUILD if self._rebuild else UPDATE,
            generation=sealed.candidate.number if sealed else self._previous.number if self._previous else 0,
            made=made,
            changes=diff.changes,
            manifest=None if sealed is None else sealed.candidate.manifest,
            pictures=self._pictures.distinct,
            encoded=self._pictures.encoded,
            reused=self._pictures.reused,
            titles=self._titles,
            copied=0 if sealed is None else sealed.copied,
            rejected=tuple(diff.rejected),
            retained=diff.retained,
            notes=tuple(diff.notes.values()),
            gates=() if sealed is None else sealed.gates,
            steps=self._steps.all(),
            seconds=time.perf_counter() - self._began,
            peak_memory_mb=peak_memory_mb(),
        )
