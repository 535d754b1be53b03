"""What a visitor may buy: categories of the second level, or products, each within a larger category."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from search.recommend.events.interactions import Codes
from search.recommend.events.product_table import ProductTable

SECOND_LEVEL = 1


@dataclass(frozen=True, slots=True, eq=False)
class ItemSpace:
    """The items that probabilities are predicted for.

    `item_of` (products,) are the items of products, -1 where a product has none; `parent_of` (items,) the larger
    category of each item, as numbers from 0 to before `parents`.
    """

    item_of: Codes
    parent_of: Codes
    parents: int

    def __len__(self) -> int:
        return len(self.parent_of)


def category_space(products: ProductTable) -> tuple[ItemSpace, tuple[str, ...]]:
    """Return the second-level categories, within their roots, and their paths. A root without levels is its own."""
    second = products.categories[:, SECOND_LEVEL]
    codes, first, item_of = np.unique(second, return_index=True, return_inverse=True)
    known = codes >= 0
    items: Codes = (item_of - int(not known.all())).astype(np.int32)
    roots, parent_of = np.unique(products.categories[first[known], 0], return_inverse=True)
    paths = tuple(products.category_paths[code] for code in codes[known])
    return ItemSpace(items, parent_of.astype(np.int32), len(roots)), paths


def product_space(products: ProductTable) -> ItemSpace:
    """Return the products, within their deepest categories; those without a category share one."""
    types, parent_of = np.unique(products.categories[:, -1], return_inverse=True)
    return ItemSpace(np.arange(len(products), dtype=np.int32), parent_of.astype(np.int32), len(types))
