"""Count facets: the values that matching products have, so that a shopper can narrow the results by one click.

A count is the number of matching products with that value. A field that is filtered already is counted without its own
condition, so that its other values can be compared and added. Selected values are always listed, to be removed.
Colours are counted by base colour ("navy" of "ivory and navy"); a product of several counts for each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from catalog.product import CATEGORY_SEPARATOR, categories_down
from catalog.technical_attributes import is_technical
from indexer.columns.fields import CURRENCY
from indexer.columns.label_columns import LabelColumn
from indexer.types import Ids, Mask
from search.hits import Facet, FacetValue
from search.query import filters
from search.query.filters import Between, Filter, InStock, OneOf, OnSale, folded
from search.state.column_store import ProductColumns
from search.state.item_groups import NOT_GROUPED, ItemGroups
from search.state.selection import Selection

MAX_VALUES = 100  # values of a facet, or categories of one level
MAX_ATTRIBUTES = 12
MAX_LABELS = 500  # an attribute with more different values is a text or a number, not a facet
MIN_PRODUCTS_PER_VALUE = 4.0  # on average
PRICE_RANGES = 5
_ROUND = (5.0, 2.0, 1.0)  # times a power of ten: the steps between bounds of price ranges

Matched = Callable[[Filter], Mask]


CountField = Callable[[Selection, str, Filter], Facet]


def facet_fields(columns: ProductColumns) -> tuple[str, ...]:
    """Return the fields worth counting: the standard ones that the shop has, then attributes, most used first.

    Attributes that are for programs come last, and take no place from those that shoppers read.
    """
    colour = filters.BASE_COLOUR if columns.labels_of(filters.BASE_COLOUR).size else filters.COLOUR
    standard = [name for name in (filters.CATEGORY, filters.BRAND, colour) if columns.labels_of(name).size]
    if columns.is_priced:
        standard.insert(1, filters.PRICE)
    if columns.differs_in_stock:
        standard.append(filters.IN_STOCK)
    if columns.is_reduced:
        standard.append(filters.ON_SALE)
    attributes = {
        name: labels.entries
        for name, labels in columns.labels.items()
        if name.startswith(filters.ATTRIBUTE)
        and MIN_PRODUCTS_PER_VALUE * labels.size <= labels.entries
        and 1 < labels.size <= MAX_LABELS
    }
    ranked = sorted(attributes, key=lambda name: (-attributes[name], name))
    technical = [name for name in ranked if is_technical(name.removeprefix(filters.ATTRIBUTE))]
    readable = [name for name in ranked if name not in technical]
    return (*standard, *readable[:MAX_ATTRIBUTES], *technical[:MAX_ATTRIBUTES])


def facet_counts(
    columns: ProductColumns,
    filter: Filter,
    matched: Matched,
    wanted: Sequence[str] | None = None,
    groups: ItemGroups = NOT_GROUPED,
) -> tuple[Facet, ...]:
    """Return the facets `wanted` (fields, as filters name them), or all that are worth counting.

    `matched` returns the mask (n,) of the products that match under a filter: `columns.matching` when browsing, else
    those of them that match the query. It is called once for the filter and once for each field that the filter names.
    Of each of the `groups`, a value counts once, and a group of several values counts for each.
    Fields that no product has are left out, and so are those that offer no choice.
    """
    names = facet_fields(columns) if wanted is None else wanted
    fields = () if wanted is not None else [condition.field for condition in filter.conditions]
    filtered = [name for name in fields if name not in (filters.ID, filters.NOT, filters.ANY)]
    everything = Selection(columns, matched(filter), groups)
    facets = []
    for name in dict.fromkeys((*names, *filtered)):
        counted = Selection(columns, matched(filter.without(name)), groups) if filter.on(name) else everything
        facet = _OWN.get(name, _labelled)(counted, name, filter)
        varies = facet.span is not None and facet.span[0] < facet.span[1]
        if len(facet.values) > 1 or varies or any(value.selected for value in facet.values):
            facets.append(facet)
    return tuple(facets)


def _labelled(counted: Selection, name: str, filter: Filter) -> Facet:
    labels = counted.columns.labels_of(name)
    counts = counted.count_labels(labels)
    chosen = _chosen(labels, filter, name)
    codes = _listed({*np.flatnonzero(counts).tolist(), *chosen}, counts, labels, chosen)
    values = tuple(FacetValue(labels.text(c), labels.text(c), int(counts[c]), c in chosen) for c in codes)
    others = int(np.count_nonzero(counts)) - sum(value.count > 0 for value in values)
    return Facet(name, (*values, *_unlabelled(counted, name, filter)), others)


def _categories(counted: Selection, name: str, filter: Filter) -> Facet:
    """Return the first level of categories, with selected ones and single ones of a level expanded."""
    labels = counted.columns.labels_of(name)
    counts = counted.count_labels(labels)
    chosen = _chosen(labels, filter, name)
    children: dict[str, list[int]] = {}
    expanded = {
        labels.code(part) for code in chosen for part in categories_down(labels.text(code).split(CATEGORY_SEPARATOR))
    }
    for code in {*np.flatnonzero(counts).tolist(), *expanded}:
        children.setdefault(folded(labels.text(code).rpartition(CATEGORY_SEPARATOR)[0]), []).append(code)
    values: list[FacetValue] = []
    others = 0

    def list_below(parent: str) -> None:
        nonlocal others
        codes = _listed(children.get(parent, []), counts, labels, expanded)
        others += len(children.get(parent, [])) - len(codes)
        for code in codes:
            text = labels.text(code)
            label = text.rpartition(CATEGORY_SEPARATOR)[2]
            values.append(FacetValue(text, label, int(counts[code]), code in chosen))
            if code in expanded or len(codes) == 1:
                list_below(folded(text))

    list_below("")
    return Facet(name, (*values, *_unlabelled(counted, name, filter)), others)


def _prices(counted: Selection, name: str, filter: Filter) -> Facet:
    """Return rising ranges with round bounds, both included as in a filter, in the currency of most products."""
    condition = filter.on(filters.PRICE)
    selected = condition if isinstance(condition, Between) else None
    currencies = counted.columns.labels_of(CURRENCY)
    currency = selected.currency if selected else ""
    if not selected and currencies.size > 1:
        of_each = counted.count_labels(currencies)
        most = _listed(np.flatnonzero(of_each).tolist(), of_each, currencies, set())[:1]
        currency = "".join(map(currencies.text, most))
    if currency and currencies.size > 1:
        within = currencies.having([currency], len(counted.columns))
        counted = Selection(counted.columns, counted.mask & within, counted.groups)
    elif currency and currencies.code(currency) < 0:
        counted = Selection(counted.columns, np.zeros(len(counted.columns), np.bool_), counted.groups)
    prices, ordinals = counted.by_price
    ranges = _ranges(prices, currency)
    if selected and selected not in ranges:
        ranges = sorted([*ranges, selected], key=_bounds_of)
    counts = []
    for bounds in ranges:
        low, high = _bounds_of(bounds)
        first, end = np.searchsorted(prices, low, "left"), np.searchsorted(prices, high, "right")
        counts.append((bounds, counted.groups.count_at(ordinals[first:end], len(counted.mask))))
    values = (
        _range_value(bounds, count, bounds == selected) for bounds, count in counts if count or bounds == selected
    )
    span = (float(prices[0]), float(prices[-1])) if len(prices) else None
    named = currency or (currencies.texts()[0] if currencies.size == 1 else "")
    return Facet(name, tuple(values), span=span, currency=named)


def _flag(counted: Selection, name: str, filter: Filter) -> Facet:
    condition = filter.on(name)
    chosen = condition.in_stock if isinstance(condition, InStock) else None
    chosen = condition.on_sale if isinstance(condition, OnSale) else chosen
    of_stock = name == filters.IN_STOCK
    flags = counted.columns.stock if of_stock else counted.columns.reduced
    counts = {True: counted.count(flags), False: counted.count(~flags)}
    labels = {True: "in stock", False: "out of stock"} if of_stock else {True: "on sale", False: "not reduced"}
    values = (FacetValue(v, labels[v], n, v == chosen) for v, n in counts.items() if n or v == chosen)
    return Facet(name, tuple(values))


_OWN: Mapping[str, CountField] = {
    filters.CATEGORY: _categories,
    filters.PRICE: _prices,
    filters.IN_STOCK: _flag,
    filters.ON_SALE: _flag,
}


def _chosen(labels: LabelColumn, filter: Filter, name: str) -> set[int]:
    condition = filter.on(name)
    return {labels.code(value) for value in condition.values} - {-1} if isinstance(condition, OneOf) else set()


def _unlabelled(counted: Selection, name: str, filter: Filter) -> list[FacetValue]:
    """Return the selected values that are no label: a range, several labels in one, or a value of no product."""
    labels, condition, size = counted.columns.labels_of(name), filter.on(name), len(counted.columns)
    if isinstance(condition, Between):
        return [_range_value(condition, counted.count(labels.passing(condition.includes, size)), True)]
    values = condition.values if isinstance(condition, OneOf) else ()
    return [
        FacetValue(value, value, counted.count(labels.having([value], size)), True)
        for value in values
        if labels.code(value) < 0
    ]


def _listed(codes: Iterable[int], counts: Ids, labels: LabelColumn, chosen: set[int]) -> list[int]:
    """Return the codes of the most frequent labels, and of the selected ones however rare."""
    found = np.fromiter(codes, np.int64)
    of_each = counts[found]
    if len(found) > MAX_VALUES:  # the texts of the others need not be read
        least = np.partition(of_each, -MAX_VALUES)[-MAX_VALUES]
        wanted = (of_each >= least) | np.isin(found, [*chosen])
        found, of_each = found[wanted], of_each[wanted]
    counted = zip((-of_each).tolist(), map(labels.text, found.tolist()), found.tolist(), strict=True)
    ranked = [code for _, _, code in sorted(counted)]
    return ranked[:MAX_VALUES] + [code for code in ranked[MAX_VALUES:] if code in chosen]


def _ranges(prices: NDArray[np.float64], currency: str) -> list[Between]:
    """Return ranges of about as many sorted prices each, with round bounds; none when they are much the same."""
    if not len(prices):
        return []
    quantiles = _quantiles(prices)
    found = {
        _rounded(price, (after - before) / 2)
        for before, price, after in zip(quantiles, quantiles[1:], quantiles[2:], strict=False)
    }
    bounds = [bound for bound in sorted(found) if prices[0] < bound <= prices[-1]]
    edges = [None, *bounds, None] if bounds else []
    return [Between(filters.PRICE, low, high, currency) for low, high in pairwise(edges)]


def _quantiles(prices: NDArray[np.float64]) -> list[float]:
    """Return the bounds of PRICE_RANGES equal parts of sorted prices, between two of them in proportion."""
    at = np.arange(PRICE_RANGES + 1) / PRICE_RANGES * (len(prices) - 1)
    below = np.floor(at).astype(np.int64)
    low, high = prices[below], prices[np.minimum(below + 1, len(prices) - 1)]
    return [float(value) for value in low + (high - low) * (at - below)]


def _rounded(price: float, distance: float) -> float:
    """Return the multiple nearest to a price of the largest round step that is no longer than the distance."""
    if distance <= 0:
        return price
    power = 10.0 ** math.floor(math.log10(distance))
    step = next(step * power for step in _ROUND if step * power <= distance * (1 + 1e-9))
    return round(round(price / step) * step, 6)


def _bounds_of(bounds: Between) -> tuple[float, float]:
    low = -math.inf if bounds.minimum is None else bounds.minimum
    return low, math.inf if bounds.maximum is None else bounds.maximum


def _range_value(bounds: Between, count: int, selected: bool) -> FacetValue:
    low, high = bounds.minimum, bounds.maximum
    if low is None:
        label = "any" if high is None else f"up to {high:.12g}"
    else:
        label = f"from {low:.12g}" if high is None else f"{low:.12g} to {high:.12g}"
    return FacetValue(bounds.to_json(), label, count, selected)
