"""Listings of one thing as one hit of a ranking, those of the products that a query names left out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from catalog.product import Product
from indexer.layout import RowLayout
from indexer.types import Floats
from search.retrieval.candidates import Ranked
from search.retrieval.serving_state import ServingState

# Cosines from which two pictures are one that was saved, scaled or cropped anew; chosen in docs/decisions.md.
SAME_PICTURE: Mapping[str, float] = {"look": 0.95, "meaning": 0.92, "colour": 0.9}
NEEDED = frozenset({"look", "meaning"})  # colours alone never make two pictures one
PRICES_MAY_DIFFER = Decimal("0.1")  # more is another size, or an offer that a shopper wants to see
# What differs between two sellers' listings of one thing, and what describes it at length.
IGNORED_ATTRIBUTES = frozenset(
    {"sku", "id", "code", "link", "url", "seller", "vendor", "store", "supplier", "condition_note"}
)
LONGEST_FACT = 60
# Words that a listing adds without naming another thing.
STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "the",
        "of",
        "for",
        "our",
        "your",
        "new",
        "brand",
        "genuine",
        "official",
        "authentic",
        "original",
        "sale",
        "offer",
        "deal",
        "item",
        "product",
        "shipping",
        "arrival",
        "arrivals",
        "latest",
    ]
)
_WORD = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+")
Rows = NDArray[np.floating]

Group = list[tuple[int, Product]]  # listings of one thing: places of a ranking and their products, the best first


@dataclass(frozen=True, slots=True)
class QueryProduct:
    """A product that the query names, and the picture by which it is known: its content hash and its row."""

    product: Product
    sha256: str
    row: Floats


def groups_of(
    served: ServingState, named: Sequence[QueryProduct] | None, ranked: Ranked, listed: Sequence[tuple[int, Product]]
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


def collapse(
    layout: RowLayout,
    hashes: Sequence[str],
    products: Sequence[Product],
    vectors: Callable[[Sequence[int]], Rows | Sequence[Floats]],
) -> list[tuple[int, ...]]:
    """Places of a ranking, best first, as groups of one thing each: the first of a group stands for it.

    `hashes` are the content hashes of the pictures by which the products were found; `vectors` gives the rows (n, dim)
    at some places, and is called only where words and facts agree. A listing joins the first group whose first member
    it equals, so what follows never changes the groups before it: the second page agrees with the first.
    """
    groups: list[list[int]] = []
    said: dict[tuple[str, ...], list[int]] = {}  # words -> the groups of listings that are called so
    rows: dict[int, Floats] = {}

    def row(place: int) -> Floats:
        if place not in rows:
            rows[place] = np.asarray(vectors([place])[0], dtype=np.float32)
        return rows[place]

    def same(first: int, place: int) -> bool:
        if not same_facts(products[first], products[place]):
            return False
        return hashes[first] == hashes[place] or same_picture(layout, row(first), row(place))

    for place, product in enumerate(products):
        words = title_key(product.title)
        rivals = said.setdefault(words, []) if words else []
        found = next((number for number in rivals if same(groups[number][0], place)), None)
        if found is not None:
            groups[found].append(place)
            continue
        rivals.append(len(groups))
        groups.append([place])
    return [tuple(group) for group in groups]


def title_key(title: str) -> tuple[str, ...]:
    """A title's words and numbers, sorted, without case, endings in -s and words that say nothing.

    "500 ml" stays apart from "1 l", and each colour from the others: all that may differ is what names no other thing.
    """
    words = _WORD.findall(unicodedata.normalize("NFKC", title).casefold().replace("'", "").replace("\u2019", ""))
    told = [word for word in words if word not in STOP_WORDS]
    return tuple(sorted(word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] != "s" else word for word in told))


def other_numbers(title: str, other: str) -> bool:
    """Whether each title tells a number that the other does not: shades and models that are shown by one picture."""
    first, second = (
        {word.replace(",", ".").lstrip("0") for word in title_key(each) if word[0].isdigit()} for each in (title, other)
    )
    return bool(first - second and second - first)


def same_facts(one: Product, other: Product) -> bool:
    """Whether no brand, attribute or currency that both state differs, and prices differ by at most a tenth."""
    return next(differing_facts(one, other), None) is None


def differing_facts(one: Product, other: Product) -> Iterator[str]:
    """The names of the facts by which two products are not one thing; see `same_facts`."""
    for name in ("brand", "currency"):
        if _differ(getattr(one, name), getattr(other, name)):
            yield name
    if one.price is not None and other.price is not None and _far(one.price, other.price):
        yield "price"
    for name, value in one.attributes.items():
        told = name.casefold() not in IGNORED_ATTRIBUTES and len(value) <= LONGEST_FACT
        if told and _differ(value, other.attributes.get(name, "")):
            yield name


def same_picture(layout: RowLayout, one: Floats, other: Floats) -> bool:
    """Whether two rows (dim,) are of one picture that was saved, scaled or cropped anew: all blocks must say so."""
    judged = [name for name in SAME_PICTURE if name in layout.names]
    spans = [layout.slice(name) for name in judged]
    return bool(NEEDED & set(judged)) and all(
        float(one[span] @ other[span]) >= SAME_PICTURE[name] for name, span in zip(judged, spans, strict=True)
    )


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and one.strip().casefold() != other.strip().casefold()


def _far(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) > PRICES_MAY_DIFFER * max(one, other)
