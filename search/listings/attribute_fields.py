"""Labels of products by field: the category, and every attribute whose values are few and frequent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from catalog.product import CATEGORY_SEPARATOR, Product, levels_of
from catalog.translated_attributes import translated_field, translates

CATEGORY = "category"
GROUP_FIELDS = ("item_group_id", "group")  # attributes that a feed may call the group of a product's variants
TEXT_FIELDS = ("title", "description")
MAX_LABELS = 200
MIN_MEAN_PRODUCTS = 5  # products a label, on average; an attribute with fewer holds names, not labels
_BETWEEN = re.compile(r"\s*(?:,|/|&|\band\b)\s*")
_NUMBER = re.compile(r"[\d.,\s]+")

Translations = Mapping[str, Mapping[str, str]]  # by translating field ("colour_de"): value to its translation


def field_labels(product: Product, field: str) -> tuple[str, ...]:
    """Return a product's labels in a field; a category is one path."""
    if field == CATEGORY:
        path = CATEGORY_SEPARATOR.join(product.category_path)
        return (path,) if path else ()
    return values_in(product.attributes.get(field, ""))


def values_in(text: str) -> tuple[str, ...]:
    """Split an attribute's text into its values: "oak and white" has two."""
    return tuple(dict.fromkeys(part.strip() for part in _BETWEEN.split(text) if part.strip()))


def labels_of(products: Sequence[Product]) -> dict[str, list[tuple[str, ...]]]:
    """Return each product's labels by field: the category, and every attribute with few and frequent values.

    Fields that translate one of these are left out: `translation` fills them in, so that the two never differ.
    """
    found = {CATEGORY: [field_labels(product, CATEGORY) for product in products]}
    for field in sorted({name for product in products for name in product.attributes} - {*GROUP_FIELDS}):
        labels = [field_labels(product, field) for product in products]
        if _learnable(labels) and not translates(field, found):
            found[field] = labels
    return found


def value_translations(products: Iterable[Product]) -> Translations:
    """Return the translations of values that products give themselves; of a category level by level."""
    found: dict[str, dict[str, str]] = {}
    for product in products:
        for name, words in product.attributes.items():
            field = translated_field(name)
            if not field or field in TEXT_FIELDS or not words:
                continue
            if field == CATEGORY:
                for part, other in zip(product.category_path, levels_of(words), strict=False):
                    found.setdefault(name, {}).setdefault(part, other)
            elif value := product.attributes.get(field):
                found.setdefault(name, {}).setdefault(value, words)
    return found


def translation(name: str, value: str, translations: Translations) -> str:
    """Return what a translating field, such as "colour_de", says for a value; "" where no product says all of it."""
    words = translations.get(name, {})
    if translated_field(name) != CATEGORY:
        return words.get(value, "")
    levels = [words.get(level, "") for level in levels_of(value)]
    return CATEGORY_SEPARATOR.join(levels) if all(levels) else ""


def translated_values(values: Mapping[str, str], translations: Translations) -> dict[str, str]:
    """Return the translations of values of fields, by translating field, where products have them."""
    fields = {name: translated_field(name) for name in translations}
    found = {name: translation(name, values[field], translations) for name, field in fields.items() if field in values}
    return {name: words for name, words in found.items() if words}


def group_of(product: Product) -> str:
    """Return the group of a product's variants; its own id where the feed names no group."""
    named = (product.attributes[name] for name in GROUP_FIELDS if product.attributes.get(name))
    return product.item_group_id or next(named, product.id)


def _learnable(labels: Sequence[tuple[str, ...]]) -> bool:
    names = [name for own in labels for name in own]
    different = set(names)
    if not 2 <= len(different) <= MAX_LABELS or all(_NUMBER.fullmatch(name) for name in different):
        return False
    return len(names) >= MIN_MEAN_PRODUCTS * len(different)
