"""Tell attributes that translate another field: "colour_de" has the value of "colour" in German."""

from __future__ import annotations

from collections.abc import Container

OTHER_LANGUAGES = ("zh", "de", "fr", "es")
_FIELDS_OF_PRODUCTS = ("category", "title", "description")


def translated_field(name: str) -> str:
    """Return the field that an attribute's name says it translates: "colour" for "colour_de"; "" for other names."""
    field, _, language = name.rpartition("_")
    return field if language in OTHER_LANGUAGES else ""


def translates(name: str, names: Container[str]) -> bool:
    """Tell whether an attribute translates another one of these names, or a product's category, title or description.

    "size_fr" beside no "size" is a fact of its own.
    """
    field = translated_field(name)
    return field in _FIELDS_OF_PRODUCTS or (bool(field) and field in names)
