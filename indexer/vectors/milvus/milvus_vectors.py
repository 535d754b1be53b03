"""A generation whose rows are a Milvus collection: it proposes rows, and their vectors, fetched from it, decide.

Filters are pushed down where they can be said; the mask decides all the same. Few allowed rows are listed; of many, as
many rows are fetched as it takes until the best k are certain; and where that is more than Milvus returns at once, the
collection is searched range by range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import numpy as np

from indexer.ann.exact_rerank import FILTERED_PROBE_FACTOR, MIN_FETCH, exact_scores
from indexer.ann.index_plan import FLAT, IVF_SQ8
from indexer.numeric import chunks
from indexer.types import Floats, Ids, IndexRecord, Mask
from indexer.vectors.conditions import RowCondition
from indexer.vectors.milvus.collections import BASE, MAX_FETCH, MAX_LISTED, MAX_ROUNDING, METRIC
from indexer.vectors.milvus.connection import MilvusConnection
from indexer.vectors.milvus.expressions import KEY, ROW, VECTOR, any_of, expression, within
from indexer.vectors.milvus.milvus_live import MilvusLiveVectors
from indexer.vectors.milvus.remote_rows import RemoteRows, RowReader

MAX_TIES = 4_096  # rows beyond which a tie with the last result is not followed to its end
SPARE_ROWS = 16
FETCH_GROWTH = 4
INDEX_TYPES: Mapping[str, str] = {FLAT: "FLAT", IVF_SQ8: "IVF_SQ8"}


@dataclass(frozen=True, slots=True)
class MilvusVectors:
    """The vectors of a generation in the collection of that name; `record` has the search settings of the build."""

    connection: MilvusConnection
    collection: str
    count: int
    record: IndexRecord
    reader: RowReader
    rows: RemoteRows = field(init=False)
    live: MilvusLiveVectors = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", RemoteRows(self.reader, self.count))
        live = MilvusLiveVectors(self.connection, self.collection, self.reader, self.record.lists)
        object.__setattr__(self, "live", live)

    @property
    def kind(self) -> str:
        """The kind of index."""
        return self.record.kind

    def search(
        self, query: Floats, k: int, allowed: Mask | None = None, condition: RowCondition | None = None
    ) -> tuple[Floats, Ids]:
        """Return exact scores, best first, and numbers of the k best rows, ties by number; see the contract."""
        if allowed is not None and allowed.shape != (self.count,):
            raise ValueError(f"the mask has shape {allowed.shape} where the generation has {self.count} rows")
        count = self.count if allowed is None else int(np.count_nonzero(allowed))
        k = min(k, count)
        if k < 1:
            return np.zeros(0, np.float32), np.zeros(0, np.int64)
        proposed = self._propose(np.asarray(query, np.float32), k, allowed, count, condition)
        scores = exact_scores(self.rows[proposed], query, np.arange(len(proposed)))
        order = np.lexsort((proposed, -scores))[:k]
        return scores[order], proposed[order]

    def propose(self, queries: Floats, k: int) -> Ids:
        """Return Milvus's own candidates (m, k), padded with -1."""
        found = np.full((len(queries), k), -1, np.int64)
        for place, hits in enumerate(self._answers(queries, min(k, MAX_FETCH, self.count), "", self.record.nprobe)):
            numbers = [hit[ROW] for hit in hits]
            found[place, : len(numbers)] = numbers
        return found

    def _propose(self, query: Floats, k: int, allowed: Mask | None, count: int, condition: RowCondition | None) -> Ids:
        """Return the rows that may be among the k best: for a flat index, surely all that are."""
        flat = self.kind == FLAT
        wanted = k if flat else min(count, max(self.record.overfetch * k, MIN_FETCH))
        probes = self.record.nprobe if allowed is None else ceil(FILTERED_PROBE_FACTOR * self.record.nprobe)
        where = "" if condition is None else expression(condition)
        if allowed is not None and count <= MAX_LISTED:
            where, probes = any_of(ROW, np.flatnonzero(allowed).tolist()), self.record.lists
        fetch = min(wanted + SPARE_ROWS, self.count)
        while fetch <= MAX_FETCH:
            probes = min(
                self.record.lists, max(probes, ceil(2 * fetch * self.record.lists / self.count))
            )  # as FAISS does
            scores, numbers = self._ask(query, fetch, where, probes)
            passing = slice(None) if allowed is None else allowed[numbers]
            last = float(scores[-1]) if len(scores) else 0.0
            passing_scores, found = scores[passing], numbers[passing]
            if len(found) == count:
                return found
            if len(numbers) < fetch:  # there are no more; what is missing was in lists that were not read
                if flat or probes >= self.record.lists:
                    break
                probes = self.record.lists
                continue
            if len(found) >= wanted:
                least = float(passing_scores[wanted - 1]) - MAX_ROUNDING
                if not flat or last < least or fetch >= MAX_TIES:
                    return found[passing_scores >= least]
            fetch = min(fetch * FETCH_GROWTH, max(self.count, MAX_FETCH + 1))
        return self._scan(query, wanted, allowed)

    def _scan(self, query: Floats, wanted: int, allowed: Mask | None) -> Ids:
        """Return the best `wanted` rows by searching all ranges of rows that hold allowed ones."""
        best_scores, best = np.zeros(0, np.float32), np.zeros(0, np.int64)
        for part in chunks(self.count, MAX_FETCH):
            if allowed is not None and not allowed[part].any():
                continue
            scores, numbers = self._ask(query, part.stop - part.start, within(part.start, part.stop), self.record.lists)
            if allowed is not None:
                scores, numbers = scores[allowed[numbers]], numbers[allowed[numbers]]
            best_scores, best = np.concatenate([best_scores, scores]), np.concatenate([best, numbers])
            if len(best) > wanted:
                least = np.partition(best_scores, -wanted)[-wanted] - MAX_ROUNDING
                best_scores, best = best_scores[best_scores >= least], best[best_scores >= least]
        return best

    def _ask(self, query: Floats, fetch: int, where: str, probes: int) -> tuple[Floats, Ids]:
        """Return Milvus's scores, best first, and the numbers of rows of the generation."""
        (hits,) = self._answers(query[None], fetch, where, probes)
        numbers = np.fromiter((hit[ROW] for hit in hits), np.int64)
        scores = np.fromiter((hit["distance"] for hit in hits), np.float32)
        known = (numbers >= 0) & (numbers < self.count)
        return scores[known], numbers[known]

    def _answers(self, queries: Floats, fetch: int, where: str, probes: int) -> Any:
        return self.connection.read(
            "search",
            self.collection,
            data=list(np.ascontiguousarray(queries, np.float32)),
            anns_field=VECTOR,
            limit=fetch,
            filter=where,
            search_params={"metric_type": METRIC, "params": {"nprobe": max(1, probes)}},
            output_fields=[KEY],
            partition_names=[BASE],
            consistency_level="Bounded",
        )
