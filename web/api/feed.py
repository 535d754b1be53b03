"""The personal feed as JSON: what a shop shows to one visitor, with a reason for each product.

Addresses are absolute where the server knows its own, so that a mailer can use an answer as it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request

from web.api.search import addressed
from web.engine import get_engine
from web.i18n.language import title_of
from web.i18n.reasons import reason_text, shelf_heading
from web.middleware.consent import personalising_refused_by, served_visitor
from web.middleware.response_headers import no_store
from web.prices.lowest_prices import lowest_field, note_products
from web.requests.recommend_request import feed_request, read_feed_parameters
from web.requests.search_request import effective_timeout
from web.settings import Settings
from web.urls import api_url, product_url

if TYPE_CHECKING:
    from search.recommend.feed.feed_page import FeedItem, FeedPage, Shelf

HOME = "home"
bp = Blueprint("feed", __name__)


def init_app(app: Flask, settings: Settings) -> None:
    """Add the route."""
    app.config["FEED_REPEAT_SHARE"] = settings.feed_repeat_share
    app.register_blueprint(bp)


@bp.get("/api/v1/feed")
def feed() -> Response:
    """Return products for one visitor: a surface of the feed, or all shelves of the front page.

    What the visitor did counts at once. With `DNT: 1`, `Sec-GPC: 1` or `personalise=false` nothing personal is used.
    """
    engine = get_engine()
    parameters = read_feed_parameters(request)
    refused_by = personalising_refused_by(parameters.personalise)
    visitor = served_visitor(parameters.visitor or "", parameters.personalise)
    wanted = feed_request(parameters, not refused_by, current_app.config["FEED_REPEAT_SHARE"])
    page = engine.recommender.feed(visitor, wanted, effective_timeout(parameters.timeout_ms))
    note_products(item.product for shelf in page.shelves for item in shelf.items)
    shown = feed_json(page, parameters.surface) | {"refused_by": refused_by or None, "request_id": g.request_id}
    response = no_store(jsonify(shown))
    response.vary.update(("Accept-Language", "Cookie"))
    return response


def feed_json(page: FeedPage, surface: str) -> dict[str, Any]:
    """Return a feed as JSON values: the shelves of the front page, or the one shelf of another surface."""
    shelves = [shelf_json(shelf) for shelf in page.shelves]
    shown = {"surface": HOME, "shelves": shelves} if surface == HOME else shelves[0]
    return shown | {
        "personalised": page.personalised,
        "model": page.model,
        "arm": page.arm,
        "feed_id": page.feed_id,
    }


def shelf_json(shelf: Shelf) -> dict[str, Any]:
    """Return a shelf with its heading in the request's language and its items, best first."""
    because = None
    if shelf.because is not None:
        product = shelf.because
        because = {"id": product.id, "title": title_of(product), "url": api_url(product_url(product.id))}
    return {
        "surface": shelf.surface,
        "title": shelf_heading(shelf.surface, shelf.because, shelf.viewed),
        "because": because,
        "items": [_item_json(item, rank) for rank, item in enumerate(shelf.items, shelf.offset + 1)],
        "offset": shelf.offset,
        "k": shelf.k,
        "more": shelf.more,
    }


def _item_json(item: FeedItem, rank: int) -> dict[str, Any]:
    values = addressed(item.to_dict(rank)) | lowest_field(item.product)
    reason = item.reason
    return values | {"reason": values["reason"] | {"text": reason_text(reason.code, reason.product, reason.facts)}}
