"""What a graph and its torch module have in common: example inputs, and the digest of the weights. Needs no onnx."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from indexer.encoders.graphs.checkpoint import Array
from indexer.types import Arrays, Pixels

_TOKENS = np.array([[101, 2417, 2770, 6007, 102], [101, 2829, 5568, 102, 0]], dtype=np.int64)


def noise_pictures(side: int) -> Pixels:
    """Return two pictures of noise, uint8 (2, side, side, 3)."""
    return np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)


def example_texts() -> Arrays:
    """Return two rows of tokens, as MiniLM and E5 take them: `ids` and `mask`, int64 (2, 5)."""
    return {"ids": _TOKENS, "mask": (_TOKENS > 0).astype(np.int64)}


def weights_digest(weights: Iterable[tuple[str, Array]]) -> str:
    """Return the SHA-256 over the names and bytes of every weight.

    A graph's equals its torch module's, so that an index serves whichever made its vectors.
    """
    digest = hashlib.sha256()
    for name, values in weights:
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
