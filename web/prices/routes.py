"""What products cost before, now and probably next: the API, and the section of a product's page."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, current_app, g, jsonify, make_response, request

from catalog.errors import WindowshopError
from catalog.product import Product, reduced_from
from search.pricing.price_page import ExpectedPrices, OfferedPrice, PricePage
from web.engine import get_engine
from web.prices.history.flag_views import FlagView, flag_views
from web.prices.history.section import PriceSection, price_section
from web.prices.history.wording import price_text, rounded
from web.prices.lowest_prices import SETTING, card_lowest, lowest_json, page_lowest
from web.prices.requests import PriceParameters
from web.requests.validation import validate
from web.settings import Settings
from web.urls import ends_inside_id

if TYPE_CHECKING:
    from search.pricing.flags.price_flag import PriceFlag

MAX_CHANGES = 2_000  # of one answer
log = logging.getLogger(__name__)
bp = Blueprint("prices", __name__)


@dataclass(frozen=True, slots=True)
class ProductPriceView:
    """What a product's page shows of its price."""

    section: PriceSection | None
    flags: tuple[FlagView, ...]


def init_app(app: Flask, settings: Settings) -> None:
    """Register the route, and let templates show prices."""
    app.config[SETTING] = settings.lowest_prices
    app.jinja_env.globals.update(
        price_text=price_text,
        product_prices=product_prices,
        card_lowest=card_lowest,
        page_lowest=page_lowest,
    )
    app.register_blueprint(bp)


@bp.get("/api/v1/products/<id:product_id>/prices")
def of_product(product_id: str) -> Response:
    """Return what a product costs, what it cost before, and what it is expected to cost.

    `price` is null while nobody could buy it: it was not in the shop, out of stock, or had no price.
    """
    if ends_inside_id(request):
        view = current_app.view_functions["api.product"]
        return make_response(view(product_id=f"{product_id}/prices"))
    wanted = validate(PriceParameters, request.args.to_dict())
    engine = get_engine()
    page = engine.prices.of(engine.product(product_id).id, wanted.since)
    return jsonify(price_json(page) | {"request_id": g.request_id})


def product_prices(product: Product) -> ProductPriceView | None:
    """Return what a product's page shows of its price; None where that cannot be read: the page is whole without."""
    try:
        page = get_engine().prices.of(product.id)
    except WindowshopError as error:
        log.error("The prices of product %r cannot be read: %s", product.id, error)
        return None
    return ProductPriceView(price_section(product, page, int(time.time())), flag_views(page.flags, product.currency))


def price_json(page: PricePage) -> dict[str, Any]:
    """Return what is known of a product's price as JSON values; amounts are exact texts."""
    listed = page.offered[-MAX_CHANGES:]
    current = None
    if page.current is not None and page.current.price is not None:
        before = reduced_from(page.current.price, page.current.list_price)
        current = {"price": str(page.current.price), "list_price": _text(before), "since": page.current.at}
    return {
        "product_id": page.product_id,
        "currency": page.current.currency if page.current else page.offered[-1].currency if page.offered else "",
        "current": current,
        "changes": [_offered_json(offer) for offer in listed],
        "left_out": len(page.offered) - len(listed),
        "complete": page.complete,
        "lowest_30_days": lowest_json(page.lowest) if page.lowest and current_app.config[SETTING] else None,
        "forecast": None if page.expected is None else _expected_json(page.expected, page.offered[-1].currency),
        "flags": [_flag_json(flag) for flag in page.flags],
    }


def _offered_json(offer: OfferedPrice) -> dict[str, Any]:
    return {
        "at": offer.at,
        "price": _text(offer.price),
        "list_price": _text(offer.list_price),
        "currency": offer.currency,
    }


def _expected_json(expected: ExpectedPrices, currency: str) -> dict[str, Any]:
    return {
        "made_at": expected.made_at,
        "model": expected.model,
        "level": expected.level,
        "flat": expected.flat,
        "weeks": [
            {"week_start": week.start}
            | {
                name: str(rounded(amount, currency))
                for name, amount in (("low", week.low), ("middle", week.middle), ("high", week.high))
            }
            for week in expected.weeks
        ],
    }


def _flag_json(flag: PriceFlag) -> dict[str, Any]:
    return {"code": flag.code, "precision": flag.precision, "n": flag.count, "measured": flag.measured}


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)
