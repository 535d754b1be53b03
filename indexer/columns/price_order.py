"""The order of products by price, made once and then corrected for the few products that changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.types import Ids

Prices = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PriceOrder:
    """Ordinals (n,) by rising and by falling price, equal prices by id, and those without a price last.

    `values` (n,) are the prices in the rising order.
    """

    rising: NDArray[Any]
    falling: NDArray[Any]
    values: Prices

    @property
    def priced(self) -> int:
        """The number of products that have a price."""
        return int(np.searchsorted(self.values, np.inf, side="right"))

    @classmethod
    def of(cls, prices: Prices, by_id: NDArray[Any]) -> PriceOrder:
        """Return the order of prices (n,); `by_id` are the ordinals in the order of ids."""
        own = prices[by_id]
        rising = by_id[np.argsort(own, kind="stable")].astype(np.int32)
        falling = by_id[np.argsort(-own, kind="stable")].astype(np.int32)
        return cls(rising, falling, prices[rising])

    def corrected(self, prices: Prices, ranks: NDArray[Any], moved: Ids) -> PriceOrder:
        """Return the order of later prices, where `moved` ordinals are new or have another price.

        `ranks` (n,) are the places in the order of ids.
        """
        if not len(moved):
            return self
        stays = np.ones(len(prices), np.bool_)
        stays[moved] = False
        up, down = stays[self.rising], stays[self.falling]
        rising, values = _with(self.rising[up], self.values[up], prices, ranks, moved)
        left = self.falling[down]
        falling, _ = _with(left, -prices[left], -prices, ranks, moved)
        return PriceOrder(rising, falling, values)


def _with(
    order: NDArray[Any], values: Prices, prices: Prices, ranks: NDArray[Any], moved: Ids
) -> tuple[NDArray[Any], Prices]:
    """Return an order and its values with the moved ordinals in their places."""
    moved = moved[np.lexsort((ranks[moved], prices[moved]))]
    own = prices[moved]
    first = np.searchsorted(values, own, side="left").tolist()
    end = np.searchsorted(values, own, side="right").tolist()
    places = [
        start + int(np.searchsorted(ranks[order[start:stop]], rank))
        for start, stop, rank in zip(first, end, ranks[moved].tolist(), strict=True)
    ]
    return np.insert(order, places, moved.astype(order.dtype)), np.insert(values, places, own)
