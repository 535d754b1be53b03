"""Many small arrays in few plain .npy files: one file per number type, and a JSON file that says where each one is."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]


def write_arrays(folder: Path, stem: str, arrays: Mapping[str, NDArray[Any]], notes: Mapping[str, Any]) -> None:
    """Write arrays (n,) of any number types as `STEM.TYPE.npy`, and `STEM.json` with their places and the notes."""
    by_type: defaultdict[str, list[str]] = defaultdict(list)
    for name, array in arrays.items():
        by_type[array.dtype.name].append(name)
    places: dict[str, tuple[str, int, int]] = {}
    for kind, names in by_type.items():
        lengths = [len(arrays[name]) for name in names]
        ends = np.cumsum(lengths).tolist()
        places |= {name: (kind, end - length, length) for name, length, end in zip(names, lengths, ends, strict=True)}
        np.save(folder / f"{stem}.{kind}.npy", np.concatenate([arrays[name] for name in names]), allow_pickle=False)
    (folder / f"{stem}.json").write_text(json.dumps({"arrays": places, "notes": notes}), encoding="utf-8")


def map_arrays(folder: Path, stem: str) -> tuple[Arrays, dict[str, Any]]:
    """Return what `write_arrays` wrote: arrays that are mapped and read-only, and the notes.

    Raises OSError, ValueError, KeyError or TypeError where the files are not what it writes.
    """
    body = json.loads((folder / f"{stem}.json").read_text(encoding="utf-8"))
    files: Arrays = {}
    arrays: Arrays = {}
    for name, (kind, start, length) in body["arrays"].items():
        if not length:
            arrays[name] = np.zeros(0, kind)
            continue
        if kind not in files:
            mapped = np.load(folder / f"{stem}.{kind}.npy", mmap_mode="r", allow_pickle=False)
            files[kind] = np.asarray(mapped)  # not the subclass `memmap`, whose every slice costs more
        array = files[kind][start : start + length]
        if len(array) != length or array.dtype != np.dtype(kind):
            raise ValueError(f"{stem}.{kind}.npy does not hold {name}")
        arrays[name] = array
    return arrays, dict(body["notes"])
