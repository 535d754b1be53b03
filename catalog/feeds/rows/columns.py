"""Name the columns of feeds: those that become fields of a product, and how a header is read."""

from __future__ import annotations

import re
from functools import lru_cache

PICTURE_COLUMNS = ("image", "image_link", "images", "additional_image_link")
_SHOPIFY_PICTURES = ("image_src", "variant_image", "product_image_url", "image_source", "variant_image_url")
ALL_PICTURE_COLUMNS = frozenset((*PICTURE_COLUMNS, *_SHOPIFY_PICTURES))
CATEGORY_COLUMNS = ("category", "product_type", "google_product_category")
AVAILABILITY_COLUMNS = ("availability", "in_stock")
PRICE_COLUMNS = ("price", "currency", "sale_price", "sale_price_effective_date", "list_price")
SINGLE_COLUMNS = frozenset(
    ("id", "title", "brand", "description", *PRICE_COLUMNS, *CATEGORY_COLUMNS, *AVAILABILITY_COLUMNS)
)
LINK_COLUMNS = ("link", "product_link", "product_url", "permalink", "url")  # the first that holds a web address counts
GROUP_COLUMN = "item_group_id"
_MAX_USUAL = 100  # characters
KNOWN_COLUMNS = SINGLE_COLUMNS | frozenset(PICTURE_COLUMNS)
FIELD_COLUMNS = KNOWN_COLUMNS | {GROUP_COLUMN, *LINK_COLUMNS}


def column_name(header: str) -> str:
    """Return the name by which a header is known: " G:Image Link" -> "image_link"; byte order marks are no part."""
    return _usual_name(header) if len(header) <= _MAX_USUAL else _plain_name(header)


def _plain_name(header: str) -> str:
    return re.sub(r"[\s-]+", "_", header.replace("\ufeff", "").strip().lower().removeprefix("g:"))


_usual_name = lru_cache(maxsize=2_048)(_plain_name)  # JSON and XML name the columns in every row
