"""Store the arrays of a forecaster."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import DamagedStore


def write_arrays(path: Path, **arrays: NDArray[Any]) -> None:
    """Write arrays by name."""
    np.savez(path, allow_pickle=False, **arrays)


def read_arrays(path: Path, *names: str) -> list[NDArray[Any]]:
    """Read arrays in the order of their names. Raises DamagedStore."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            return [stored[name] for name in names]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DamagedStore(f"{path} holds no forecaster: {error}", "Fit it again: windowshop prices fit.") from error
