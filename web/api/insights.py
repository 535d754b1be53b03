"""The owner's week over HTTP: figures and tables, and each table as CSV. Keys need the scope "admin"."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, abort, current_app, g, jsonify

from catalog.product import Product
from catalog.reviews.review_reader import ReviewReader
from catalog.storage.opening import open_catalogue
from search.listings.decision_store import DecisionStore
from search.ops.insights import TABLES, Insights, ShopRecords
from search.reviews.insights.review_insights import Disappointment, FallenAspect, review_insights
from web.engine import get_engine
from web.i18n.language import title_of
from web.middleware.query_logging import search_counts
from web.middleware.response_headers import csv_file

bp = Blueprint("insights", __name__)


@bp.get("/api/v1/ops/insights")
def insights() -> Response:
    """Return the week's searches, clicks, carts, products and merchants' work, compared with the week before."""
    return jsonify(_insights().to_dict() | {"request_id": g.request_id})


@bp.get("/api/v1/ops/insights/<table>.csv")
def table(table: str) -> Response:
    """Return a table of the week. Formulas are escaped for spreadsheets."""
    if table not in TABLES:
        abort(404)
    return csv_file(_insights().csv(table), f"{table.replace('_', '-')}.csv")


@bp.get("/api/v1/ops/reviews")
def reviews() -> Response:
    """Return what reviews of a year tell: aspects that fell this month, sizes and colours that disappoint."""
    engine = get_engine()
    found = review_insights(ReviewReader(engine.home))
    rows: list[FallenAspect | Disappointment] = [*found.fallen, *found.sizes, *found.colours]
    products = engine.find([row.product_id for row in rows if row.product_id])

    def listed(some: Sequence[FallenAspect | Disappointment]) -> list[dict[str, Any]]:
        return [asdict(row) | {"title": _title(products.get(row.product_id))} for row in some]

    shown = {"fallen": listed(found.fallen), "sizes": listed(found.sizes), "colours": listed(found.colours)}
    counts = {"month_opinions": found.month_opinions, "year_opinions": found.year_opinions}
    return jsonify(shown | counts | {"request_id": g.request_id})


def _title(product: Product | None) -> str:
    return "" if product is None else title_of(product)


def _insights() -> Insights:
    engine = get_engine()
    home = engine.home

    def ids() -> list[str]:
        with closing(open_catalogue(home)) as catalogue:
            return [product_id for _, product_id in catalogue.ids()]

    counts, least = search_counts(current_app), current_app.config["LEAST_VISITORS"]
    events, decisions, key = engine.recommender.events, DecisionStore(home), engine.key
    return Insights(ShopRecords(counts, events, decisions, ids, engine.find, title_of, least, key))
