"""What a page of results shows beside its hits: the question, facets, order and pages, and where each of them leads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catalog.product import CATEGORY_SEPARATOR, Product
from search.listings.attribute_fields import OTHER_LANGUAGE
from search.query.filters import ATTRIBUTE, ATTRIBUTES, BRAND, CATEGORY, COLOUR, IN_STOCK, PRICE, Filter
from search.query.terms import MAX_REACH, RELEVANCE, SORTS, ProductTerm, Query, Term, TextTerm
from web.i18n.language import field_label, t, title_of, value_label
from web.requests.page_request import PageRequest, compact, compact_json, sort_of
from web.urls import address_with

if TYPE_CHECKING:
    from search.hits import Facet, FacetValue, SearchPage

OPEN = (CATEGORY, PRICE, BRAND, COLOUR, IN_STOCK)  # the facets that need no click to be seen
SINGLE = (CATEGORY, PRICE, IN_STOCK)  # of which one value is chosen at a time
LISTED = 8  # values of a facet before the rest has to be asked for
AROUND = 2  # pages to each side of the present one


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a facet: its words, how many have it, whether it is chosen, and the filter that a click asks for."""

    label: str
    count: int
    selected: bool
    filter: str
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Panel:
    """A facet to choose from."""

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
        """The choices that are seen at once."""
        return self.choices[:LISTED]

    @property
    def rest(self) -> tuple[Choice, ...]:
        """The choices behind "more"."""
        return self.choices[LISTED:]


@dataclass(frozen=True, slots=True)
class Chip:
    """One term of the question, in words, and its number, by which it can be dropped."""

    label: str
    place: int


@dataclass(frozen=True, slots=True)
class View:
    """Everything beside the hits.

    `base` are the fields that ask for the same again, without filter and order; without them there is nothing to lead
    on from, and `full` is false. `browsed` is the category that is looked at.
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
        """The address of a page of these results; it can be shared."""
        narrowed = {"filter": self.filter, "sort": self.sort}
        return address_with({**self.base, **narrowed, "offset": (page - 1) * self.size})


def view_of(asked: PageRequest, query: Query, page: SearchPage, titles: Mapping[str, Product], sent: bool) -> View:
    """What to show beside a page; `sent` says that a photo came with the request, so that only a token tells of it."""
    named = asked.named and not sent
    base = asked.fields() if named else {"refine": page.refine, "shown": asked.shown}
    narrowed = query.filter or Filter()
    told = narrowed.to_json()
    if not query.terms:
        base = {}
    panels = [_panel(facet, told) for facet in page.facets if not facet.name.endswith(OTHER_LANGUAGE)]
    chosen = tuple(choice for panel in panels for choice in _chosen(panel))
    number = query.offset // query.k + 1
    return View(
        base={name: value for name, value in base.items() if value},
        filter=compact(narrowed) or ("" if query.terms else "{}"),
        filter_without_price=compact(narrowed.without(PRICE)) or "{}",
        sort=sort_of(query),
        sorts=tuple(each for each in SORTS if query.terms or each != RELEVANCE),
        chips=() if named else tuple(_chip(term, place, titles) for place, term in enumerate(query.terms)),
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


def _panel(facet: Facet, told: Mapping[str, Any]) -> Panel:
    choices = tuple(_choice(facet.name, value, told) for value in facet.values)
    picked = any(choice.selected for choice in choices)
    span = facet.span or (None, None)
    price = told.get(PRICE, {}) if facet.name == PRICE else {}
    currency = next((v.value.get("currency", "") for v in facet.values if isinstance(v.value, dict)), "")
    return Panel(
        facet.name,
        field_label(facet.name),
        choices,
        facet.others,
        facet.name in OPEN or picked,
        price.get("min", span[0]) if price else None,
        price.get("max", span[1]) if price else None,
        currency,
    )


def _choice(field: str, value: FacetValue, told: Mapping[str, Any]) -> Choice:
    depth = str(value.value).count(CATEGORY_SEPARATOR) if field == CATEGORY else 0
    return Choice(_label(field, value), value.count, value.selected, _toggled(field, value, told), depth)


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


def _toggled(field: str, value: FacetValue, told: Mapping[str, Any]) -> str:
    """The filter with this value chosen, or no more chosen when it is."""
    changed = json.loads(json.dumps(told))
    into, name = changed, field
    if field.startswith(ATTRIBUTE):
        into, name = changed.setdefault(ATTRIBUTES, {}), field.removeprefix(ATTRIBUTE)
    before = into.pop(name, None)
    several = isinstance(value.value, str) and field not in SINGLE
    after = [each for each in before if each != value.value] if several and isinstance(before, list) else []
    if not value.selected:
        after.append(value.value)
    if after:
        into[name] = after if isinstance(value.value, str) else value.value
    if not changed.get(ATTRIBUTES, True):
        del changed[ATTRIBUTES]
    return compact_json(changed)


def _chip(term: Term, place: int, titles: Mapping[str, Product]) -> Chip:
    if isinstance(term, TextTerm):
        return Chip(t("quoted" if term.weight > 0 else "not_words", words=term.words), place)
    if isinstance(term, ProductTerm):
        product = titles.get(term.product_id)
        what = title_of(product) if product else term.product_id
        return Chip(t("chip_like" if term.weight > 0 else "chip_unlike", what=what), place)
    return Chip(t("your_photo"), place)


def _pages(query: Query, page: SearchPage, number: int) -> tuple[int, ...]:
    """The numbers of pages to offer: those around the present one. By relevance no last page is known."""
    more = len(page.hits) == query.k and query.offset + 2 * query.k <= MAX_REACH
    counted = page.total is not None and (query.sort != RELEVANCE or not query.terms)
    last = number + more
    if counted and more:
        last = max(last, min(-(-(page.total or 0) // query.k), MAX_REACH // query.k))
    around: Sequence[int] = range(max(1, number - AROUND), min(last, number + AROUND) + 1)
    return tuple(sorted({1, *around})) if last > 1 else ()
