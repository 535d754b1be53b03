"""Leakage guard: which pictures an encoder's heads were trained on. Calibration must not use those pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.errors import EncoderUnavailable
from indexer.encoders.registry import DEFAULT_ENCODER, STARTER_HEADS

STARTER_TRAINING_SET = STARTER_HEADS.with_name("seen.npy")
HASH_DIGITS = 8  # 32 bits: with 20,000 training pictures, one of 200,000 others collides


def save_training_set(files: Iterable[Path], out: Path = STARTER_TRAINING_SET) -> int:
    """Record the pictures in these files as training pictures; return how many different ones there are."""
    numbers = {hashlib.sha256(file.read_bytes()).hexdigest()[:HASH_DIGITS] for file in set(files)}
    np.save(out, np.array(sorted(int(number, 16) for number in numbers), np.uint32))
    return len(numbers)


def in_training_set(encoder: str, hashes: Iterable[str]) -> NDArray[np.bool_]:
    """Return which pictures, by content hash, the heads of that encoder were trained on; all False without a record.

    Raises EncoderUnavailable when the record cannot be read.
    """
    prefixes = np.array([int(sha256[:HASH_DIGITS] or "0", 16) for sha256 in hashes], np.uint32)
    if encoder != DEFAULT_ENCODER or not STARTER_TRAINING_SET.is_file():
        return np.zeros(len(prefixes), np.bool_)
    try:
        trained = np.load(STARTER_TRAINING_SET, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise EncoderUnavailable(f"{STARTER_TRAINING_SET} cannot be read: {error}.", "Restore the file.") from error
    return np.isin(prefixes, trained)
