"""The vectors of the phrases about kinds, by the starter's text model.

They are part of the package, so that a first index does not encode texts that are the same everywhere.
`python -m indexer phrases` makes them again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from indexer.generations.product_phrases import product_phrases
from indexer.numeric import unit
from indexer.types import Floats

PHRASES_FILE = Path(__file__).with_name("product_phrases.safetensors")
INT8_MAX = 127


def packaged_vectors(sentence_key: str | None) -> Floats | None:
    """Return the phrases' unit vectors (p, dim) by the text model with that key; None where the package has others."""
    try:
        with safe_open(PHRASES_FILE, framework="numpy") as file:
            if (file.metadata() or {}).get("key") != _key(sentence_key):
                return None
            return unquantised(file.get_tensor("phrases"))
    except (OSError, SafetensorError):
        return None


def save_packaged(sentence_key: str | None, vectors: Floats) -> None:
    """Write the phrases' vectors (p, dim) into the package."""
    save_file({"phrases": quantised(vectors)}, PHRASES_FILE, metadata={"key": _key(sentence_key)})


def quantised(vectors: Floats) -> NDArray[np.int8]:
    """Return unit vectors as int8, each scaled to its largest number."""
    largest = np.maximum(np.abs(vectors).max(axis=-1, keepdims=True), 1e-9)
    return np.asarray(np.rint(vectors / largest * INT8_MAX), dtype=np.int8)


def unquantised(rows: NDArray[np.int8]) -> Floats:
    """Return the unit vectors of int8 rows."""
    return unit(rows.astype(np.float32))


def _key(sentence_key: str | None) -> str:
    """Return what identifies the vectors: the text model and the phrases."""
    return hashlib.sha256("\n".join((sentence_key or "", *product_phrases()[0])).encode()).hexdigest()
