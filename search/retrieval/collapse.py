"""Collapse near-duplicate listings of one thing into one hit, and drop those of the products that a query names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache

import numpy as np

from catalog.errors import VectorsUnavailable
from catalog.product import Product
from catalog.text.scripts import MARKS
from indexer.layout import RowLayout
from indexer.types import Floats, Ids
from search.retrieval.candidates import Ranked
from search.retrieval.serving_state import ServingState
from search.state.snapshot import Rows

# Lowest cosines of two copies of one picture, saved, scaled or cropped again: docs/decisions/duplicate-collapse.md.
SAME_PICTURE_COSINES: Mapping[str, float] = {"look": 0.95, "meaning": 0.92, "colour": 0.9}
REQUIRED_BLOCKS = frozenset({"look", "meaning"})  # one of them must be compared: equal colours alone prove nothing
MAX_PRICE_DIFFERENCE = Decimal("0.1")  # share: more is another size, or an offer that a shopper wants to see
# Attributes that differ between two sellers' listings of one thing.
_IGNORED_TEXT = "sku id code link url seller vendor store supplier condition_note"
IGNORED_ATTRIBUTES = frozenset(_IGNORED_TEXT.split())
# Keys that are remembered, since the same products are found again and again, and the longest titles of which they are,
# in characters: 7 MB for a fashion feed's titles, 36 MB where each has 200 characters.
TITLE_KEYS, MAX_TITLE = 16_384, 200
MAX_FACT = 60  # characters; longer attributes describe, and may differ
# Words that a title adds without naming another thing.
_STOP_TEXT = """a an and the of for our your new brand genuine official authentic original
    sale offer deal item product shipping arrival arrivals latest"""
STOP_WORDS = frozenset(_STOP_TEXT.split())
_WORD = re.compile(rf"\d+(?:[.,]\d+)?|(?:[^\W\d_]|[{MARKS}])+")

Group = list[tuple[int, Product]]  # listings of one thing: places of a ranking and their products, the best first


@dataclass(frozen=True, slots=True)
class QueryProduct:
    """A product that the query names, and the picture by which it is known: its content hash and its row."""

    product: Product
    sha256: str
    row: Floats


def collapse_listings(
    state: ServingState, named: Sequence[QueryProduct], ranked: Ranked, listed: Sequence[tuple[int, Product]]
) -> list[Group]:
    """Group listings of one thing, (place in the ranking, product); leave out listings of the `named` products."""
    before = len(named)
    groups = _grouped(state, named, ranked, listed)
    return [[listed[number - before] for number in group] for group in groups if group[0] >= before]


def copies_of(
    state: ServingState, named: Sequence[QueryProduct], ranked: Ranked, listed: Sequence[tuple[int, Product]]
) -> Ids:
    """Return the keys of the listings, (place in the ranking, product), that are of the `named` products."""
    before = len(named)
    groups = _grouped(state, named, ranked, listed)
    places = [
        listed[number - before][0] for group in groups if group[0] < before for number in group if number >= before
    ]
    return ranked.products[np.array(places, np.int64)]


def _grouped(
    state: ServingState, named: Sequence[QueryProduct], ranked: Ranked, listed: Sequence[tuple[int, Product]]
) -> list[list[int]]:
    """Return the groups of the named products and of these listings, by number: the named ones come first."""
    rows = ranked.rows[np.array([place for place, _ in listed], np.int64)]
    snapshot, before = state.snapshot, len(named)

    def vector(place: int) -> Rows:
        return named[place].row if place < before else snapshot.vectors_of(rows[[place - before]])[0]

    return collapse(
        state.generation.layout,
        [*(known.sha256 for known in named), *snapshot.hashes_of(rows)],
        [*(known.product for known in named), *(product for _, product in listed)],
        vector,
    )


def represented(state: ServingState, ranked: Ranked, groups: Sequence[Group]) -> tuple[QueryProduct, ...]:
    """Return the first product of each group, as a product whose other listings are to be left out."""
    rows = ranked.rows[np.array([group[0][0] for group in groups], np.int64)]
    try:
        vectors = np.asarray(state.snapshot.vectors_of(rows), np.float32)
    except VectorsUnavailable:
        return ()
    parts = zip(groups, state.snapshot.hashes_of(rows), vectors, strict=True)
    return tuple(QueryProduct(group[0][1], sha256, row) for group, sha256, row in parts)


def collapse(
    layout: RowLayout, hashes: Sequence[str], products: Sequence[Product], vector: Callable[[int], Rows]
) -> list[list[int]]:
    """Group the places of a ranking, best first, by the thing they show: the first of a group represents it.

    `hashes` are the content hashes of the pictures by which the products were found; `vector` returns the row (dim,)
    at a place, and is called only where titles and facts agree. A listing joins the first group whose first member it
    equals, so later places never change earlier groups: the second page agrees with the first.
    """
    groups: list[list[int]] = []
    by_title: dict[tuple[str, ...], list[list[int]]] = {}

    @cache
    def row(place: int) -> Floats:
        return np.asarray(vector(place), dtype=np.float32)

    def same(first: int, place: int) -> bool:
        if not same_facts(products[first], products[place]):
            return False
        if hashes[first] == hashes[place]:
            return True
        try:
            return same_picture(layout, row(first), row(place))
        except VectorsUnavailable:  # texts still answer; where pictures cannot be compared, listings stay apart
            return False

    for place, product in enumerate(products):
        key = title_key(product.title)
        same_title = by_title.setdefault(key, []) if key else []
        group = next((group for group in same_title if same(group[0], place)), None)
        if group is None:
            group = []
            groups.append(group)
            same_title.append(group)
        group.append(place)
    return groups


def title_key(title: str) -> tuple[str, ...]:
    """Return a title's words and numbers, sorted, without case, endings in -s and words that name no other thing."""
    return _remembered_key(title) if len(title) <= MAX_TITLE else _key(title)


@lru_cache(maxsize=TITLE_KEYS)
def _remembered_key(title: str) -> tuple[str, ...]:
    return _key(title)


def _key(title: str) -> tuple[str, ...]:
    folded = unicodedata.normalize("NFKC", title).casefold().replace("'", "").replace("\u2019", "")
    words = [word for word in _WORD.findall(folded) if word not in STOP_WORDS]
    return tuple(sorted(word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] != "s" else word for word in words))


def other_numbers(title: str, other: str) -> bool:
    """Return whether each title has a number that the other lacks: shades and models that share one picture."""
    first, second = (
        {word.replace(",", ".").lstrip("0") for word in title_key(text) if word[0].isdigit()} for text in (title, other)
    )
    return bool(first - second and second - first)


def same_facts(first: Product, second: Product) -> bool:
    """Return whether brand, attributes and currency that both state agree, and prices differ by at most a tenth."""
    return next(differing_facts(first, second), None) is None


def differing_facts(first: Product, second: Product) -> Iterator[str]:
    """Yield the names of the facts by which two products are not one thing; see `same_facts`."""
    for name in ("brand", "currency"):
        if _differ(getattr(first, name), getattr(second, name)):
            yield name
    prices = [product.price for product in (first, second) if product.price is not None]
    if len(prices) == 2 and abs(prices[0] - prices[1]) > MAX_PRICE_DIFFERENCE * max(prices):
        yield "price"
    for name, value in first.attributes.items():
        compared = name.casefold() not in IGNORED_ATTRIBUTES and len(value) <= MAX_FACT
        if compared and _differ(value, second.attributes.get(name, "")):
            yield name


def same_picture(layout: RowLayout, first: Floats, second: Floats) -> bool:
    """Return whether two rows (dim,) show one picture, saved, scaled or cropped again: all blocks must agree."""
    spans = {name: layout.slice(name) for name in SAME_PICTURE_COSINES if name in layout.names}
    return bool(REQUIRED_BLOCKS & set(spans)) and all(
        float(first[span] @ second[span]) >= SAME_PICTURE_COSINES[name] for name, span in spans.items()
    )


def _differ(first: str, second: str) -> bool:
    return bool(first and second) and first.strip().casefold() != second.strip().casefold()
