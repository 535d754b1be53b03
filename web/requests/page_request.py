"""What a page of results is asked for, read from its address or its form, and the query that this is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flask import Request, current_app
from werkzeug.datastructures import FileStorage, MultiDict

from catalog.errors import BadQuery
from search.query.builder import QueryBuilder
from search.query.filters import PRICE, Filter, parse_filter, read_filter
from search.query.terms import RELEVANCE, Query
from web.middleware.uploads import picture_of_file
from web.requests.search_models import crop_box
from web.requests.validation import check, whole_number
from web.try_photos import get_try_photo, picture_of

if TYPE_CHECKING:
    from PIL.Image import Image

    from search.engine import SearchEngine

MOST_VIEWED = 24
_SHOWN = re.compile(r"[a-z0-9]{0,16}")
_PRICE = re.compile(r"\d{1,9}(?:[.,]\d{1,4})?")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The fields of a page.

    Words, the id of a product to `like`, the name of an offered `photo`; or a `refine` token that carries a question
    on, less its term number `drop`, with `more` and `less` like some products. `filter` is None where nothing is said
    of it; `shown` is the name under which the browser keeps the photo that was sent.
    """

    words: str = ""
    like: str = ""
    photo: str = ""
    refine: str = ""
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
        """Whether words and names tell it all, so that its address needs no token."""
        return not (self.refine or self.more or self.less)

    def fields(self) -> dict[str, str]:
        """What it asks for by name, as fields of an address; filter and order left out."""
        named = {"q": self.words, "like": self.like, "photo": self.photo}
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class PageQuery:
    """The query of a page, and the picture in it, if one was sent or offered."""

    query: Query
    picture: Image | None = None


def read_page_request(request: Request) -> PageRequest:
    """What a request for a page asks for. Raises BadQuery."""
    given = request.values
    shown = given.get("shown", "")
    drop = given.get("drop")
    return PageRequest(
        words=given.get("q", "").strip(),
        like=given.get("like", ""),
        photo=given.get("photo", ""),
        refine=given.get("refine", ""),
        shown=shown if _SHOWN.fullmatch(shown) else "",
        filter=_filter(given),
        sort=given.get("sort", ""),
        offset=check(whole_number, given.get("offset") or 0, "offset"),
        more=tuple(given.getlist("more")[:MOST_VIEWED]),
        less=tuple(given.getlist("less")[:MOST_VIEWED]),
        drop=None if drop is None else check(whole_number, drop, "drop"),
    )


def query_from_page(
    asked: PageRequest, engine: SearchEngine, upload: FileStorage | None = None, crop: str = ""
) -> PageQuery:
    """The query for what a page asks. Raises BadQuery and BadPicture, and UnknownProduct; 404 for an unknown photo."""
    base = _base(asked, engine)
    options: dict[str, Any] = {
        "k": current_app.config["PAGE_HITS"],
        "offset": asked.offset,
        "facets": True,
        "timeout_ms": current_app.config["TIMEOUT_MS"],
    }
    if asked.sort:
        options["sort"] = asked.sort
    if asked.filter is not None:
        # Without terms, a filter that lets everything pass asks to browse the whole shop.
        selects = asked.words or asked.like or asked.photo or upload if base is None else base.terms
        options["filter"] = None if selects and not asked.filter.conditions else asked.filter
    builder = QueryBuilder(base, **options).feedback(asked.more, asked.less)
    if asked.words:
        builder.text(asked.words)
    if asked.like:
        builder.product(asked.like)
    picture = None
    if upload is not None:
        box = check(crop_box, crop, "crop") if crop else None
        picture = picture_of_file(upload, box)
        builder.picture(picture, cropped=box is not None)
    elif asked.photo:
        picture = picture_of(get_try_photo(asked.photo))
        builder.picture(picture)
    return PageQuery(builder.build(), picture)


def compact(filter: Filter | None) -> str:
    """A filter as the shortest JSON; empty when it lets everything pass."""
    return compact_json(filter.to_json()) if filter is not None and filter.conditions else ""


def compact_json(told: Mapping[str, Any]) -> str:
    """JSON without spaces, as addresses carry it."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _base(asked: PageRequest, engine: SearchEngine) -> Query | None:
    if not asked.refine:
        return None
    base = engine.query_of(asked.refine)
    if asked.drop is None:
        return base
    kept = tuple(term for place, term in enumerate(base.terms) if place != asked.drop)
    return replace(base, terms=kept, filter=base.filter if kept else base.filter or Filter())


def _filter(given: MultiDict[str, str]) -> Filter | None:
    """The last filter that was sent, with the price that was typed in beside it."""
    sent = [each for each in given.getlist("filter") if each]
    found = read_filter(sent[-1]) if sent else None
    if "min" not in given and "max" not in given:
        return found
    told = (found or Filter()).without(PRICE).to_json()
    price: dict[str, Any] = {name: _price(given[name], name) for name in ("min", "max") if given.get(name, "").strip()}
    if price and given.get("currency"):
        price["currency"] = given["currency"]
    return parse_filter(told | ({PRICE: price} if price else {}))


def _price(typed: str, name: str) -> float:
    typed = typed.strip()
    if not _PRICE.fullmatch(typed):
        raise BadQuery(f"The price {typed[:40]!r} is no number.", f"For example {name}=25.")
    return float(typed.replace(",", "."))


def sort_of(query: Query) -> str:
    """The order of a query as a field of an address: nothing for the usual one."""
    return "" if query.sort == RELEVANCE else query.sort
