"""The view model of a results page: query chips, facets, sort orders and page numbers, with the URLs they lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.product import Product
from catalog.translated_attributes import translated_field, translates
from search.query.filters import ATTRIBUTE, CATEGORY, IN_STOCK, PRICE, Filter
from search.query.terms import MAX_RANK, NEWEST, RELEVANCE, SORTS, ProductTerm, Query, Term, TextTerm
from web.facets.panels import Choice, Panel, facet_panel
from web.i18n.language import is_shown, t, title_of, translations
from web.requests.page_request import PageRequest, compact, sort_of
from web.urls import search_url

if TYPE_CHECKING:
    from search.hits import Facet, SearchPage
    from search.understanding.understood import Understood

NEIGHBOUR_PAGES = 2  # offered on each side of the current page


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
    `filter` is what was chosen, without the limits that the words name; `order` is the order that the list has.
    """

    base: Mapping[str, str]
    filter: str
    filter_without_price: str
    sort: str
    order: str
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
    own = _own_filter(page_request, active, page.understood)
    facets = (facet for facet in page.facets if _is_shown(facet, page.facets))
    panels = [facet_panel(facet, own.to_json(), active.to_json()) for facet in facets]
    from_words = {condition.field for condition in active.conditions if not own.on(condition.field)}
    chosen = tuple(choice for panel in panels if panel.name not in from_words for choice in _chosen(panel))
    number = query.offset // query.k + 1
    return ResultsView(
        base={name: value for name, value in base.items() if value},
        filter=compact(own) or ("" if query.terms else "{}"),
        filter_without_price=compact(own.without(PRICE)) or "{}",
        sort=sort_of(query),
        order=query.sort if query.terms or query.sort != RELEVANCE else NEWEST,  # browsing shows the newest first
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


def _own_filter(page_request: PageRequest, active: Filter, understood: Understood) -> Filter:
    """Return the filter that was chosen: without the price and the stock that the words of the address name."""
    chosen = page_request.filter or Filter()
    for field, named in ((PRICE, understood.limit is not None), (IN_STOCK, understood.in_stock)):
        if named and page_request.named and not chosen.on(field):
            active = active.without(field)
    return active


def _is_shown(facet: Facet, facets: Sequence[Facet]) -> bool:
    """Tell whether a facet is shown: one of a translation is part of the facet of the field that it translates."""
    if any(value.selected for value in facet.values):
        return True
    name = facet.name.removeprefix(ATTRIBUTE)
    if translated_field(name):
        names = {other.name.removeprefix(ATTRIBUTE) for other in facets}
        if translates(name, names) or name in translations():
            return False
    return is_shown(name)


def _chosen(panel: Panel) -> list[Choice]:
    return [
        Choice(t("labelled", name=panel.label, value=choice.label), choice.count, True, choice.filter)
        for choice in panel.choices
        if choice.selected
    ]


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
