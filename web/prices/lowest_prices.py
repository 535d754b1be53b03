"""The lowest price before each announced discount, which EU directive 98/6/EC Art. 6a asks shops to show."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import current_app, g

from catalog.errors import WindowshopError
from catalog.product import Product
from web.engine import get_engine
from web.i18n.money import money
from web.prices.history.wording import price_text

if TYPE_CHECKING:
    from catalog.price_history.readings import LowestPrice, Reduction

SETTING = "LOWEST_PRICES"
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _RequestPrices:
    """The products on sale of one request that may need their lowest price, and the reductions that were read."""

    wanted: set[str]
    read: dict[str, Reduction | None]


def note_products(products: Iterable[Product]) -> None:
    """Note products that an answer will show, so that the lowest prices of all are read at once, when one is needed."""
    _request_prices().wanted.update(product.id for product in products if product.on_sale)


def lowest_price(product: Product) -> LowestPrice | None:
    """Return the lowest price before the discount of a product; None without a discount, or where none is known."""
    reduction = _reduction(product)
    return None if reduction is None else reduction.lowest


def _reduction(product: Product) -> Reduction | None:
    """Return the discount of a product as the history has it; None without one, or where it cannot be read."""
    if not product.on_sale or not current_app.config[SETTING]:
        return None
    prices = _request_prices()
    if product.id not in prices.read:
        ids = sorted((prices.wanted | {product.id}) - prices.read.keys())
        try:
            found = get_engine().prices.reductions(ids)
        except WindowshopError as error:  # the page is whole without them
            log.error("The lowest prices of %s products cannot be read: %s", len(ids), error)
            found = {}
        prices.read.update({product_id: found.get(product_id) for product_id in ids})
    reduction = prices.read[product.id]
    return reduction if reduction is not None and reduction.currency == product.currency else None


def lowest_field(product: Product) -> dict[str, Any]:
    """Return the field of a product's JSON with the lowest price before its discount; its value is null for none."""
    lowest = lowest_price(product)
    return {"lowest_30_days": None if lowest is None else lowest_json(lowest)}


def lowest_json(lowest: LowestPrice) -> dict[str, Any]:
    """Return a lowest price as JSON values."""
    return {
        "price": str(lowest.price),
        "currency": lowest.currency,
        "since": lowest.since,
        "complete": lowest.complete,
    }


def card_lowest(product: Product) -> str:
    """Return what a card says of the lowest price before the discount; "" where the product's page says nothing."""
    reduction = _reduction(product)
    if reduction is None:
        return ""
    lowest = reduction.lowest
    if lowest is None:
        return price_text("card_lowest_unknown") if _why_none(reduction) else ""
    price = money(lowest.price, lowest.currency)
    return price_text("card_lowest" if lowest.complete else "card_lowest_on_record", price=price)


def page_lowest(product: Product) -> str:
    """Return what a product's page says of the lowest price before its discount.

    It is "" without a discount, and where the history cannot be read: that no price is on record might be wrong then.
    """
    reduction = _reduction(product)
    if reduction is None:
        return ""
    lowest = reduction.lowest
    if lowest is None:
        return _why_none(reduction)
    price = money(lowest.price, lowest.currency)
    return price_text("lowest_before" if lowest.complete else "lowest_on_record", price=price)


def _why_none(reduction: Reduction) -> str:
    """Return why there is no lowest price."""
    if reduction.missing == "not_offered":
        return price_text("lowest_not_offered")
    if reduction.missing == "other_currency":  # a price whose currency is not named cannot be called that
        return price_text("lowest_other_currency", currency=reduction.currency) if reduction.currency else ""
    return price_text("lowest_unknown")


def _request_prices() -> _RequestPrices:
    if "lowest_prices" not in g:
        g.lowest_prices = _RequestPrices(set(), {})
    prices: _RequestPrices = g.lowest_prices
    return prices
