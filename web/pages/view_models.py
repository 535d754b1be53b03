"""The view model of a results page: query chips, facets, sort orders and page numbers, with the URLs they lead to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catalog.product import CATEGORY_SEPARATOR, Product
from search.listings.attribute_fields import OTHER_LANGUAGE
from search.query.filters import ATTRIBUTE, ATTRIBUTES, BRAND, CATEGORY, COLOUR, IN_STOCK, PRICE, Filter
from search.query.terms import MAX_RANK, RELEVANCE, SORTS, ProductTerm, Query, Term, TextTerm
from web.i18n.language import field_label, t, title_of, value_label
from web.requests.page_request import PageRequest, compact, compact_json, sort_of
from web.urls import search_url

if TYPE_CHECKING:
    from search.hits import Facet, FacetValue, SearchPage

OPEN_FACETS = (CATEGORY, PRICE, BRAND, COLOUR, IN_STOCK)  # shown unfolded
SINGLE_CHOICE = (CATEGORY, PRICE, IN_STOCK)  # facets of which one value is selected at a time
VISIBLE_VALUES = 8  # values of a facet that are shown unfolded; the rest is under "more"
NEIGHBOUR_PAGES = 2  # offered on each side of the current page


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a facet: its label, its count, whether it is selected, and the filter (JSON) after a click on it."""

    label: str
    count: int
    selected: bool
    filter: str
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Panel:
    """A facet with its values. `least` and `most` are the price bounds to show."""

    name: str
    label: str
    choices: tuple[Choice, ...]
    others: int
    open: bool
    least: float | None = None
    most: float | None = None
    currency: str = ""

    @property
    def first(self) -> tuple[Choice, ...]:
        """Return the choices that are visible at once."""
        return self.choices[:VISIBLE_VALUES]

    @property
    def rest(self) -> tuple[Choice, ...]:
        """Return the choices folded under "more"."""
        return self.choices[VISIBLE_VALUES:]


@dataclass(frozen=True, slots=True)
class Chip:
    """The label of a term of the query, and its index, by which it can be dropped."""

    label: str
    index: int


@dataclass(frozen=True, slots=True)
class ResultsView:
    """A results page without its hits.

    `base` has the fields that repeat the query without filter and sort order. When the query has terms and `base` is
    empty, nothing can follow from this page, and `full` is false. `browsed` is the label of the selected category.
    """

    base: Mapping[str, str]
    filter: str
    filter_without_price: str
    sort: str
    sorts: tuple[str, ...]
    chips: tuple[Chip, ...]
    panels: tuple[Panel, ...]
    chosen: tuple[Choice, ...]
    pages: tuple[int, ...]
    page: int
    size: int
    full: bool
    browsed: str

    def address(self, page: int = 1) -> str:
        """Return the URL of a page of these results, which can be shared."""
        fields = {**self.base, "filter": self.filter, "sort": self.sort, "offset": (page - 1) * self.size}
        return search_url(**fields)


def results_view(
    page_request: PageRequest, query: Query, page: SearchPage, products: Mapping[str, Product], uploaded: bool
) -> ResultsView:
    """Return the view of a results page. An uploaded photo has no URL, so that only the refine token repeats it.

    `products` has the products that the query's terms mention, by id.
    """
    named = page_request.named and not uploaded
    base = page_request.fields() if named else {"refine": page.refine, "shown": page_request.shown}
    active = query.filter or Filter()
    if not query.terms:
        base = {}
    panels = [_panel(facet, active.to_json()) for facet in page.facets if not facet.name.endswith(OTHER_LANGUAGE)]
    chosen = tuple(choice for panel in panels for choice in _chosen(panel))
    number = query.offset // query.k + 1
    return ResultsView(
        base={name: value for name, value in base.items() if value},
        filter=compact(active) or ("" if query.terms else "{}"),
        filter_without_price=compact(active.without(PRICE)) or "{}",
        sort=sort_of(query),
        sorts=tuple(sort for sort in SORTS if query.terms or sort != RELEVANCE),
        chips=() if named else tuple(_chip(term, index, products) for index, term in enumerate(query.terms)),
        panels=tuple(panels),
        chosen=chosen,
        pages=_pages(query, page, number),
        page=number,
        size=query.k,
        full=bool(base) or not query.terms,
        browsed=next((c.label for p in panels if p.name == CATEGORY for c in p.choices if c.selected), ""),
    )


def _chosen(panel: Panel) -> list[Choice]:
    return [
        Choice(f"{panel.label}: {choice.label}", choice.count, True, choice.filter)
        for choice in panel.choices
        if choice.selected
    ]


def _panel(facet: Facet, active: Mapping[str, Any]) -> Panel:
    choices = tuple(_choice(facet.name, value, active) for value in facet.values)
    selected = any(choice.selected for choice in choices)
    span = facet.span or (None, None)
    price = active.get(PRICE, {}) if facet.name == PRICE else {}
    currency = next((v.value.get("currency", "") for v in facet.values if isinstance(v.value, dict)), "")
    return Panel(
        facet.name,
        field_label(facet.name),
        choices,
        facet.others,
        facet.name in OPEN_FACETS or selected,
        price.get("min", span[0]) if price else None,
        price.get("max", span[1]) if price else None,
        currency,
    )


def _choice(field: str, value: FacetValue, active: Mapping[str, Any]) -> Choice:
    depth = str(value.value).count(CATEGORY_SEPARATOR) if field == CATEGORY else 0
    return Choice(_label(field, value), value.count, value.selected, _toggled(field, value, active), depth)


def _label(field: str, value: FacetValue) -> str:
    if field == IN_STOCK:
        return t("in_stock" if value.value else "out_of_stock")
    if isinstance(value.value, str):
        return value_label(field, value.label)
    bounds = value.value if isinstance(value.value, Mapping) else {}
    least, most = bounds.get("min"), bounds.get("max")
    if least is None:
        return t("price_any") if most is None else t("price_up_to", most=f"{most:g}")
    if most is None:
        return t("price_at_least", least=f"{least:g}")
    return t("price_between", least=f"{least:g}", most=f"{most:g}")


def _toggled(field: str, value: FacetValue, active: Mapping[str, Any]) -> str:
    """Return the active filter as JSON with this value selected, or deselected if it is selected."""
    changed = json.loads(json.dumps(active))
    conditions, name = changed, field
    if field.startswith(ATTRIBUTE):
        conditions, name = changed.setdefault(ATTRIBUTES, {}), field.removeprefix(ATTRIBUTE)
    before = conditions.pop(name, None)
    several = isinstance(value.value, str) and field not in SINGLE_CHOICE
    after = [other for other in before if other != value.value] if several and isinstance(before, list) else []
    if not value.selected:
        after.append(value.value)
    if after:
        conditions[name] = after if isinstance(value.value, str) else value.value
    if not changed.get(ATTRIBUTES, True):
        del changed[ATTRIBUTES]
    return compact_json(changed)


def _chip(term: Term, index: int, products: Mapping[str, Product]) -> Chip:
    if isinstance(term, TextTerm):
        return Chip(t("quoted" if term.weight > 0 else "not_words", words=term.words), index)
    if isinstance(term, ProductTerm):
        product = products.get(term.product_id)
        title = title_of(product) if product else term.product_id
        return Chip(t("chip_like" if term.weight > 0 else "chip_unlike", what=title), index)
    return Chip(t("your_photo"), index)


def _pages(query: Query, page: SearchPage, number: int) -> tuple[int, ...]:
    """Return the page numbers to offer, around the current one."""
    more = len(page.hits) == query.k and query.offset + 2 * query.k <= MAX_RANK
    last = number + more
    if page.total is not None and more:  # listings of one thing are one hit, so the last pages may be empty
        last = max(number, min(-(-page.total // query.k), MAX_RANK // query.k))
    around: Sequence[int] = range(max(1, number - NEIGHBOUR_PAGES), min(last, number + NEIGHBOUR_PAGES) + 1)
    return tuple(sorted({1, *around})) if last > 1 else ()
