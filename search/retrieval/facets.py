"""Facets: what the products found have in common, counted, so that a shopper can narrow the answer by one click.

A count is how many products the answer has with that value. A facet that is filtered by already is counted without
its own filter, so that its other values can be compared and added. What is chosen is always listed, to be taken back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from catalog.product import CATEGORY_SEPARATOR
from search.hits import Facet, FacetValue
from search.query.filters import (
    ANY,
    ATTRIBUTE,
    BRAND,
    CATEGORY,
    COLOUR,
    ID,
    IN_STOCK,
    NOT,
    PRICE,
    Between,
    Condition,
    Filter,
    InStock,
    OneOf,
    folded,
)
from search.state.column_store import ProductColumns
from search.state.label_columns import CURRENCY, Ints, LabelColumn, Mask

MAX_VALUES = 20  # of a facet; of categories, beside each other
MAX_ATTRIBUTES = 12
MAX_LABELS = 500  # an attribute with more different values is a text or a number, not a facet
LEAST_USE = 4.0  # products that a value must have on average
RANGES = 5
_NONE = (ID, NOT, ANY)  # have nothing to choose from
_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)

Matched = Callable[[Filter], Mask]


def facet_fields(columns: ProductColumns) -> tuple[str, ...]:
    """The fields worth counting in a shop: the standard ones that it has, then attributes, most used first."""
    standard = [name for name in (CATEGORY, BRAND, COLOUR) if len(columns.labels_of(name).codes)]
    if not np.isnan(columns.prices).all():
        standard.insert(1, PRICE)
    if len(np.unique(columns.stock[columns.present])) > 1:
        standard.append(IN_STOCK)
    attributes = {
        name: len(labels.codes)
        for name, labels in columns.labels.items()
        if name.startswith(ATTRIBUTE)
        and LEAST_USE * len(labels.words) <= len(labels.codes)
        and 1 < len(labels.words) <= MAX_LABELS
    }
    return (*standard, *sorted(attributes, key=lambda name: (-attributes[name], name))[:MAX_ATTRIBUTES])


def facet_counts(
    columns: ProductColumns, filter: Filter, matched: Matched, wanted: Sequence[str] | None = None
) -> tuple[Facet, ...]:
    """The facets of an answer, those `wanted` (fields, as filters name them) or all that are worth it.

    `matched` gives the mask (n,) of the products that are the answer under a filter: `columns.matching` when nothing
    but the filter is asked, else that and what matches the query. It is called once for the filter and once for each
    field that the filter names. Fields that no product has are left out, and so are those that offer no choice.
    """
    names = facet_fields(columns) if wanted is None else wanted
    filtered = () if wanted is not None else tuple(each.field for each in filter.conditions if each.field not in _NONE)
    everything = matched(filter)
    facets = []
    for name in dict.fromkeys((*names, *filtered)):
        mask = matched(filter.without(name)) if filter.on(name) else everything
        facet = _OWN.get(name, _labelled)(columns, name, mask, filter)
        if len(facet.values) > 1 or any(value.selected for value in facet.values):
            facets.append(facet)
    return tuple(facets)


def _labelled(columns: ProductColumns, name: str, mask: Mask, filter: Filter) -> Facet:
    labels = columns.labels_of(name)
    counts = labels.counts(mask)
    chosen = _chosen(labels, filter, name)
    codes = _most(counts, labels, chosen)
    values = tuple(
        FacetValue(labels.words.texts[code], labels.words.texts[code], int(counts[code]), code in chosen)
        for code in codes
    )
    others = int(np.count_nonzero(counts)) - sum(value.count > 0 for value in values)
    return Facet(name, (*values, *_unlabelled(columns, labels, mask, filter.on(name))), others)


def _categories(columns: ProductColumns, name: str, mask: Mask, filter: Filter) -> Facet:
    """The first level, and below it what is chosen and what is alone on its level, opened."""
    labels = columns.labels_of(name)
    counts = labels.counts(mask)
    chosen = _chosen(labels, filter, name)
    texts = labels.words.texts
    children: dict[str, list[int]] = {}
    opened = {labels.words.code(part) for code in chosen for part in _upwards(texts[code])}
    for code in {*np.flatnonzero(counts).tolist(), *opened}:
        children.setdefault(folded(texts[code].rpartition(CATEGORY_SEPARATOR)[0]), []).append(code)
    values: list[FacetValue] = []
    others = 0

    def list_below(parent: str) -> None:
        nonlocal others
        codes = _listed(children.get(parent, []), counts, labels, opened)
        others += len(children.get(parent, [])) - len(codes)
        for code in codes:
            label = texts[code].rpartition(CATEGORY_SEPARATOR)[2]
            values.append(FacetValue(texts[code], label, int(counts[code]), code in chosen))
            if code in opened or len(codes) == 1:
                list_below(folded(texts[code]))

    list_below("")
    return Facet(name, (*values, *_unlabelled(columns, labels, mask, filter.on(name))), others)


def _prices(columns: ProductColumns, name: str, mask: Mask, filter: Filter) -> Facet:
    """Ranges with round bounds, both included as in a filter, of the currency that most products have."""
    asked = filter.on(PRICE)
    asked = asked if isinstance(asked, Between) else None
    currencies = columns.labels_of(CURRENCY)
    currency = asked.currency if asked else ""
    if not asked and len(currencies.words) > 1:
        counts = currencies.counts(mask)
        currency = currencies.words.texts[int(np.argmax(counts))] if counts.any() else ""
    if currency:
        mask = mask & currencies.having([currency], len(columns))
    prices = np.sort(columns.prices[mask & ~np.isnan(columns.prices)])
    ranges = _ranges(prices)
    own = None if asked is None else (asked.least, asked.most)
    if own is not None and own not in ranges:
        ranges.append(own)
    values = tuple(
        FacetValue(
            Between(PRICE, least, most, currency).to_json(),
            _range_label(least, most),
            int(np.count_nonzero((prices >= _low(least)) & (prices <= _high(most)))),
            (least, most) == own,
        )
        for least, most in ranges
    )
    return Facet(name, values, span=(float(prices[0]), float(prices[-1])) if len(prices) else None)


def _stock(columns: ProductColumns, name: str, mask: Mask, filter: Filter) -> Facet:
    asked = filter.on(IN_STOCK)
    chosen = asked.in_stock if isinstance(asked, InStock) else None
    available = int(np.count_nonzero(columns.stock & mask))
    counts = {True: available, False: int(np.count_nonzero(mask)) - available}
    labels = {True: "in stock", False: "out of stock"}
    values = (FacetValue(v, labels[v], n, v == chosen) for v, n in counts.items() if n or v == chosen)
    return Facet(name, tuple(values))


_OWN: Mapping[str, Callable[[ProductColumns, str, Mask, Filter], Facet]] = {
    CATEGORY: _categories,
    PRICE: _prices,
    IN_STOCK: _stock,
}


def _chosen(labels: LabelColumn, filter: Filter, name: str) -> set[int]:
    asked = filter.on(name)
    return {labels.words.code(value) for value in asked.values} - {-1} if isinstance(asked, OneOf) else set()


def _unlabelled(columns: ProductColumns, labels: LabelColumn, mask: Mask, asked: Condition | None) -> list[FacetValue]:
    """What is asked for and is no label: a range, several labels in one, or what no product has."""
    if isinstance(asked, Between):
        found = labels.between(_low(asked.least), _high(asked.most), len(columns))
        label = _range_label(asked.least, asked.most)
        return [FacetValue(asked.to_json(), label, int(np.count_nonzero(found & mask)), True)]
    values = asked.values if isinstance(asked, OneOf) else ()
    return [
        FacetValue(value, value, int(np.count_nonzero(labels.having([value], len(columns)) & mask)), True)
        for value in values
        if labels.words.code(value) < 0
    ]


def _most(counts: Ints, labels: LabelColumn, chosen: set[int]) -> list[int]:
    """The codes of the most frequent labels, and of the chosen ones however frequent."""
    return _listed([*{*np.flatnonzero(counts).tolist(), *chosen}], counts, labels, chosen)


def _listed(codes: Sequence[int], counts: Ints, labels: LabelColumn, chosen: set[int]) -> list[int]:
    ranked = sorted(codes, key=lambda code: (-counts[code], labels.words.texts[code]))
    return ranked[:MAX_VALUES] + [code for code in ranked[MAX_VALUES:] if code in chosen]


def _upwards(path: str) -> list[str]:
    parts = path.split(CATEGORY_SEPARATOR)
    return [CATEGORY_SEPARATOR.join(parts[:depth]) for depth in range(1, len(parts) + 1)]


def _ranges(prices: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[tuple[float | None, float | None]]:
    """About as many products in each, with bounds of one or two digits; none when all cost much the same."""
    bounds = sorted({_rounded(float(np.quantile(prices, i / RANGES))) for i in range(1, RANGES)}) if len(prices) else []
    bounds = [bound for bound in bounds if prices[0] < bound <= prices[-1]]
    if not bounds:
        return []
    edges: list[float | None] = [None, *bounds, None]
    return list(pairwise(edges))


def _rounded(price: float) -> float:
    """The nearest of 1, 2, 2.5, 5 times a power of ten."""
    if price <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(price))
    return min((step * power for step in _ROUND), key=lambda bound: abs(bound - price))


def _low(bound: float | None) -> float:
    return -math.inf if bound is None else bound


def _high(bound: float | None) -> float:
    return math.inf if bound is None else bound


def _range_label(least: float | None, most: float | None) -> str:
    if least is None:
        return "any" if most is None else f"up to {most:g}"
    return f"from {least:g}" if most is None else f"{least:g} to {most:g}"
