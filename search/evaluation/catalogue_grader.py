"""Grade the hits of a question against the whole catalogue: categories and attributes of every product."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from catalog.product import CATEGORY_SEPARATOR, Product
from catalog.storage.opening import open_catalogue
from catalog.text.tokenizer import indexed
from search.evaluation.graded import DEPTH, Grade, GradedRanking
from search.hits import SearchHit
from search.query.filters import BRAND, attribute_field, folded, tidy_path

NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class KindQuestion:
    """What a shopper types, and what is right: any of the kinds, with all of the attributes (values by column).

    A kind is a category path of the shop ("Tableware > Mugs"), or its last part.
    """

    text: str
    kinds: tuple[str, ...]
    attributes: Mapping[str, str] = field(default_factory=dict)
    language: str = ""


class CatalogueGrader:
    """Knows the kind and the attributes of every product; grades are made from these alone."""

    def __init__(self, products: Iterable[Product]) -> None:
        self._by_kind: dict[str, set[str]] = defaultdict(set)
        self._values: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)
        self._holders: dict[tuple[str, str], frozenset[str]] = {}
        for product in products:
            path = tidy_path(product.category)
            for name in {folded(path), folded(path.rpartition(CATEGORY_SEPARATOR)[2])}:
                self._by_kind[name].add(product.id)
            self._values[BRAND][product.id] = frozenset(indexed(product.brand))
            for name, value in product.attributes.items():
                self._values[attribute_field(name)][product.id] = frozenset(indexed(value))

    @classmethod
    def of(cls, home: Path) -> CatalogueGrader:
        """Read the catalogue of the shop in `home`."""
        with closing(open_catalogue(home)) as catalogue:
            return cls(product for _, product in catalogue.iterate())

    def has_attribute(self, column: str) -> bool:
        """Return whether a product of the shop has that attribute, or a brand."""
        return any(self._values.get(_field(column), {}).values())

    def of_kinds(self, kinds: Iterable[str]) -> frozenset[str]:
        """Return the ids of the products whose category is one of these, by its path or its last part."""
        return frozenset().union(*(self._by_kind.get(folded(tidy_path(kind)), NOTHING) for kind in kinds))

    def having(self, column: str, value: str) -> frozenset[str]:
        """Return the ids of the products whose attribute holds all words of a value ("red" of "red and white")."""
        key = (_field(column), folded(value))
        if key not in self._holders:
            words = frozenset(indexed(value))
            held = self._values.get(key[0], {}).items()
            self._holders[key] = frozenset(product for product, own in held if words <= own)
        return self._holders[key]

    def ranking(self, question: KindQuestion, hits: Sequence[SearchHit]) -> GradedRanking:
        """Return the grades of a question's hits, and what the shop has of what is right."""
        kind = self.of_kinds(question.kinds)
        holders = [self.having(column, value) for column, value in question.attributes.items()]

        def grade(product_id: str) -> Grade:
            attributes = sum(product_id in having for having in holders) / len(holders) if holders else 0.0
            return Grade(product_id in kind, attributes)

        graded = kind.union(*holders)
        gains = heapq.nlargest(DEPTH, (grade(product_id).gain for product_id in graded))
        pairs = kind.intersection(*holders) if holders else NOTHING
        return GradedRanking(tuple(grade(hit.product.id) for hit in hits), len(kind), len(pairs), tuple(gains))


def _field(column: str) -> str:
    return BRAND if column == BRAND else attribute_field(column)
