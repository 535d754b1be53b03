"""The JSON API that changes the catalogue: put and remove a product. A key with the scope "write" opens it."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response, request

from web.api.search import product_json
from web.engine import get_engine
from web.requests.product_request import edit_of_request
from web.urls import product_url

bp = Blueprint("catalogue", __name__)


@bp.put("/api/v1/products/<id:product_id>")
def put(product_id: str) -> Response:
    """Add or change a product; what is left out stays as it was. Answered once it is durable and can be found."""
    written = get_engine().put(edit_of_request(product_id, request))
    answer = make_response(jsonify(product_json(written.product)), 201 if written.created else 200)
    if written.created:
        answer.headers["Location"] = product_url(written.product.id)
    return answer


@bp.delete("/api/v1/products/<id:product_id>")
def remove(product_id: str) -> Response:
    """Remove a product; answered once that is durable and it can be found no more."""
    get_engine().remove(product_id)
    return make_response("", 204)
