"""What products are called, field by field: the category and every attribute that names kinds of things."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence

from catalog.product import CATEGORY_SEPARATOR, Product, levels_of

CATEGORY = "category"
GROUPS = ("item_group_id", "group")  # attributes that name what variants have in common
OTHER_LANGUAGE = "_zh"  # ends the name of a field that holds another field's words in another language
NOT_VALUES = ("title", "description")
MOST_LABELS = 200
LEAST_MEAN = 5  # products a label, on average: an attribute with fewer is a name, not a kind
_BETWEEN = re.compile(r"\s*(?:,|/|&|\band\b)\s*")
_NUMBER = re.compile(r"[\d.,\s]+")

Translations = Mapping[str, Mapping[str, str]]  # by field, what values are called in another language


def field_labels(product: Product, field: str) -> tuple[str, ...]:
    """What a product says in a field; a category is one path."""
    if field == CATEGORY:
        path = CATEGORY_SEPARATOR.join(product.category_path)
        return (path,) if path else ()
    return values_in(product.attributes.get(field, ""))


def values_in(text: str) -> tuple[str, ...]:
    """The values that an attribute's text says: "oak and white" says two things."""
    return tuple(dict.fromkeys(part.strip() for part in _BETWEEN.split(text) if part.strip()))


def labels_of(products: Sequence[Product]) -> dict[str, list[tuple[str, ...]]]:
    """What each product says, for the category and every attribute that names kinds: few names, many products each.

    What says in another language what one of these says is told by `translation`, so that the two never differ.
    """
    found = {CATEGORY: [field_labels(product, CATEGORY) for product in products]}
    for field in sorted({name for product in products for name in product.attributes} - {*GROUPS}):
        said = [field_labels(product, field) for product in products]
        if _names_kinds(said) and not translates(field, found):
            found[field] = said
    return found


def translates(field: str, names: Container[str]) -> bool:
    """Whether a field says in another language what another one of these names says."""
    return field.endswith(OTHER_LANGUAGE) and field.removesuffix(OTHER_LANGUAGE) in names


def translated(products: Iterable[Product]) -> Translations:
    """What products call their own values in another language; a category level by level."""
    found: dict[str, dict[str, str]] = {}
    for product in products:
        for name, words in product.attributes.items():
            field = name.removesuffix(OTHER_LANGUAGE)
            if field == name or field in NOT_VALUES or not words:
                continue
            if field == CATEGORY:
                for part, other in zip(product.category_path, levels_of(words), strict=False):
                    found.setdefault(field, {}).setdefault(part, other)
            elif value := product.attributes.get(field):
                found.setdefault(field, {}).setdefault(value, words)
    return found


def translation(field: str, value: str, told: Translations) -> str:
    """What a value is called in another language; "" where no product tells all of it."""
    words = told.get(field, {})
    if field != CATEGORY:
        return words.get(value, "")
    levels = [words.get(level, "") for level in levels_of(value)]
    return CATEGORY_SEPARATOR.join(levels) if all(levels) else ""


def group_of(product: Product) -> str:
    """What a product's variants have in common; its own id when the feed names nothing."""
    return next((product.attributes[name] for name in GROUPS if product.attributes.get(name)), product.id)


def _names_kinds(said: Sequence[tuple[str, ...]]) -> bool:
    names = [name for of in said for name in of]
    different = set(names)
    if not 2 <= len(different) <= MOST_LABELS or all(_NUMBER.fullmatch(name) for name in different):
        return False
    return len(names) >= LEAST_MEAN * len(different)
