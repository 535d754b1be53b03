"""Read what a results page is requested with, from its URL or its form, and build the query of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flask import Request, current_app
from werkzeug.datastructures import FileStorage, MultiDict

from catalog.errors import BadQuery, BadRow
from catalog.money.prices import parse_price
from search.query.builder import QueryBuilder
from search.query.filters import CATEGORY, PRICE, Filter, parse_filter, read_filter
from search.query.terms import RELEVANCE, Query
from web.errors import BadPrice, IncompleteLink
from web.middleware.uploads import picture_of_file
from web.requests.search_models import crop_box
from web.requests.validation import check, whole_number
from web.try_photos import get_try_photo, picture_of
from web.urls import search_url

if TYPE_CHECKING:
    from PIL.Image import Image

    from search.engine import SearchEngine

MAX_VIEWED = 24  # products
_PHOTO_NAME = re.compile(r"[a-z0-9]{0,16}")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The fields of a results page.

    A text (`words`), the id of a product to resemble (`like`), the name of a `photo` to try; or the `refine` token of
    an earlier page, without its term number `drop`, with the terms of the token `also`, with products to be `more` or
    `less` like. `filter` is None where the request has none; `shown` is the name under which the browser stores an
    uploaded photo.
    """

    words: str = ""
    like: str = ""
    photo: str = ""
    refine: str = ""
    also: str = ""
    shown: str = ""
    filter: Filter | None = None
    sort: str = ""
    offset: int = 0
    more: tuple[str, ...] = ()
    less: tuple[str, ...] = ()
    drop: int | None = None

    def __bool__(self) -> bool:
        return bool(self.words or self.like or self.photo or self.refine or self.filter is not None)

    @property
    def named(self) -> bool:
        """Whether the URL can name everything, so that it needs no token."""
        return not (self.refine or self.more or self.less)

    def fields(self) -> dict[str, str]:
        """Return text, product and photo as fields of a URL, without filter and sort order."""
        fields = {"q": self.words, "like": self.like, "photo": self.photo}
        return {name: value for name, value in fields.items() if value}


@dataclass(frozen=True, slots=True)
class PageQuery:
    """The query of a page, and its picture, uploaded or a photo to try."""

    query: Query
    picture: Image | None = None


def read_page_request(request: Request) -> PageRequest:
    """Read the fields of a request for a page. Raises BadQuery."""
    return page_request_of(request.values)


def page_request_of(values: MultiDict[str, str]) -> PageRequest:
    """Read the fields of a page from those of an address or a form. Raises BadQuery."""
    shown = values.get("shown", "")
    drop = values.get("drop")
    return PageRequest(
        words=values.get("q", "").strip(),
        like=values.get("like", ""),
        photo=values.get("photo", ""),
        refine=values.get("refine", ""),
        also=values.get("also", ""),
        shown=shown if _PHOTO_NAME.fullmatch(shown) else "",
        filter=_read_filter(values),
        sort=values.get("sort", ""),
        offset=check(whole_number, values.get("offset") or 0, "offset"),
        more=tuple(values.getlist("more")[:MAX_VIEWED]),
        less=tuple(values.getlist("less")[:MAX_VIEWED]),
        drop=None if drop is None else check(whole_number, drop, "drop"),
    )


def query_from_page(
    page_request: PageRequest, engine: SearchEngine, upload: FileStorage | None = None, crop: str = ""
) -> PageQuery:
    """Build the query of a page. Raises BadQuery, BadPicture; aborts with 404 for an unknown photo to try."""
    base = _base_query(page_request, engine)
    options: dict[str, Any] = {
        "k": current_app.config["PAGE_HITS"],
        "offset": page_request.offset,
        "facets": True,
        "group_variants": True,
        "timeout_ms": current_app.config["TIMEOUT_MS"],
    }
    if page_request.sort:
        options["sort"] = page_request.sort
    if page_request.filter is not None:
        # Without terms, a filter that lets everything pass asks to browse the whole shop.
        selects = page_request.fields() or upload if base is None else base.terms
        options["filter"] = None if selects and not page_request.filter.conditions else page_request.filter
    builder = QueryBuilder(base, **options).feedback(page_request.more, page_request.less)
    if page_request.words:
        builder.text(page_request.words)
    if page_request.like:
        builder.product(page_request.like)
    picture = None
    if upload is not None:
        box = check(crop_box, crop, "crop") if crop else None
        picture = picture_of_file(upload, box)
        builder.picture(picture, cropped=box is not None)
    elif page_request.photo:
        picture = picture_of(get_try_photo(page_request.photo))
        builder.picture(picture)
    return PageQuery(builder.build(), picture)


def compact(filter: Filter | None) -> str:
    """Return a filter as compact JSON; empty when it lets everything pass."""
    return compact_json(filter.to_json()) if filter is not None and filter.conditions else ""


def compact_json(value: Mapping[str, Any]) -> str:
    """Return JSON without spaces, as URLs carry it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def category_url(path: str) -> str:
    """Return the URL of a category's products, as their own page names it."""
    return search_url(filter=compact_json({CATEGORY: [path]}))


def _base_query(page_request: PageRequest, engine: SearchEngine) -> Query | None:
    if not page_request.refine:
        return None
    base = _query_of(page_request.refine, engine)
    if page_request.also:
        other = _query_of(page_request.also, engine)
        base = replace(base, terms=base.terms + other.terms, filter=base.filter or other.filter)
    if page_request.drop is None:
        return base
    terms = tuple(term for number, term in enumerate(base.terms) if number != page_request.drop)
    return replace(base, terms=terms, filter=base.filter if terms else base.filter or Filter())


def _query_of(token: str, engine: SearchEngine) -> Query:
    try:
        return engine.query_of(token)
    except BadQuery as error:
        raise IncompleteLink(error.message, error.hint) from None


def _filter_of(text: str) -> Filter:
    try:
        return read_filter(text)
    except BadQuery as error:
        raise IncompleteLink(error.message, error.hint) from None


def _read_filter(values: MultiDict[str, str]) -> Filter | None:
    """Return the last `filter` field, with the price range of the fields `min`, `max` and `currency`."""
    sent = [text for text in values.getlist("filter") if text]
    narrowed = _filter_of(sent[-1]) if sent else None
    if "min" not in values and "max" not in values:
        return narrowed
    fields = (narrowed or Filter()).without(PRICE).to_json()
    currency = values.get("currency", "")
    least, most = (_parse_price(values.get(name, "").strip(), name, currency) for name in ("min", "max"))
    if least is not None and most is not None and least > most:
        least, most = most, least
    price: dict[str, Any] = {name: bound for name, bound in (("min", least), ("max", most)) if bound is not None}
    if price and currency:
        price["currency"] = currency
    return parse_filter(fields | ({PRICE: price} if price else {}))


def _parse_price(text: str, name: str, currency: str) -> float | None:
    """Read the price in a box, as shops write theirs; the currency of the range helps, but the box may name another."""
    for known in (currency, ""):
        with suppress(BadRow):
            amount = parse_price(text, known)[0]
            return None if amount is None else float(amount)
    raise BadPrice(f"The price {text[:40]!r} is no number.", f"For example {name}=25.")


def sort_of(query: Query) -> str:
    """Return the sort order of a query as a field of a URL: empty for relevance."""
    return "" if query.sort == RELEVANCE else query.sort
