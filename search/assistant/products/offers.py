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
_VARIANT_FIELDS = (*_COLOUR_FIELDS, *_SIZE_FIELDS, "pattern", "material")


def offer_answer(topic: Topic, product: Product, variants: Sequence[Product]) -> ProductAnswer | None:
    """Return a fact of the product's offer for one of the topics of this form; None where the shop has none."""
    if topic.name in ("price", "discount"):
        return _price(topic.name, product)
    if topic.name == "stock":
        return _offer(IN_STOCK, topic.name, {}) if product.in_stock else _out_of_stock(topic.name, product, variants)
    return variants_answer(product, variants, _VARIANT_FIELDS)


def variants_answer(product: Product, variants: Sequence[Product], fields: Sequence[str]) -> ProductAnswer | None:
    """Return the values of the first of these attributes in which the product's variants differ."""
    for field in fields:
        values = dict.fromkeys(filter(None, (variant.attributes.get(field, "").strip() for variant in variants)))
        if len(values) > 1:
            ids = [variant.id for variant in variants if variant.id != product.id]
            facts = {"field": field, "values": list(values)[:MAX_VALUES], "products": ids[:MAX_VALUES]}
            return _offer(VARIANTS, "variants", facts)
    return None


def _out_of_stock(topic: str, product: Product, variants: Sequence[Product]) -> ProductAnswer:
    """Return that a product is out of stock, with the variants that are not, by the attributes that tell them apart."""
    others = [variant for variant in variants if variant.in_stock and variant.id != product.id][:MAX_VALUES]
    if not others:
        return _offer(OUT_OF_STOCK, topic, {})
    fields = [field for field in _VARIANT_FIELDS if len({other.attributes.get(field, "") for other in variants}) > 1]
    names = (
        " ".join(filter(None, (other.attributes.get(field, "").strip() for field in fields))) or other.title
        for other in others
    )
    return _offer(OUT_OF_STOCK, topic, {"values": [*dict.fromkeys(names)], "products": [other.id for other in others]})


def _price(topic: str, product: Product) -> ProductAnswer | None:
    if product.price is None or (topic == "discount" and not product.on_sale):
        return None
    facts = {"price": str(product.price), "currency": product.currency}
    if product.on_sale:
        facts["list_price"] = str(product.list_price)
    return _offer(PRICE, topic, facts)


def _offer(code: str, topic: str, facts: Mapping[str, object]) -> ProductAnswer:
    return ProductAnswer(ANSWERED, code, topic, facts, source=ProductSource(OFFER, topic))
