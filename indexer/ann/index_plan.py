"""Which kind of index suits a number of rows, and with how many lists."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from indexer.types import Floats

FLAT, IVF_PQ4, IVF_SQ8, IVF_PQ = "flat", "ivf_pq4", "ivf_sq8", "ivf_pq"
INDEX_KINDS = (FLAT, IVF_PQ4, IVF_SQ8, IVF_PQ)
FLAT_ROWS = 10_000
SQ8_ROWS = 1_000_000  # on a GPU, which cannot scan 4-bit codes
ROWS_PER_LIST = 39  # k-means wants no fewer


@dataclass(frozen=True, slots=True)
class IndexPlan:
    """The kind of index to build; `plan_for` chooses it by the number of rows.

    `emphasis` (dim,) says how much each number of a row counts when rows are assigned to lists of 4-bit codes.
    """

    kind: str
    lists: int = 0
    seed: int = 0
    emphasis: Floats | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.kind not in INDEX_KINDS:
            raise ValueError(f"index kind {self.kind!r} is none of {', '.join(INDEX_KINDS)}")


def plan_for(rows: int, seed: int = 0, gpu: bool = False, kind: str | None = None) -> IndexPlan:
    """Plan a flat index up to 10,000 rows, then inverted lists of 4-bit codes; for a GPU what it can search.

    `kind` forces the kind of index.
    """
    if kind is None:
        of_size = IVF_PQ4 if not gpu else IVF_SQ8 if rows <= SQ8_ROWS else IVF_PQ
        kind = FLAT if rows <= FLAT_ROWS else of_size
    return IndexPlan(kind, 0 if kind == FLAT else list_count(rows, kind), seed)


def list_count(rows: int, kind: str = IVF_PQ4) -> int:
    """Return how many lists suit the rows: a power of two, with enough rows a list to train it.

    About twice the square root of the rows for 4-bit codes, which are scanned faster than lists are chosen; four times
    for the others.
    """
    wanted = 2 ** round(math.log2((2 if kind == IVF_PQ4 else 4) * math.sqrt(max(rows, 1))))
    limit = 2 ** int(math.log2(max(1, rows // ROWS_PER_LIST)))
    return int(max(1, min(wanted, limit)))
