"""The products that events are about, as columns: what models need to know of a shop without its catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from catalog.product import Product, categories_down
from indexer.types import Floats
from search.recommend.events.interactions import Codes

LEVELS = 3  # of a category that models tell apart: its root, the level below, and the deepest one


@dataclass(frozen=True, eq=False)
class ProductTable:
    """Products as columns (n,); a code is a position in a column's list of names, -1 for none.

    `categories` (n, LEVELS) are codes in `category_paths`: of the root, of the second level and of the whole path; a
    category with fewer levels stands for itself in those below. `groups` are codes of item groups, one for each product
    without a group. `prices` are NaN where unknown.
    """

    ids: tuple[str, ...]
    titles: tuple[str, ...]
    categories: Codes
    category_paths: tuple[str, ...]
    brands: Codes
    groups: Codes
    prices: Floats

    @classmethod
    def of(cls, products: Iterable[Product]) -> ProductTable:
        """Make the table of products, in their order."""
        ids, titles, prices, brands, groups = [], [], [], _Names(), _Names()
        paths = _Names()
        categories = []
        for product in products:
            ids.append(product.id)
            titles.append(product.title)
            prices.append(np.nan if product.price is None else float(product.price))
            brands.add(product.brand)
            groups.add(f"g:{product.item_group_id}" if product.item_group_id else f"p:{product.id}")
            down = list(categories_down(product.category_path))
            levels = [down[0], down[min(1, len(down) - 1)], down[-1]] if down else [""] * LEVELS
            categories.append([paths.code(level) for level in levels])
        return cls(
            tuple(ids),
            tuple(titles),
            np.array(categories, np.int32).reshape(len(ids), LEVELS),
            tuple(paths.codes),
            np.array(brands.column, np.int32),
            np.array(groups.column, np.int32),
            np.array(prices, np.float32),
        )

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def code_of(self) -> dict[str, int]:
        """The position of each product by its id."""
        return {product_id: code for code, product_id in enumerate(self.ids)}


class _Names:
    """Codes of names in the order of their first use; -1 for the empty name."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}
        self.column: list[int] = []

    def code(self, name: str) -> int:
        return self.codes.setdefault(name, len(self.codes)) if name else -1

    def add(self, name: Any) -> None:
        self.column.append(self.code(name))
