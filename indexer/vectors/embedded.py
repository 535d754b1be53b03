"""The default: a FAISS index in memory proposes rows, and the rows mapped from the generation's file decide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.ann.exact_rerank import RerankedSearch
from indexer.ann.faiss_index import VectorIndex
from indexer.types import Floats, Ids, IndexRecord, Mask
from indexer.vectors.conditions import RowCondition


@dataclass(frozen=True, slots=True)
class EmbeddedVectors:
    """An index and its rows in this process; `record` has the search settings that were chosen at the build."""

    index: VectorIndex
    rows: NDArray[np.float16]
    record: IndexRecord

    @property
    def kind(self) -> str:
        """The kind of index."""
        return self.index.kind

    @property
    def live(self) -> None:
        """None: live rows are kept in memory by the snapshot."""
        return None

    def search(
        self, query: Floats, k: int, allowed: Mask | None = None, condition: RowCondition | None = None
    ) -> tuple[Floats, Ids]:
        """Return exact scores and numbers of the k best rows; the mask says all that `condition` does."""
        return RerankedSearch.of(self.index, self.rows, self.record).search(query, k, allowed)

    def propose(self, queries: Floats, k: int) -> Ids:
        """Return the index's own candidates (m, k), padded with -1."""
        return self.index.search(queries, k, None, max(1, self.record.nprobe))[1]
