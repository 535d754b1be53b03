"""Suggest words, kinds, brands and products while a shopper types. What is typed is not logged."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, request

from catalog.product import Product, levels_of
from search.hits import product_facts
from search.query.filters import BRAND, CATEGORY
from search.suggest.highlight import parts_of
from search.suggest.suggestions import BrandSuggestion, KindSuggestion, WordSuggestion
from web.api.search import picture_addresses
from web.engine import get_engine
from web.i18n.language import title_of, value_label
from web.i18n.languages import ENGLISH
from web.middleware.query_logging import frequent_searches
from web.middleware.response_headers import no_store
from web.requests.page_request import category_url, compact_json
from web.requests.suggest_request import SuggestParameters
from web.requests.validation import validate
from web.urls import api_url, product_url, search_url

THUMBNAIL_SIZE = 128  # pixels
bp = Blueprint("suggestions", __name__)


@bp.get("/api/v1/suggest")
def suggest() -> Response:
    """Return texts to search for, kinds, brands and products for a text that is being typed.

    Each leads to something that is in the shop now.
    """
    engine = get_engine()
    parameters = validate(SuggestParameters, request.args.to_dict())
    g.language = parameters.lang or ENGLISH
    found = engine.suggest(parameters.q, parameters.limit, frequent_searches(current_app))
    typed = found.spelling or parameters.q
    response = jsonify(
        text=parameters.q,
        spelling=found.spelling or None,
        words=[_word_json(word, parameters.q) for word in found.words],
        kinds=[_kind_json(kind, typed) for kind in found.kinds],
        brands=[_brand_json(brand, typed) for brand in found.brands],
        products=[_product_json(product, typed) for product in found.products],
        degraded=list(found.degraded),
        request_id=g.request_id,
    )
    return no_store(response)


def _word_json(word: WordSuggestion, typed: str) -> dict[str, Any]:
    facts = {"text": word.text, "products": word.products, "corrected": word.corrected}
    return facts | {"marked": parts_of(word.text, typed), "url": search_url(q=word.text)}


def _kind_json(kind: KindSuggestion, typed: str) -> dict[str, Any]:
    name = levels_of(value_label(CATEGORY, kind.category))[-1]
    facts = {"category": kind.category, "name": name, "products": kind.products}
    url = category_url(kind.category)
    return facts | {"marked": parts_of(name, typed), "url": url}


def _brand_json(brand: BrandSuggestion, typed: str) -> dict[str, Any]:
    url = search_url(filter=compact_json({BRAND: brand.brand}))
    return {"brand": brand.brand, "products": brand.products, "marked": parts_of(brand.brand, typed), "url": url}


def _product_json(product: Product, typed: str) -> dict[str, Any]:
    picture = product.pictures[0].sha256 if product.pictures else ""
    facts = product_facts(product) | {"title": title_of(product)}
    return facts | {
        "marked": parts_of(facts["title"], typed),
        "picture": picture,
        **picture_addresses(picture, THUMBNAIL_SIZE),
        "url": api_url(product_url(product.id)),
    }
