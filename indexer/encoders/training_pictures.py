"""Which pictures an encoder's heads were trained on: it speaks too well of those, so nothing is calibrated on them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.errors import EncoderUnavailable
from indexer.encoders.registry import STARTER_HEADS

STARTER_SEEN = STARTER_HEADS.with_name("seen.npy")
STARTER = "starter"
DIGITS = 8  # of a content hash: 32 bits, by which one in 200,000 unseen pictures looks like one of 20,000 seen


def save_seen(files: Iterable[Path], out: Path = STARTER_SEEN) -> int:
    """Note the pictures in these files as seen; returns how many different ones there are."""
    numbers = {hashlib.sha256(file.read_bytes()).hexdigest()[:DIGITS] for file in set(files)}
    np.save(out, np.array(sorted(int(number, 16) for number in numbers), np.uint32))
    return len(numbers)


def in_training_set(encoder: str, hashes: Iterable[str]) -> NDArray[np.bool_]:
    """Which pictures, by content hash, the heads of that encoder were trained on; none where that was not noted.

    Raises EncoderUnavailable when the note is broken.
    """
    asked = np.array([int(one[:DIGITS] or "0", 16) for one in hashes], np.uint32)
    if encoder != STARTER or not STARTER_SEEN.is_file():
        return np.zeros(len(asked), np.bool_)
    try:
        known = np.load(STARTER_SEEN, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise EncoderUnavailable(f"{STARTER_SEEN} cannot be read: {error}.", "Restore the file.") from error
    return np.isin(asked, known)
