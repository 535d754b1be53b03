"""A generation of the index from a catalogue: rows, index, manifest, and the gates before it may be published."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from catalog.errors import GenerationError
from catalog.files.failpoints import failpoint
from catalog.storage.catalogue import Catalogue
from indexer.ann.block_weights import shop_weights
from indexer.ann.faiss_index import IndexPlan, VectorIndex, plan_for
from indexer.ann.recall import Goal, Rows, sample_queries, title_agreement, tune
from indexer.ann.title_weight import title_weight_from_views
from indexer.build.encoding_pipeline import PipelineOptions
from indexer.build.row_writer import VectorSources, WrittenRows, write_rows
from indexer.cache.vector_cache import PICTURE_VECTORS, TITLE_VECTORS, VectorCache, cache_path
from indexer.encoders.base import Encoder
from indexer.generations import gates, store
from indexer.generations.gates import Gate
from indexer.generations.manifest import Manifest
from indexer.generations.match_curve_fit import with_match_curve
from indexer.generations.store import Generation
from indexer.layout import RowLayout
from indexer.types import Floats, IndexRecord, Recall

PROBES_MAY_GROW = 2  # an index that needs more lists than so many times as many as before is trained anew


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How to build; the defaults suit every shop. `kind` forces an index kind, `threads` are for batches of queries."""

    pipeline: PipelineOptions = field(default_factory=PipelineOptions)
    kind: str | None = None
    goal: Goal = field(default_factory=Goal)
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class SealedGeneration:
    """A sealed generation that is not published yet, and how it came through the gates."""

    candidate: Generation
    gates: tuple[Gate, ...]
    copied: int

    @property
    def manifest(self) -> Manifest:
        """What it is made of."""
        return self.candidate.manifest


class GenerationBuilder:
    """Makes generations with one encoder: rows, index, manifest, gates."""

    def __init__(self, home: Path, encoder: Encoder, options: BuildOptions) -> None:
        self.home = home
        self.encoder = encoder
        self.options = options
        self.layout = RowLayout.of_encoder(encoder.blocks)

    def picture_cache(self) -> VectorCache:
        """The vectors of pictures that were encoded before."""
        return self._cache(PICTURE_VECTORS, self.encoder.dim)

    def title_cache(self) -> VectorCache | nullcontext[None]:
        """The vectors of titles that were encoded before; None within when the encoder reads no words."""
        if self.layout.text_block is None:
            return nullcontext()
        return self._cache(TITLE_VECTORS, self.layout.blocks[-1].dim)

    def seal(
        self, catalogue: Catalogue, sources: VectorSources, previous: Generation | None = None, force: bool = False
    ) -> SealedGeneration:
        """Make and seal a generation of the catalogue as this thread sees it. Raises GenerationError at a gate."""
        number, folder = store.begin(self.home)
        failpoint("generation.begun")
        try:
            seq = catalogue.seq
            files = write_rows(folder, catalogue, sources)
            candidate = self._index(folder, files, number, seq, previous)
            candidate = with_match_curve(candidate, catalogue, self.options.goal.seed)
            passed = gates.check(candidate, catalogue, previous, self.options.goal.seed)
            gates.require(passed, force)
            failpoint("gates.passed")
            store.seal(self.home, folder, candidate.manifest)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return SealedGeneration(candidate, passed, files.copied)

    def _index(
        self, folder: Path, files: WrittenRows, number: int, seq: int, previous: Generation | None = None
    ) -> Generation:
        rows, keys, hashes = store.open_arrays(folder, mapped=True)
        goal, encoder = self.options.goal, self.encoder
        gate = title_agreement(self.layout, rows, goal.seed)
        if gate:  # titles that say nothing need no second judge, who reads every row
            gate *= title_weight_from_views(self.layout, rows, keys, shop_weights(self.layout), goal.seed)
        weights = shop_weights(self.layout, gate)
        queries = sample_queries(self.layout, rows, weights, goal)
        index, record, recall = self._searchable(folder / store.INDEX, rows, queries, previous)
        failpoint("index.saved")
        manifest = Manifest(
            number=number,
            created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            encoder=encoder.spec,
            fingerprint=encoder.fingerprint,
            preprocessing=dict(encoder.preprocessing),
            blocks=self.layout.blocks,
            rows=files.count,
            products=files.products,
            seq=seq,
            index=record,
            weights=weights,
            words_gate=gate,
            recall=recall,
            files={},
        )
        return Generation(number, folder, manifest, self.layout, index, rows, keys, hashes)

    def _searchable(
        self, path: Path, rows: Rows, queries: Mapping[str, Floats], previous: Generation | None
    ) -> tuple[VectorIndex, IndexRecord, Recall]:
        """The index of these rows: what the one before has learned is used again while it serves them well."""
        options, plan = self.options, self._plan(len(rows))
        if previous is not None and previous.index.suits(plan, self.layout.dim):
            index = VectorIndex.refill(previous.folder / store.INDEX, rows, path, options.threads)
            before = max(1, previous.manifest.index.nprobe)
            with suppress(GenerationError):
                record, recall = tune(index, rows, queries, options.goal, max(1, before // 2))
                if record.nprobe <= PROBES_MAY_GROW * before:
                    return index, record, recall
        index = VectorIndex.build(rows, plan, options.threads)
        record, recall = tune(index, rows, queries, options.goal)
        index.save(path)
        return index, record, recall

    def _plan(self, count: int) -> IndexPlan:
        plan = plan_for(count, self.options.goal.seed)
        return plan if self.options.kind is None else replace(plan, kind=self.options.kind)

    def _cache(self, kind: str, dim: int) -> VectorCache:
        fingerprint = self.encoder.fingerprint
        return VectorCache(cache_path(self.home, fingerprint, kind), fingerprint, dim)
