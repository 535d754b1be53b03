"""Collect the products of a shop for a table, one after another."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np

from catalog.product import Product
from indexer.columns.label_reader import LabelColumnsBuilder
from indexer.columns.text_column import HashIndex, TextColumn


class TableBuilder:
    """Takes products with rising keys; `columns` has what a table is made of."""

    def __init__(self) -> None:
        self._labels = LabelColumnsBuilder()
        self._keys, self._prices = array("q"), array("d")
        self._stock, self._reduced = bytearray(), bytearray()
        self._ids: list[str] = []

    def add(self, key: int, product: Product) -> None:
        """Take the next product."""
        self._labels.add(len(self._keys), product)
        self._keys.append(key)
        self._ids.append(product.id)
        self._prices.append(price_number(product))
        self._stock.append(product.in_stock)
        self._reduced.append(product.on_sale)

    def columns(self) -> dict[str, Any]:
        """Return the columns of all products by the name of the table's field."""
        count = len(self._ids)
        return {
            "keys": np.array(self._keys, np.int64),
            "ids": TextColumn.of(self._ids),
            "by_id": np.array(sorted(range(count), key=self._ids.__getitem__), np.int32),
            "id_index": HashIndex.of(self._ids),
            "prices": np.array(self._prices, np.float64),
            "stock": np.array(self._stock, np.bool_),
            "reduced": np.array(self._reduced, np.bool_),
            "present": np.ones(count, np.bool_),
            "labels": self._labels.columns(),
        }


def price_number(product: Product) -> float:
    """Return the price of a product; nan without one."""
    return np.nan if product.price is None else float(product.price)
