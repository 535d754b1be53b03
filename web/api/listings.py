"""Suggest how to list the pictures of one product, and return the values to choose from.

The blueprint, whose routes need a key with the scope "write", holds the routes of bulk jobs (`jobs.py`) too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request

import search.listings
from catalog import images
from search.listings.decision_store import DECISION_PREFIX
from web.engine import get_engine
from web.i18n.language import field_label, title_of, value_label
from web.prices.merchant.shop_advice import with_demand
from web.requests.listing_request import read_listing
from web.settings import Settings
from web.urls import THUMBNAIL_SIZES, picture_url, product_url

DETAILED_NEIGHBOURS = 6  # neighbours of each proposed category that are sent with title, address and picture
DETAILED_DUPLICATES = 8
SUGGESTERS = "windowshop.suggesters"
bp = Blueprint("merchant", __name__)


def init_app(app: Flask, settings: Settings) -> None:
    """Prepare the suggesters, which load numpy and are made on first use; `jobs.init_app` registers the routes."""
    app.extensions[SUGGESTERS] = cache(lambda: search.listings.SuggesterCache(settings.home))


@bp.post("/api/v1/listings/suggest")
def suggest() -> Response:
    """Suggest a listing for pictures of one product.

    The answer holds category, attributes, title words, price range, notes on the pictures, and duplicates.
    """
    files, pictures, title = read_listing(request)
    suggestion = _suggester().suggest(pictures, title).to_dict()
    suggestion["price"] = with_demand(suggestion["price"], suggestion["category"]["answer"])
    hashes = [images.content_hash(data) for data in files]
    found = search.find_duplicates(get_engine(), pictures, title, hashes=hashes)
    duplicates = [duplicate.to_dict() for duplicate in found]
    groups = [label["neighbours"] for label in suggestion["category"]["top"]]
    groups.append([neighbour["id"] for neighbour in suggestion["neighbours"]])
    ids = [product_id for group in groups for product_id in product_ids(group)[:DETAILED_NEIGHBOURS]]
    ids += [duplicate["id"] for duplicate in duplicates[:DETAILED_DUPLICATES]]
    return jsonify(
        suggestion | {"duplicates": duplicates, "products": product_summaries(ids), "request_id": g.request_id}
    )


@bp.get("/api/v1/listings/choices")
def choices() -> Response:
    """Return the known values of each field, and the names of fields and values in the language of the request."""
    fields = _suggester().choices()
    names = {field: field_label(field) for field in fields}
    values = {field: _value_labels(field, known) for field, known in fields.items()}
    return jsonify(fields=fields, names=names, values=values, request_id=g.request_id)


def product_summaries(ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return title, address and picture by id of the products among these ids. Raises what `get_engine` raises."""
    summaries: dict[str, dict[str, str]] = {}
    for product_id, product in get_engine().find(list(dict.fromkeys(ids))).items():
        picture = picture_url(product.pictures[0].sha256, min(THUMBNAIL_SIZES)) if product.pictures else ""
        summaries[product_id] = {"title": title_of(product), "url": product_url(product_id), "picture_url": picture}
    return summaries


def product_ids(neighbours: Iterable[str]) -> list[str]:
    """Return the ids of products among neighbours, which may be earlier decisions too."""
    return [neighbour for neighbour in neighbours if not neighbour.startswith(DECISION_PREFIX)]


def _value_labels(field: str, values: Sequence[str]) -> dict[str, str]:
    return {value: label for value in values if (label := value_label(field, value)) != value}


def _suggester() -> search.listings.FeedbackSuggester:
    suggesters: search.listings.SuggesterCache = current_app.extensions[SUGGESTERS]()
    return suggesters.get(get_engine())
