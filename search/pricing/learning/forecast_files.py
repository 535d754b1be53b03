"""Forecasts of a shop's products as arrays, which a server reads by memory map. Needs numpy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.types import Floats

_ARRAYS = ("id_bytes", "id_ends", "forecasts", "last_prices", "currency_codes", "drop_probabilities")


@dataclass(frozen=True, slots=True, eq=False)
class ForecastTable:
    """The forecasts of n products, sorted by their ids in UTF-8.

    `id_bytes` has the ids one after another, and `id_ends` (n,) says where each ends. `forecasts` (n, weeks,
    quantiles) and `last_prices` (n,), the last known price before the forecast, are in the products' currency;
    `currency_codes` (n,) are positions in `currencies`. `drop_probabilities` (n,) are NaN where they are not known.
    """

    id_bytes: NDArray[np.uint8]
    id_ends: NDArray[np.int64]
    forecasts: Floats
    last_prices: Floats
    currency_codes: NDArray[np.uint16]
    drop_probabilities: Floats
    currencies: tuple[str, ...]

    @classmethod
    def of(
        cls,
        product_ids: Sequence[str],
        currencies: Sequence[str],
        forecasts: Floats,
        last_prices: Floats,
        drop_probabilities: Floats,
    ) -> ForecastTable:
        """Sort products of which a forecast and the last price are known; leave out the others."""
        known = np.isfinite(forecasts).all(axis=(1, 2)) & (last_prices > 0)
        names = {place: product_ids[place].encode() for place in np.flatnonzero(known).tolist()}
        order = np.array(sorted(names, key=names.__getitem__), np.int64)
        sorted_names = [names[place] for place in order.tolist()]
        used = sorted({currencies[place] for place in order.tolist()})
        code_of = {currency: code for code, currency in enumerate(used)}
        return cls(
            np.frombuffer(b"".join(sorted_names), np.uint8),
            np.cumsum([len(name) for name in sorted_names], dtype=np.int64),
            forecasts[order].astype(np.float32),
            last_prices[order].astype(np.float32),
            np.array([code_of[currencies[place]] for place in order.tolist()], np.uint16),
            drop_probabilities[order].astype(np.float32),
            tuple(used),
        )

    def __len__(self) -> int:
        return len(self.forecasts)

    def row(self, product_id: str) -> int | None:
        """Return the position of a product, by binary search; None where nothing is stored about it."""
        wanted = product_id.encode(errors="surrogatepass")
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self._id(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self) and self._id(low) == wanted else None

    def currency(self, row: int) -> str:
        """Return the currency of a product, "" where the history has none."""
        return self.currencies[int(self.currency_codes[row])]

    def save(self, folder: Path) -> None:
        """Write each array to a file of its name; the same forecasts give the same bytes."""
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)

    @classmethod
    def load(cls, folder: Path, currencies: tuple[str, ...]) -> ForecastTable:
        """Map what `save` wrote into memory. Raises OSError, ValueError."""
        arrays: dict[str, NDArray[Any]] = {}
        for name in _ARRAYS:
            path = folder / f"{name}.npy"
            try:
                arrays[name] = np.load(path, mmap_mode="r", allow_pickle=False)
            except ValueError:  # an array without values cannot be mapped
                arrays[name] = np.load(path, allow_pickle=False)
        if len({len(arrays[name]) for name in _ARRAYS if name != "id_bytes"}) > 1 or arrays["forecasts"].ndim != 3:
            raise ValueError("the columns of the forecasts differ in length")
        codes, ends = arrays["currency_codes"], arrays["id_ends"]
        if len(codes) and (int(codes.max()) >= len(currencies) or int(ends[-1]) != len(arrays["id_bytes"])):
            raise ValueError("the ids or currencies are not those of the manifest")
        return cls(**arrays, currencies=currencies)

    def _id(self, row: int) -> bytes:
        start = int(self.id_ends[row - 1]) if row else 0
        return self.id_bytes[start : int(self.id_ends[row])].tobytes()
