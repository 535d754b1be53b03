"""The JSON API: search, product, similar; and whether the server lives and is ready."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, jsonify, make_response, request

from catalog.errors import WindowshopError
from catalog.product import Picture, Product
from search.hits import SearchPage, product_facts
from web.addresses import ends_inside_id, picture_url, product_url
from web.engine import get_engine
from web.errors import RETRY_AFTER, public_words
from web.questions import query_of, whole

HIT_SIZE = 320
bp = Blueprint("api", __name__)


@bp.post("/api/v1/search")
def search() -> Response:
    """Products for a picture, words, a product, or any of them together."""
    engine = get_engine()
    return jsonify(page_json(engine.search(query_of(request))))


@bp.get("/api/v1/products/<id:product_id>")
def product(product_id: str) -> Response:
    """One product, whole."""
    return jsonify(product_json(get_engine().product(product_id)))


@bp.get("/api/v1/products/<id:product_id>/similar")
def similar(product_id: str) -> Response:
    """Products like this one, itself left out."""
    if ends_inside_id(request):
        return product(f"{product_id}/similar")
    k = whole(request.args.get("k", "10"), "k")
    return jsonify(page_json(get_engine().similar(product_id, k)))


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


def page_json(page: SearchPage) -> dict[str, Any]:
    """A page of results: the shape that the command line prints too, with addresses added."""
    answer = page.to_dict()
    for hit in answer["hits"]:
        hit["url"] = product_url(hit["id"])
        hit["picture_url"] = picture_url(hit["picture"], HIT_SIZE)
    return answer | {"request_id": g.request_id}


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
