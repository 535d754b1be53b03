"""Put and delete products. The routes need a key with the scope "write"."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response, request

from web.api.search import product_json
from web.engine import get_engine
from web.requests.product_request import read_product_edit
from web.urls import product_url

bp = Blueprint("catalogue", __name__)


@bp.put("/api/v1/products/<id:product_id>")
def put(product_id: str) -> Response:
    """Add or change a product; fields left out keep their values. Answers once the change is durable and served."""
    written = get_engine().put(read_product_edit(product_id, request))
    response = make_response(jsonify(product_json(written.product)), 201 if written.created else 200)
    if written.created:
        response.headers["Location"] = product_url(written.product.id)
    return response


@bp.delete("/api/v1/products/<id:product_id>")
def remove(product_id: str) -> Response:
    """Delete a product. Answers once the change is durable and served."""
    get_engine().remove(product_id)
    return make_response("", 204)
