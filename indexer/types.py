"""Types shared by the whole indexer: vectors, pixels, blocks, encoder records and index records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]
Arrays = Mapping[str, NDArray[Any]]  # a model's inputs by name


@dataclass(frozen=True, slots=True)
class Block:
    """A named span of the row vector, of unit length by itself; `texts` says whether text queries fill it too."""

    name: str
    dim: int
    texts: bool = False


@dataclass(frozen=True, slots=True)
class EncoderSpec:
    """A registry entry: which adapter (`family`), which model, which weights, under which licence.

    `weights` is their source: "package", "hub", "none", "local", a pretrained tag or a local path.
    """

    name: str
    family: str
    model: str
    weights: str
    blocks: tuple[str, ...]
    licence: str


@dataclass(frozen=True, slots=True)
class FeatureMaps:
    """Features of each cell of n pictures at two depths, both float32 (n, rows, columns, channels).

    `fine` responds to edges and surfaces; `deep`, resized to the same rows and columns, to objects.
    """

    fine: Floats
    deep: Floats


@dataclass(frozen=True, slots=True)
class IndexRecord:
    """The kind of index and its search settings: lists to probe, rows to fetch for exact re-ranking.

    `filled_nprobe` is for queries that fill a row, as pictures do; 0: as many as `nprobe`. Where a gap is not 0, lists
    are read whose cosine with the query is at most so far below the best list's, twice as many as said at most; under
    a filter the number holds. `filled_cosine_gap` goes with `filled_nprobe`.
    """

    kind: str
    lists: int = 0
    nprobe: int = 0
    overfetch: int = 0
    seed: int = 0
    filled_nprobe: int = 0
    cosine_gap: float = 0.0
    filled_cosine_gap: float = 0.0


@dataclass(frozen=True, slots=True)
class Recall:
    """recall@10 of the index against exact search, by kind of query; `text` is None when the encoder reads no text."""

    picture: float = 1.0
    text: float | None = None
    queries: int = 0
