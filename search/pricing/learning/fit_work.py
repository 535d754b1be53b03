"""What an interrupted fit has computed, in a folder of the shop: the next fit of the same prices goes on with it.

A result is found again by the digest of everything that it was computed from. A file that is damaged is computed again.
"""

from __future__ import annotations

import hashlib
import shutil
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from catalog.errors import DamagedStore
from catalog.files.version_folders import json_digest, records
from catalog.home import ShopHome
from indexer.types import Ids
from search.pricing.series.weekly_prices import WeeklyPrices

CHUNK_PRODUCTS = 2_000  # of one chunk on average, at most
_FORMAT = 1  # of results: those of another format are computed again
_DIGEST = "digest"
_SEAL = "files.json"  # with the digests of a fitted model's files; a folder without it is not complete
Results = Mapping[str, NDArray[Any]]


class StoredModel(Protocol):
    """A fitted model that writes its own files."""

    def save(self, folder: Path) -> None:
        """Write the model into an empty folder."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedStore."""
        ...


Model = TypeVar("Model", bound=StoredModel)


@dataclass(slots=True)
class FitWork:
    """The folder of results of one shop; `reused` counts those that an earlier fit had computed."""

    folder: Path
    reused: int = 0
    _digests: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, home: Path) -> FitWork:
        """Return the folder of a shop."""
        return cls(ShopHome(home).prices_work)

    def result(self, name: str, digest: str, compute: Callable[[], Results]) -> Results:
        """Return the arrays that `compute` gives, computed now or by an earlier fit with the same digest."""
        path = self.folder / f"{name}.npz"
        if (found := _read(path, digest)) is not None:
            self.reused += 1
            return found
        computed = compute()
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".tmp")
        with draft.open("wb") as file:
            np.savez(file, allow_pickle=False, **{_DIGEST: np.array(digest), **computed})
        draft.replace(path)  # not synced: what the machine loses is computed again
        return computed

    def fitted(self, kind: type[Model], digest: str, fit: Callable[[], Model]) -> Model:
        """Return the model that `fit` gives, fitted now or by an earlier fit with the same digest."""
        folder = self.folder / f"model-{digest[:24]}"
        try:
            seal = (folder / _SEAL).read_text(encoding="ascii")
            if seal != _seal_of(folder):
                raise DamagedStore(f"{folder} is damaged.")
            model = kind.load(folder)
            self.reused += 1
        except (OSError, ValueError, DamagedStore):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            model = fit()
            model.save(folder)
            seal = _seal_of(folder)
            (folder / _SEAL).write_text(seal, encoding="ascii")
        self._digests[id(model)] = seal
        return model

    def digest_of_models(self, models: list[Any]) -> str:
        """Return the digest of the files of models that `fitted` gave; None stands for no model."""
        return digest_of(*("" if model is None else self._digests[id(model)] for model in models))

    def clear(self) -> None:
        """Remove all results."""
        shutil.rmtree(self.folder, ignore_errors=True)


def digest_of(*parts: str | int | WeeklyPrices) -> str:
    """Return the SHA-256 of texts, numbers and series."""
    digest = hashlib.sha256(str(_FORMAT).encode())
    for part in parts:
        if isinstance(part, WeeklyPrices):
            _add_series(digest, part)
        else:
            digest.update(f"{type(part).__name__} {part}\0".encode())
    return digest.hexdigest()


def chunks_of(weekly: WeeklyPrices) -> list[Ids]:
    """Part the products by a hash of their ids: a product that comes or goes changes one chunk, and no other."""
    count = 1
    while count * CHUNK_PRODUCTS < len(weekly):
        count *= 2
    hashes = np.fromiter((zlib.crc32(name.encode()) for name in weekly.product_ids), np.int64, len(weekly))
    chunks = [np.flatnonzero(hashes % count == chunk) for chunk in range(count)]
    return [rows for rows in chunks if len(rows)]


def _read(path: Path, digest: str) -> Results | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            if str(stored[_DIGEST]) != digest:
                return None
            return {name: stored[name] for name in stored.files if name != _DIGEST}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error):
        return None


def _seal_of(folder: Path) -> str:
    files = {name: file.sha256 for name, file in records(folder).items() if name != _SEAL}
    return json_digest(files)


def _add_series(digest: Any, weekly: WeeklyPrices) -> None:
    digest.update(f"{weekly.first} {weekly.prices.shape} {weekly.last_runs}".encode())
    for names in (weekly.product_ids, weekly.categories, weekly.currencies):
        digest.update("\0".join(names).encode() + b"\1")
    arrays = [weekly.prices, weekly.list_prices, weekly.units, weekly.lowest_prices]
    if weekly.calendar is not None:
        digest.update(f"{weekly.calendar.first} {weekly.calendar.shares.shape}".encode())
        arrays.append(weekly.calendar.shares)
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
