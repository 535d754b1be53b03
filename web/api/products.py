"""Put and delete products. The routes need a key with the scope "write"."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, make_response, request

from search.connect.product_batch import CREATED, FAILED, UNCHANGED, UPDATED, RowResult, put_one
from search.connect.product_batch import put_batch as put_batch_of
from web.api.search import product_json
from web.engine import get_engine
from web.errors import public_error
from web.requests.product_request import read_batch, read_product_row
from web.urls import product_url

bp = Blueprint("catalogue", __name__)


@bp.put("/api/v1/products/<id:product_id>")
def put(product_id: str) -> Response:
    """Add or change a product; fields left out keep their values. Answers once the change is durable and served."""
    row = read_product_row(product_id, request)
    written = put_one(get_engine(), row, current_app.config["FETCH_RULES"])
    response = make_response(jsonify(product_json(written.product)), 201 if written.created else 200)
    if written.created:
        response.headers["Location"] = product_url(written.product.id)
    return response


@bp.put("/api/v1/products")
def put_batch() -> Response:
    """Add or change up to 500 products, each by itself; the answer has a result for every row, in their order."""
    rows, refetch = read_batch(request)
    results = put_batch_of(get_engine(), rows, current_app.config["FETCH_RULES"], refetch)
    counts = Counter(result.status for result in results)
    return jsonify(
        **{status: counts[status] for status in (CREATED, UPDATED, UNCHANGED, FAILED)},
        results=[_row_json(number, result) for number, result in enumerate(results)],
        request_id=g.request_id,
    )


def _row_json(number: int, result: RowResult) -> dict[str, Any]:
    row: dict[str, Any] = {"row": number, "id": result.product_id, "status": result.status}
    if result.error is not None:
        row |= {"field": result.bad_field, "error": public_error(result.error)}
    return row | ({"notes": list(result.notes)} if result.notes else {})


@bp.delete("/api/v1/products/<id:product_id>")
def remove(product_id: str) -> Response:
    """Delete a product. Answers once the change is durable and served."""
    get_engine().remove(product_id)
    return make_response("", 204)
