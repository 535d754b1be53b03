"""Phrases about kinds of things that shops sell anywhere: names, and what people use them for; and their vectors.

The vectors of the starter's text model are part of the package, because a shop's first index should not take longer for
texts that are the same everywhere. `python -m indexer phrases` makes them again.
"""

from __future__ import annotations

import csv
import hashlib
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from indexer.numeric import unit
from indexer.types import Floats

PHRASES_FILE = Path(__file__).with_name("product_phrases.safetensors")
INT8_MAX = 127


@cache
def product_phrases() -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return phrases about kinds that shops sell anywhere, in English, and the number of the kind of each.

    The names of all kinds come first, then what shoppers use them for, then what is nothing to buy, whose number is -1.
    """
    others = Path(__file__).with_name("other_questions.txt").read_text(encoding="utf-8").splitlines()
    with Path(__file__).with_name("product_kinds.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["name"], row["uses"].split("|") if row["uses"] else []) for row in csv.DictReader(file)]
    uses = [(use, number) for number, (_, own) in enumerate(rows) for use in own]
    texts = (*(name for name, _ in rows), *(use for use, _ in uses), *others)
    return texts, (*range(len(rows)), *(number for _, number in uses), *(-1 for _ in others))


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
