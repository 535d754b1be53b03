"""The page "For you", and the shelves of the front page.

Who visits is known to the browser alone, which sends it in the body of a request and puts the HTML that comes back into
the page. Without scripts, or for a visitor who wants no personal recommendations, a page has what everybody sees.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Annotated

from flask import Blueprint, Response, current_app, make_response, render_template, request
from pydantic import Field

from search.recommend.feed.feed_page import FOR_YOU, HOME, MAX_FEED, FeedRequest
from web.engine import get_engine
from web.middleware.consent import PARAMETER, personalising_refused_by, served_visitor
from web.middleware.response_headers import no_store
from web.personal.consent_view import consent_view
from web.personal.shelves import SHELF_CARDS, ShelfView, shelf_views
from web.requests.page_request import MAX_VIEWED
from web.requests.recommend_request import EventParameters, ViewedId, Visitor
from web.requests.validation import Parameters, Whole, validate

MAX_DISMISSED = 100  # products; as many as personal.js remembers
MAX_RECENT = 5
LIST_CARDS = 15  # known visitors load the list twice: everybody's, and their own
bp = Blueprint("personal", __name__)


class ListParameters(Parameters):
    """Where the list begins, and whether the answer is the list alone, for a page that has the rest."""

    offset: Annotated[int, Whole, Field(ge=0, le=MAX_FEED - 1)] = 0
    part: str = ""


class Visit(Parameters):
    """What a browser knows of its visitor: the id, the products viewed, newest first, and those not wanted."""

    visitor: Visitor | None = None
    viewed: Annotated[tuple[ViewedId, ...], Field(max_length=MAX_VIEWED)] = ()
    dismissed: Annotated[tuple[ViewedId, ...], Field(max_length=MAX_DISMISSED)] = ()
    offset: Annotated[int, Whole, Field(ge=0, le=MAX_FEED - 1)] = 0


@bp.get("/for-you")
def for_you() -> str:
    """Render the page "For you" with what everybody sees, and with the switch; its script fetches the personal list."""
    sent = validate(ListParameters, {name: request.args[name] for name in ("offset", "part") if name in request.args})
    return render_template(
        "for_you_list.html" if sent.part == "list" else "for_you.html",
        consent=consent_view(),
        days=_days_stored(),
        offset=sent.offset,
        shelf=_listed("", FeedRequest(FOR_YOU, _page_size(sent.offset), sent.offset, personal=False)),
    )


@bp.post("/for-you")
def personal_list() -> Response:
    """Render a part of the list for one visitor."""
    visit = _read_visit()
    wanted = FeedRequest(FOR_YOU, _page_size(visit.offset), visit.offset, personal=_agreed())
    shelf = _listed(_visitor(visit), replace(wanted, viewed=_oldest_first(visit)), visit)
    page = render_template("for_you_list.html", consent=consent_view(), offset=visit.offset, shelf=shelf)
    return no_store(make_response(page))


@bp.post("/shelves")
def front_shelves() -> Response:
    """Render the shelves of the front page for one visitor, and what the visitor viewed last."""
    visit = _read_visit()
    wanted = FeedRequest(HOME, SHELF_CARDS, viewed=_oldest_first(visit), personal=_agreed())
    shelves = shelf_views(_visitor(visit), wanted, frozenset(visit.dismissed))
    found = get_engine().find(visit.viewed) if visit.viewed and _agreed() else {}
    recent = [found[product_id] for product_id in dict.fromkeys(visit.viewed) if product_id in found][:MAX_RECENT]
    return no_store(make_response(render_template("front_shelves.html", shelves=shelves, recent=recent)))


def _days_stored() -> int:
    """Return for how many days events are stored; 0 when there is no limit."""
    log = get_engine().recommender.events
    return 0 if log is None else math.ceil(log.limits.days)


def _read_visit() -> Visit:
    """Return what the browser sent. Raises BadQuery."""
    lists = {name: request.form.getlist(name) for name in ("viewed", "dismissed")}
    return validate(Visit, request.form.to_dict() | lists)


def _agreed() -> bool:
    """Return whether nothing forbids to serve by what the visitor did, the address neither. Raises BadQuery."""
    sent = {PARAMETER: request.args[PARAMETER]} if PARAMETER in request.args else {}
    return not personalising_refused_by(validate(EventParameters, sent).personalise)


def _visitor(visit: Visit) -> str:
    return served_visitor(visit.visitor or "", _agreed())


def _oldest_first(visit: Visit) -> tuple[str, ...]:
    return tuple(reversed(dict.fromkeys(visit.viewed))) if _agreed() else ()


def _page_size(offset: int) -> int:
    """Return how many products a page of the list has, within what a page of results and a feed have."""
    return min(LIST_CARDS, int(current_app.config["PAGE_HITS"]), MAX_FEED - offset)


def _listed(visitor: str, wanted: FeedRequest, visit: Visit | None = None) -> ShelfView | None:
    views = shelf_views(visitor, wanted, frozenset(visit.dismissed) if visit else ())
    return views[0] if views else None
