"""What the shop needs of a generation's vectors, wherever they are: in this process (the default) or in an engine.

A generation's vectors are rows numbered from 0, one for each picture, which never change once they are written. Only
the rows of products that change while the generation is served come and go: those are live rows.

Every implementation passes tests/indexer/vectors. It promises:

- scores are exact: the dot product of the query with the stored float16 row, in float32;
- results are ordered by score, best first, and rows that score the same by number;
- `allowed` decides: no other row is ever returned, whatever a pushed-down condition says;
- a flat index misses nothing; another kind reaches the recall that was measured when it was built, filtered or not;
- a row that was put is found by the next search, and one that was removed is not;
- failures are our errors: VectorsUnavailable when the engine does not answer, DamagedGeneration when rows are missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.types import Floats, Ids, Mask
from indexer.vectors.conditions import RowCondition

Hashes = NDArray[np.bytes_]


class RowArray(Protocol):
    """Rows (n, dim) of float16 that are read by number, slice or array of numbers, as from a numpy array.

    A second index picks columns. Each access may read from disk or from an engine: read many rows at once.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Return (n, dim)."""
        ...

    @property
    def dtype(self) -> Any:
        """Return float16."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class RowFacts:
    """What filters ask of a product: stored with its rows where an engine filters by itself.

    `labels` maps a field ("category", "brand", "attributes.gender") to its folded labels; a category has one per level.
    """

    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    price: float | None = None
    in_stock: bool = False
    on_sale: bool = False


class LiveVectors(Protocol):
    """The live rows of one generation where they are kept in an engine. Threads and processes share it.

    A live row's number is made of its content, so that putting it twice, or by two servers, is putting it once.
    """

    def put(self, keys: Ids, hashes: Hashes, vectors: Floats, facts: Mapping[int, RowFacts]) -> Ids:
        """Store rows (n, dim), one for each picture of products by key; return their numbers. Visible on return."""
        ...

    def remove(self, numbers: Ids) -> None:
        """Remove rows by number, those that are not there too. Visible on return."""
        ...

    def best(self, query: Floats, k: int, numbers: Ids) -> Ids:
        """Return which of these rows, by their place in `numbers`, are the k best, and those that tie with the last."""
        ...

    def rows(self, numbers: Ids) -> Floats:
        """Return float32 (n, dim); zeros for a row that another process has removed meanwhile."""
        ...


class GenerationVectors(Protocol):
    """The vectors of one generation, open for searching. Threads share it."""

    @property
    def rows(self) -> RowArray:
        """Return all rows (n, dim)."""
        ...

    @property
    def kind(self) -> str:
        """Return the kind of index; "flat" misses nothing."""
        ...

    @property
    def live(self) -> LiveVectors | None:
        """Return where live rows are kept; None when the caller keeps them in memory."""
        ...

    def search(
        self, query: Floats, k: int, allowed: Mask | None = None, condition: RowCondition | None = None
    ) -> tuple[Floats, Ids]:
        """Return exact scores, best first, and numbers of the k best rows for a query (dim,), ties by number.

        Only rows whose `allowed` (n,) is true are returned. `condition` holds for every allowed row, and may spare the
        engine the others; it changes no result.
        """
        ...

    def propose(self, queries: Floats, k: int) -> Ids:
        """Return int64 (m, up to k): rows probably among the k best of each query (m, dim); -1 pads them."""
        ...
