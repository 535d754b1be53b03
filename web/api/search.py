"""The JSON API: search, product, similar; and whether the server lives and is ready."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g, jsonify, make_response, request

from catalog.errors import WindowshopError
from catalog.product import Picture, Product
from search.hits import SearchPage, product_facts
from search.recommend.event_log import parse_events
from web.engine import get_engine
from web.errors import RETRY_AFTER, public_words
from web.middleware.query_logging import logged_search
from web.middleware.request_context import note_page, query_text
from web.middleware.uploads import body_of
from web.requests.recommend_request import RecommendationParameters, Viewed
from web.requests.search_request import effective_timeout, read_search_request
from web.requests.validation import json_object, validate
from web.urls import ends_inside_id, picture_url, product_url

if TYPE_CHECKING:
    from search.explain.explainer import Region
    from search.recommend.substitutes import Recommendation

HIT_SIZE = 320
REGION_HITS = 10
bp = Blueprint("api", __name__)


@bp.post("/api/v1/search")
def search() -> Response:
    """Products for a picture, words, a product, or any of them together."""
    engine = get_engine()
    asked = read_search_request(request, engine)
    began = monotonic()
    page = logged_search(engine, asked.query)
    answer = page_json(page, query_text(asked.query))
    if asked.detect_objects is not None:
        left = max(1, (asked.query.timeout_ms or 0) - round((monotonic() - began) * 1000))
        found = engine.detect_objects(asked.detect_objects, min(asked.query.k, REGION_HITS), page.query.filter, left)
        answer["regions"] = [{**region.to_dict(), "hits": hits_json(region)} for region in found.items]
        answer["degraded"] += found.degraded
    return jsonify(answer)


@bp.post("/api/v1/products/<id:product_id>/why")
def why(product_id: str) -> Response:
    """Why this product answers a search, which is sent as it was for the search, and where its picture matches."""
    engine = get_engine()
    closer = engine.explain_hit(read_search_request(request, engine, detailed=True).query, product_id)
    answer = closer.to_dict() | {"url": product_url(product_id)}
    answer["picture_url"] = picture_url(answer["picture"], HIT_SIZE)
    return jsonify(answer | {"request_id": g.request_id})


@bp.get("/api/v1/products/<id:product_id>")
def product(product_id: str) -> Response:
    """One product, whole."""
    return jsonify(product_json(get_engine().product(product_id)))


@bp.get("/api/v1/products/<id:product_id>/similar")
def similar(product_id: str) -> Response:
    """Products like this one, itself left out."""
    if ends_inside_id(request):
        return product(f"{product_id}/similar")
    k, timeout_ms = _count_and_timeout()
    return jsonify(page_json(get_engine().similar(product_id, k, timeout_ms)))


@bp.get("/api/v1/products/<id:product_id>/substitutes")
def substitutes(product_id: str) -> Response:
    """What can be had instead of this product: in stock, and near in price."""
    if ends_inside_id(request):
        return product(f"{product_id}/substitutes")
    return jsonify(recommended_json(get_engine().recommender.substitutes(product_id, *_count_and_timeout())))


@bp.get("/api/v1/products/<id:product_id>/goes-with")
def goes_with(product_id: str) -> Response:
    """Products of other categories that suit this one."""
    if ends_inside_id(request):
        return product(f"{product_id}/goes-with")
    return jsonify(recommended_json(get_engine().recommender.goes_with(product_id, *_count_and_timeout())))


@bp.post("/api/v1/recommend")
def recommend() -> Response:
    """What to show to somebody who viewed these products, oldest first."""
    engine = get_engine()
    body = validate(Viewed, json_object(body_of(request), Viewed.example))
    items = engine.recommender.session(body.viewed, body.k, effective_timeout(body.timeout_ms))
    return jsonify(recommended_json(items))


@bp.post("/api/v1/events")
def events() -> Response:
    """Views, clicks, carts and purchases, to recommend by; answered once they are kept."""
    engine = get_engine()
    kept = engine.recommender.record(parse_events(json_object(body_of(request))))
    return make_response(jsonify(kept=kept, request_id=g.request_id), 202)


@bp.get("/healthz")
def healthz() -> Response:
    """The process lives and answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
def readyz() -> Response:
    """The engine has encoded and searched once; until then 503 and why. `degraded` says what is amiss nevertheless."""
    try:
        status = get_engine().status()
    except WindowshopError as error:
        message, hint = public_words(error)
        body = {"error": {"code": error.code, "message": message, "hint": hint}, "request_id": g.request_id}
        answer = make_response(jsonify(ready=False, **body), 503)
        answer.headers["Retry-After"] = str(RETRY_AFTER)
        return answer
    return jsonify(
        ready=True,
        generation=status.generation,
        products=status.products,
        pictures=status.pictures,
        live=status.live,
        degraded=list(status.degraded),
    )


def _count_and_timeout() -> tuple[int, int]:
    """Return how many products to return, and the timeout in milliseconds. Raises BadQuery."""
    parameters = validate(RecommendationParameters, request.args.to_dict())
    return parameters.k, effective_timeout(parameters.timeout_ms)


def page_json(page: SearchPage, words: str = "") -> dict[str, Any]:
    """A page of results: the shape that the command line prints too, with addresses added."""
    answer = note_page(page, words).to_dict()
    return answer | {"hits": [addressed(hit) for hit in answer["hits"]], "request_id": g.request_id}


def hits_json(region: Region) -> list[dict[str, Any]]:
    """The hits of a part of a picture, with addresses added."""
    return [addressed(hit.to_dict(rank)) for rank, hit in enumerate(region.hits, 1)]


def addressed(item: dict[str, Any]) -> dict[str, Any]:
    """A product's facts with the addresses of its page and its picture."""
    return item | {"url": product_url(item["id"]), "picture_url": picture_url(item["picture"], HIT_SIZE)}


def recommended_json(items: Sequence[Recommendation]) -> dict[str, Any]:
    """Recommendations, best first, with addresses added."""
    listed = [addressed(item.to_dict(rank)) for rank, item in enumerate(items, 1)]
    return {"items": listed, "request_id": g.request_id}


def product_json(product: Product) -> dict[str, Any]:
    """A product as the API gives it, whole: what a hit tells of it, and its attributes, words and pictures."""
    return {
        **product_facts(product),
        "attributes": dict(product.attributes),
        "description": product.description,
        "url": product_url(product.id),
        "pictures": [picture_json(picture) for picture in product.pictures],
        "request_id": g.request_id,
    }


def picture_json(picture: Picture) -> dict[str, Any]:
    """A picture: its content hash, its size in pixels, and where a small copy of it is served."""
    return {
        "picture": picture.sha256,
        "width": picture.width,
        "height": picture.height,
        "picture_url": picture_url(picture.sha256, HIT_SIZE),
    }
