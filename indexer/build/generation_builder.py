"""Build a generation of the index from a catalogue: rows, index, manifest, and the gates before it is published."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from catalog.errors import GenerationError
from catalog.files.atomic import record
from catalog.files.failpoints import failpoint
from catalog.storage.catalogue import Catalogue
from indexer.ann.block_weights import shop_weights
from indexer.ann.faiss_index import VectorIndex, has_gpu
from indexer.ann.index_plan import IndexPlan, plan_for
from indexer.ann.recall import Goal, Rows, sample_queries, title_agreement, tune
from indexer.ann.title_weight import title_weight_from_views
from indexer.build.encoding_pipeline import PipelineOptions
from indexer.build.kind_texts import sample_texts, write_kind_vectors
from indexer.build.row_writer import VectorSources, write_rows
from indexer.cache.vector_cache import PICTURE_VECTORS, TITLE_VECTORS, VectorCache, cache_path
from indexer.columns.column_files import COLUMNS_FILE, note_change
from indexer.columns.product_tables import table_of, write_product_table
from indexer.encoders.base import Encoder
from indexer.generations import gates, store
from indexer.generations.gates import Gate
from indexer.generations.manifest import Manifest
from indexer.generations.match_curve_fit import with_match_curve
from indexer.generations.store import Generation
from indexer.layout import RowLayout
from indexer.step_times import timed_step
from indexer.suggestions.segment_files import write_suggestions
from indexer.types import Floats, Ids, IndexRecord, Recall
from indexer.vectors.contract import GenerationVectors
from indexer.vectors.embedded import EmbeddedVectors
from indexer.vectors.milvus.address import configured
from indexer.vectors.milvus.generations import RowsToWrite, remove_unnamed, tune_milvus, write_generation
from indexer.vectors.milvus.milvus_vectors import MilvusVectors
from indexer.words.updated_tables import updated_words
from indexer.words.word_tables import WordTables, read_words

# Part of the manifest's preprocessing, with the encoder's own: rows of pictures decoded otherwise are not copied.
DECODING = {"colours": "sRGB"}
MAX_PROBE_GROWTH = 2  # an index that probes more than so many times as many lists as before is trained again


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How to build; the defaults suit every shop. `kind` forces an index kind, `threads` are for batches of queries."""

    pipeline: PipelineOptions = field(default_factory=PipelineOptions)
    kind: str | None = None
    goal: Goal = field(default_factory=Goal)
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class BuiltGeneration:
    """A generation that is not published yet, the outcome of its gates, and how many rows were copied."""

    candidate: Generation
    gates: tuple[Gate, ...]
    copied: int


@dataclass(frozen=True, slots=True)
class _CopiedRows:
    """For each row the number of the one of this generation that it is a copy of, -1 for others."""

    generation: Generation
    numbers: Ids


class GenerationBuilder:
    """Encodes titles and builds generations with one encoder: rows, index, manifest, gates."""

    def __init__(self, home: Path, encoder: Encoder, options: BuildOptions) -> None:
        self.home = home
        self.encoder = encoder
        self.options = options
        self.layout = RowLayout.of_encoder(encoder.blocks)

    def picture_cache(self) -> VectorCache:
        """Open the cache of picture vectors."""
        return self._cache(PICTURE_VECTORS, self.encoder.dim)

    def title_cache(self) -> VectorCache | nullcontext[None]:
        """Open the cache of title vectors; the block gets None when the encoder reads no text."""
        if self.layout.text_block is None:
            return nullcontext()
        return self._cache(TITLE_VECTORS, self.layout.blocks[-1].dim)

    def may_reuse(self, generation: Generation) -> bool:
        """Return whether the rows of a generation are what this encoder and decoder would give."""
        manifest = generation.manifest
        decoded_alike = all(manifest.preprocessing.get(name) == value for name, value in DECODING.items())
        same_encoder = manifest.fingerprint == self.encoder.fingerprint
        return decoded_alike and same_encoder and generation.layout == self.layout

    def moves(self, generation: Generation) -> bool:
        """Return whether the vectors of the next generation go to another place than those of this one."""
        vectors = generation.vectors
        return str(configured()) != str(vectors.connection.address if isinstance(vectors, MilvusVectors) else None)

    def build(
        self, catalogue: Catalogue, sources: VectorSources, previous: Generation | None = None, force: bool = False
    ) -> BuiltGeneration:
        """Build a generation of the catalogue as this thread reads it; `seal` is all that it lacks.

        Raises GenerationError when a gate fails.
        """
        number, folder = store.begin(self.home)
        failpoint("generation.begun")
        try:
            seq = catalogue.seq
            count = catalogue.pictures_count()
            with timed_step("rows", count):
                numbers = write_rows(folder, catalogue, sources)
            before = None
            if previous is not None:
                manifest = previous.manifest
                before = table_of(previous.folder, manifest.files, manifest.seq, catalogue)
            with timed_step("postings", count):
                self._write_words(folder, catalogue, None if before is None else previous)
                failpoint("words.written")
            with timed_step("tables", count):
                table = write_product_table(folder, catalogue, before)
            with timed_step("suggestions", count):
                write_suggestions(folder, table, catalogue)
                failpoint("suggestions.written")
            copied = None if previous is None else _CopiedRows(previous, numbers)
            candidate = self._index(folder, number, catalogue, seq, copied)
            with timed_step("curve", count):
                candidate = with_match_curve(candidate, catalogue, self.options.goal.seed)
            candidate.release_pages()
            with timed_step("kinds", count):
                write_kind_vectors(self.home, folder, sample_texts(table, catalogue), self.encoder)
            with timed_step("gates", count):
                checked = gates.check(candidate, catalogue, previous, self.options.goal.seed)
            gates.require(checked, force)
            failpoint("gates.passed")
            with timed_step("digests", count):
                candidate = replace(candidate, manifest=store.with_records(folder, candidate.manifest))
        except BaseException:
            self.remove(folder)
            raise
        return BuiltGeneration(candidate, checked, int(np.count_nonzero(numbers >= 0)))

    @contextmanager
    def removing_on_error(self, built: BuiltGeneration) -> Iterator[None]:
        """Remove a generation that is not published where the block ends with an error."""
        try:
            yield
        except BaseException:
            self.remove(built.candidate.folder)
            raise

    def remove(self, folder: Path) -> None:
        """Remove the folder of a generation that is not published, and its vectors elsewhere."""
        shutil.rmtree(folder, ignore_errors=True)
        remove_unnamed(self.home)

    def seal(self, built: BuiltGeneration, catalogue: Catalogue, seq: int) -> BuiltGeneration:
        """Write the manifest of a generation: change `seq` of the catalogue is the one that it was built at."""
        folder, manifest = built.candidate.folder, replace(built.candidate.manifest, seq=seq)
        if note_change(folder, catalogue.product_changed_at(seq)):
            path = folder / COLUMNS_FILE
            manifest = replace(manifest, files={**manifest.files, COLUMNS_FILE: record(path)})
        store.seal(folder, manifest)
        return replace(built, candidate=replace(built.candidate, manifest=manifest))

    def _write_words(self, folder: Path, catalogue: Catalogue, previous: Generation | None) -> None:
        """Write the words of products; from those of a generation before, which is of the same catalogue."""
        tables = None if previous is None else WordTables.open(previous.folder)
        words = None
        if previous is not None and tables is not None:
            words = updated_words(tables, previous.manifest.seq, catalogue)
        (read_words(catalogue) if words is None else words).write(folder)

    def _index(
        self, folder: Path, number: int, catalogue: Catalogue, seq: int, copied: _CopiedRows | None
    ) -> Generation:
        rows, keys, hashes = store.open_arrays(folder, mapped=True)
        goal, encoder = self.options.goal, self.encoder
        with timed_step("weights", len(rows)):
            title_weight = title_agreement(self.layout, rows, goal.seed)
            if title_weight:  # the second estimate reads every row, and cannot raise a weight of 0
                title_weight *= title_weight_from_views(self.layout, rows, keys, shop_weights(self.layout), goal.seed)
        weights = shop_weights(self.layout, title_weight)
        queries = sample_queries(self.layout, rows, weights, goal)
        if configured() is None:
            index, record, recall = self._searchable(folder / store.INDEX_FILE, rows, queries, copied)
            vectors: GenerationVectors = EmbeddedVectors(index, rows, record)
        else:
            source = RowsToWrite(rows, keys, hashes, catalogue.iterate())
            vectors, record, recall = self._in_milvus(folder, number, source, queries)
        failpoint("index.saved")
        manifest = Manifest(
            number=number,
            created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            encoder=encoder.spec,
            fingerprint=encoder.fingerprint,
            preprocessing={**encoder.preprocessing, **DECODING},
            blocks=self.layout.blocks,
            rows=len(keys),
            products=int(np.count_nonzero(np.diff(keys, prepend=0))),  # a product's pictures stand together
            seq=seq,
            index=record,
            weights=weights,
            words_gate=title_weight,
            recall=recall,
            files={},
        )
        return Generation(number, folder, manifest, self.layout, vectors, keys, hashes)

    def _searchable(
        self, path: Path, rows: Rows, queries: Mapping[str, Floats], copied: _CopiedRows | None
    ) -> tuple[VectorIndex, IndexRecord, Recall]:
        """Build and tune the index of these rows, reusing the lists of the one before while its recall stays good."""
        options, plan = self.options, self._plan(len(rows))
        before = None if copied is None else copied.generation.vectors
        if copied is not None and isinstance(before, EmbeddedVectors) and before.index.suits(plan, self.layout.dim):
            with timed_step("index", len(rows)):
                old = copied.generation.folder / store.INDEX_FILE
                index = VectorIndex.refill(old, rows, path, options.threads, plan.emphasis, copied.numbers)
            probes = copied.generation.manifest.index
            with suppress(GenerationError), timed_step("tune", len(rows)):
                record, recall = tune(index, rows, queries, options.goal, probes)
                if record.nprobe <= MAX_PROBE_GROWTH * max(1, probes.nprobe):
                    return index, record, recall
        with timed_step("index", len(rows)):
            index = VectorIndex.build(rows, plan, options.threads)
        with timed_step("tune", len(rows)):
            record, recall = tune(index, rows, queries, options.goal)
        index.save(path)
        return index, record, recall

    def _in_milvus(
        self, folder: Path, number: int, source: RowsToWrite, queries: Mapping[str, Floats]
    ) -> tuple[GenerationVectors, IndexRecord, Recall]:
        """Write rows into Milvus, tune the search, and remove the file of the rows."""
        with timed_step("milvus", len(source.rows)):
            vectors = write_generation(self.home, folder, number, source, self._plan(len(source.rows)))
        with timed_step("tune", len(source.rows)):
            vectors, recall = tune_milvus(vectors, source.rows, queries, self.options.goal)
        (folder / store.ROWS_FILE).unlink()
        return vectors, vectors.record, recall

    def _plan(self, rows: int) -> IndexPlan:
        # Not this shop's own weights, which change: an update assigns rows to lists as the build did.
        emphasis = self.layout.weigh(np.ones(self.layout.dim, np.float32), shop_weights(self.layout)["picture"])
        plan = plan_for(rows, self.options.goal.seed, has_gpu(), self.options.kind)
        return replace(plan, emphasis=emphasis)

    def _cache(self, kind: str, dim: int) -> VectorCache:
        fingerprint = self.encoder.fingerprint
        return VectorCache(cache_path(self.home, fingerprint, kind), fingerprint, dim)
