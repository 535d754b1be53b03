"""Search, products, recommendations, events, health: the part of the JSON API that shoppers' clients use."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g, jsonify, make_response, request

from catalog.errors import WindowshopError
from catalog.product import Picture, Product
from search.hits import SearchHit, SearchPage, product_facts
from web.engine import get_engine
from web.errors import RETRY_AFTER_S, error_json, public_words
from web.middleware import consent
from web.middleware.query_logging import logged_search, query_id
from web.middleware.request_context import note_page, query_text
from web.middleware.uploads import body_of
from web.prices.lowest_prices import lowest_field, note_products
from web.requests.recommend_request import EventParameters, Events, RecommendationParameters, Viewed, parse_events
from web.requests.search_request import effective_timeout, read_search_request
from web.requests.validation import json_object, validate
from web.urls import api_base, api_url, ends_inside_id, picture_url, picture_urls, product_url

if TYPE_CHECKING:
    from search.engine_status import EngineStatus
    from search.recommend.content.substitutes import Recommendation

PICTURE_SIZE = 320  # pixels
MAX_REGION_HITS = 10
bp = Blueprint("api", __name__)


@bp.post("/api/v1/search")
def search() -> Response:
    """Find products by picture, text, product, or any of them together."""
    engine = get_engine()
    search_request = read_search_request(request, engine)
    query, picture = search_request.query, search_request.detect_objects
    began = monotonic()
    # Objects are an offer that follows a search for the same photo, which was counted.
    page = logged_search(engine, query) if picture is None else engine.search(query)
    payload = page_json(page, query_text(query))
    if picture is not None:
        left_ms = max(1, (query.timeout_ms or 0) - round((monotonic() - began) * 1000))
        regions = engine.detect_objects(picture, min(query.k, MAX_REGION_HITS), page.query.filter, left_ms)
        payload["regions"] = [region.to_dict() | {"hits": items_json(region.hits)} for region in regions.items]
        payload["degraded"] += regions.degraded
    return jsonify(payload)


@bp.post("/api/v1/products/<id:product_id>/why")
def why(product_id: str) -> Response:
    """Explain why a product matches a search, given by the same body as the search, and where its picture matches."""
    engine = get_engine()
    query = read_search_request(request, engine, detailed=True).query
    return jsonify(addressed(engine.explain_hit(query, product_id).to_dict()) | {"request_id": g.request_id})


@bp.get("/api/v1/products/<id:product_id>")
def product(product_id: str) -> Response:
    """Return all fields of one product."""
    return jsonify(product_json(get_engine().product(product_id)))


@bp.get("/api/v1/products/<id:product_id>/similar")
def similar(product_id: str) -> Response:
    """Return products similar to this one, without the product itself."""
    if ends_inside_id(request):
        return product(f"{product_id}/similar")
    return jsonify(page_json(get_engine().similar(product_id, *_count_and_timeout())))


@bp.get("/api/v1/products/<id:product_id>/substitutes")
def substitutes(product_id: str) -> Response:
    """Return substitutes for a product: in stock and near in price."""
    if ends_inside_id(request):
        return product(f"{product_id}/substitutes")
    return _recommendations(get_engine().recommender.substitutes(product_id, *_count_and_timeout()))


@bp.get("/api/v1/products/<id:product_id>/goes-with")
def goes_with(product_id: str) -> Response:
    """Return products of other categories that go with this one."""
    if ends_inside_id(request):
        return product(f"{product_id}/goes-with")
    return _recommendations(get_engine().recommender.goes_with(product_id, *_count_and_timeout()))


@bp.post("/api/v1/recommend")
def recommend() -> Response:
    """Recommend products to a visitor who viewed these products; they are not used where the visitor refuses."""
    engine = get_engine()
    personalise = validate(EventParameters, request.args.to_dict()).personalise
    body = validate(Viewed, json_object(body_of(request), Viewed.example))
    viewed = [] if consent.personalising_refused_by(personalise) else body.viewed
    return _recommendations(engine.recommender.session(viewed, body.k, effective_timeout(body.timeout_ms)))


@bp.post("/api/v1/events")
def events() -> Response:
    """Store views, clicks, carts and purchases, from which recommendations are made. Answers once they are stored.

    Stores nothing of visitors who do not agree: `kept` is 0, and `refused_by` says who refused. Events on products that
    the shop does not have are left out, and `unknown_products` counts those products.
    """
    engine = get_engine()
    personalise = validate(EventParameters, request.args.to_dict()).personalise
    sent = parse_events(json_object(body_of(request), Events.example))
    refused_by = consent.recording_refused_by(personalise)
    count, unknown = (0, 0) if refused_by else engine.recommender.record(sent)
    answer = {"kept": count, "unknown_products": unknown, "refused_by": refused_by or None}
    return make_response(jsonify(**answer, request_id=g.request_id), 202)


@bp.get("/healthz")
def healthz() -> Response:
    """Return 200 while the process runs."""
    return jsonify(status="ok")


@bp.get("/readyz")
def readyz() -> Response:
    """Return 200 once the engine is open and warm, 503 with the reason before. `degraded` lists partial failures."""
    try:
        return jsonify(status_json(get_engine().status(), "generation products pictures live"))
    except WindowshopError as error:
        response = make_response(jsonify(ready=False, **error_json(error.code, *public_words(error))), 503)
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
        return response


def status_json(status: EngineStatus, fields: str) -> dict[str, Any]:
    """Return what a ready engine serves: the named fields, and what is degraded."""
    return {"ready": True, "degraded": list(status.degraded)} | {name: getattr(status, name) for name in fields.split()}


def _count_and_timeout() -> tuple[int, int]:
    """Return how many products the request asks for, and the timeout in milliseconds. Raises BadQuery."""
    parameters = validate(RecommendationParameters, request.args.to_dict())
    return parameters.k, effective_timeout(parameters.timeout_ms)


def page_json(page: SearchPage, text: str = "") -> dict[str, Any]:
    """Return a page of results: the JSON of the command line with addresses added."""
    payload = note_page(page, text).to_dict()
    note_products(hit.product for hit in (*page.hits, *page.near))
    base = api_base()
    for name, hits in (("hits", page.hits), ("near", page.near)):
        payload[name] = [
            addressed(values, base) | lowest_field(hit.product) for values, hit in zip(payload[name], hits, strict=True)
        ]
    return payload | {"query_id": query_id(page.query), "request_id": g.request_id}


def items_json(items: Sequence[SearchHit | Recommendation]) -> list[dict[str, Any]]:
    """Return hits or recommendations, best first, with addresses added."""
    note_products(item.product for item in items)
    base = api_base()
    return [addressed(item.to_dict(rank), base) | lowest_field(item.product) for rank, item in enumerate(items, 1)]


def addressed(item: dict[str, Any], base: str | None = None) -> dict[str, Any]:
    """Return a product's JSON with the addresses of its page and of its picture, which hold on other sites too.

    `base` is what `api_base` returns; a caller with several items looks it up once.
    """
    base = api_base() if base is None else base
    return {**item, "url": base + product_url(item["id"]), **picture_addresses(item["picture"], base=base)}


def picture_addresses(sha256: str, size: int = PICTURE_SIZE, base: str | None = None) -> dict[str, Any]:
    """Return the address of a picture at a size in pixels, and its addresses at all sizes; see `addressed`."""
    base = api_base() if base is None else base
    address = base + picture_url(sha256, size) if sha256 else ""
    return {"picture_url": address, "picture_urls": picture_urls(sha256, base)}


def product_json(product: Product) -> dict[str, Any]:
    """Return all fields of a product, with the addresses of its page and its pictures."""
    return {
        **product_facts(product),
        **lowest_field(product),
        "description": product.description,
        "url": api_url(product_url(product.id)),
        "pictures": [_picture_json(picture) for picture in product.pictures],
        "request_id": g.request_id,
    }


def _picture_json(picture: Picture) -> dict[str, Any]:
    size = {"width": picture.width, "height": picture.height}
    return {"picture": picture.sha256, **size, **picture_addresses(picture.sha256)}


def _recommendations(items: Sequence[Recommendation]) -> Response:
    return jsonify(items=items_json(items), request_id=g.request_id)
