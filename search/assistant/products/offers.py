"""Answer what the shop's own columns say of a product: its price, stock, and the variants that it is sold in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalog.product import Product
from search.assistant.products.answer import (
    ANSWERED,
    IN_STOCK,
    OFFER,
    OUT_OF_STOCK,
    PRICE,
    VARIANTS,
    ProductAnswer,
    ProductSource,
)
from search.assistant.products.reading.topics import Topic

MAX_VALUES = 30  # of variants
_COLOUR_FIELDS = ("colour", "color")
_SIZE_FIELDS = ("size", "sizes")


def offer_answer(topic: Topic, product: Product, variants: Sequence[Product]) -> ProductAnswer | None:
    """Return a fact of the product's offer for one of the topics of this form; None where the shop has none."""
    if topic.name in ("price", "discount"):
        return _price(topic.name, product)
    if topic.name == "stock":
        return _offer(IN_STOCK if product.in_stock else OUT_OF_STOCK, topic.name, {})
    return variants_answer(product, variants, (*_COLOUR_FIELDS, *_SIZE_FIELDS, "pattern", "material"))


def variants_answer(product: Product, variants: Sequence[Product], fields: Sequence[str]) -> ProductAnswer | None:
    """Return the values of the first of these attributes in which the product's variants differ."""
    for field in fields:
        values = dict.fromkeys(filter(None, (variant.attributes.get(field, "").strip() for variant in variants)))
        if len(values) > 1:
            ids = [variant.id for variant in variants if variant.id != product.id]
            facts = {"field": field, "values": list(values)[:MAX_VALUES], "products": ids[:MAX_VALUES]}
            return _offer(VARIANTS, "variants", facts)
    return None


def _price(topic: str, product: Product) -> ProductAnswer | None:
    if product.price is None or (topic == "discount" and not product.on_sale):
        return None
    facts = {"price": str(product.price), "currency": product.currency}
    if product.on_sale:
        facts["list_price"] = str(product.list_price)
    return _offer(PRICE, topic, facts)


def _offer(code: str, topic: str, facts: Mapping[str, object]) -> ProductAnswer:
    return ProductAnswer(ANSWERED, code, topic, facts, source=ProductSource(OFFER, topic))
