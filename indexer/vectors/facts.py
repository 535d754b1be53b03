"""What filters ask of a product, read for an engine that filters by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from catalog.product import Product, categories_down
from indexer.columns.fields import BRAND, CATEGORY, CURRENCY, MAX_VALUE, VALUE_SEPARATOR, attribute_field, folded
from indexer.vectors.contract import RowFacts


def facts_of(product: Product) -> RowFacts:
    """Return the labels of a product, folded as filters compare them, its price and its stock."""
    labels: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for field, text in _labels_of(product):
        labels[field][folded(text)] = None
    price = None if product.price is None else float(product.price)
    listed = {field: tuple(texts) for field, texts in labels.items()}
    return RowFacts(listed, price, product.in_stock, product.on_sale)


def _labels_of(product: Product) -> Iterator[tuple[str, str]]:
    for category in categories_down(product.category_path):
        yield CATEGORY, category
    if product.brand:
        yield BRAND, product.brand
    if product.currency:
        yield CURRENCY, product.currency
    for name, text in product.attributes.items():
        for label in text.split(VALUE_SEPARATOR):
            if label.strip() and len(label) <= MAX_VALUE:
                yield attribute_field(name), label.strip()
