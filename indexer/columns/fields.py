"""The fields that products are filtered and counted by, and how their texts are compared. Light to import."""

from __future__ import annotations

import unicodedata

CATEGORY, BRAND, COLOUR = "category", "brand", "colour"
CURRENCY, ITEM_GROUP = "price.currency", "item_group_id"
HEAD = "title.head"  # the head nouns of titles; no filter can name it
ATTRIBUTE = "attributes."  # prefix of an attribute's field: "attributes.gender"
MAX_VALUE = 500  # characters of a label or a filter's value, as many as an id may have
VALUE_SEPARATOR = ", "  # between the values of an attribute that a feed gives more than once
COLOUR_NAMES = ("colour", "color")


def folded(text: str) -> str:
    """Normalise a text for comparison: case, width (Chinese shops write both) and spaces do not count."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def attribute_field(name: str) -> str:
    """Return the field of a feed's attribute: "attributes.gender"; both spellings of colour are the field "colour"."""
    name = folded(name).replace(" ", "_")
    return COLOUR if name in COLOUR_NAMES else ATTRIBUTE + name
