"""Write models and the products that they know as arrays and JSON: never a pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.recommend.events.product_table import ProductTable

_TABLE_ARRAYS = ("categories", "brands", "groups", "prices")
_TABLE_TEXTS = ("ids", "titles", "category_paths")
_TABLE_FILE = "products.json"


def save_arrays(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write each array to a file of its name; the same arrays give the same bytes."""
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def load_arrays(folder: Path) -> dict[str, NDArray[Any]]:
    """Read what `save_arrays` wrote. Raises OSError, ValueError."""
    return {path.stem: np.load(path, allow_pickle=False) for path in sorted(folder.glob("*.npy"))}


def save_table(folder: Path, table: ProductTable) -> None:
    """Write the products that models know."""
    texts = {name: getattr(table, name) for name in _TABLE_TEXTS}
    (folder / _TABLE_FILE).write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
    save_arrays(folder, {name: getattr(table, name) for name in _TABLE_ARRAYS})


def load_table(folder: Path) -> ProductTable:
    """Read what `save_table` wrote. Raises OSError, ValueError, KeyError."""
    texts = json.loads((folder / _TABLE_FILE).read_text(encoding="utf-8"))
    arrays = load_arrays(folder)
    columns: dict[str, Any] = {name: tuple(texts[name]) for name in _TABLE_TEXTS}
    columns |= {name: arrays[name] for name in _TABLE_ARRAYS}
    table = ProductTable(**columns)
    if {len(getattr(table, name)) for name in ("titles", *_TABLE_ARRAYS)} != {len(table.ids)}:
        raise ValueError("the columns of the products differ in length")
    return table
