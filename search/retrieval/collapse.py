"""Listings of one thing as one hit of a ranking, those of the products that a query names left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from catalog.product import Product
from indexer.types import Floats
from search.retrieval.candidates import Ranked
from search.retrieval.duplicates import collapse
from search.retrieval.serving_state import Served

Group = list[tuple[int, Product]]  # listings of one thing: places of a ranking and their products, the best first


@dataclass(frozen=True, slots=True)
class Named:
    """A product that the query names, and the picture by which it is known: its content hash and its row."""

    product: Product
    sha256: str
    row: Floats


def groups_of(
    served: Served, named: Sequence[Named] | None, ranked: Ranked, listed: Sequence[tuple[int, Product]]
) -> list[Group]:
    """Listings of one thing together, in order of the first of each; those of a product that is named left out.

    `listed` are places of the ranking with their products. Without `named`, each listing is by itself.
    """
    if named is None:
        return [[each] for each in listed]
    rows = ranked.rows[np.array([place for place, _ in listed], np.int64)]
    snapshot, before = served.snapshot, len(named)

    def vectors(chosen: Sequence[int]) -> Sequence[Floats]:
        return [named[i].row if i < before else snapshot.vectors_of(rows[[i - before]])[0] for i in chosen]

    groups = collapse(
        served.generation.layout,
        [*(each.sha256 for each in named), *snapshot.hashes_of(rows)],
        [*(each.product for each in named), *(product for _, product in listed)],
        vectors,
    )
    return [[listed[number - before] for number in group] for group in groups if group[0] >= before]
