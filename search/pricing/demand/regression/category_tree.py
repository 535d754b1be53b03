"""The categories of a shop's products as a tree, along which what is learnt of one product is shared with others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from catalog.product import categories_down, levels_of
from indexer.types import Ids

DEPTH = 3  # levels of a category that models distinguish: the first, the second, and the whole path


@dataclass(frozen=True, eq=False)
class CategoryTree:
    """The nodes of the tree; node 0 is the whole shop, and parents come before their children.

    `paths` (m,) are category paths, "" for the shop. `parents` (m,) and `depths` (m,) are those of the nodes, `leaves`
    (n,) the node of each product.
    """

    paths: tuple[str, ...]
    parents: Ids
    depths: Ids
    leaves: Ids

    @classmethod
    def of(cls, categories: Sequence[str]) -> CategoryTree:
        """Make the tree of the categories of products, in their order."""
        codes: dict[tuple[int, str], int] = {(0, ""): 0}
        parents, leaves = [0], []
        for category in categories:
            node = 0
            for depth, path in enumerate(_levels(category), 1):
                place = codes.setdefault((depth, path), len(codes))
                if place == len(parents):
                    parents.append(node)
                node = place
            leaves.append(node)
        return cls(
            tuple(path for _, path in codes),
            np.array(parents, np.int64),
            np.array([depth for depth, _ in codes], np.int64),
            np.array(leaves, np.int64),
        )

    def __len__(self) -> int:
        return len(self.paths)

    @cached_property
    def nodes(self) -> Mapping[tuple[int, str], int]:
        """The position of each node by its depth and path."""
        return {key: node for node, key in enumerate(zip(self.depths.tolist(), self.paths, strict=True))}

    def node_of(self, category: str) -> int:
        """Return the deepest node that the category lies in; 0 where none does."""
        node = 0
        for depth, path in enumerate(_levels(category), 1):
            node = self.nodes.get((depth, path), node)
        return node


def _levels(category: str) -> list[str]:
    down = list(categories_down(levels_of(category)))
    return down if len(down) <= DEPTH else [*down[: DEPTH - 1], down[-1]]
