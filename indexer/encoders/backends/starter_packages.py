"""The installed packages that hold the starter's weights, and the preprocessing they need. Imports no torch."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

from catalog.errors import EncoderUnavailable
from indexer.encoders.backends.preprocess import Preprocess

PREPROCESS = Preprocess(side=224)
MAP_PREPROCESS = Preprocess(side=448)  # twice as fine: 28 x 28 cells


@cache
def package_folder(name: str) -> Path:
    """Return the folder of an installed package without running its code. Raises EncoderUnavailable."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise EncoderUnavailable(
            f"The starter's weights come with the package {name.replace('_', '-')!r}, which is not installed.",
            "Run `make setup`.",
        )
    return Path(found.origin).parent
