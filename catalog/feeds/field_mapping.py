"""What the columns of a feed mean: header names, availability, pictures, and a row's cells -> Product."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from catalog.errors import BadRow
from catalog.feeds.picture_paths import PictureResolver
from catalog.feeds.prices import COLUMNS as PRICES
from catalog.feeds.prices import current_price
from catalog.feeds.row import first
from catalog.product import CATEGORY_SEPARATOR, Picture, Product

MAX_ID = 500
MAX_TITLE = 2_000
MAX_PICTURES = 250

PICTURES = ("image", "image_link", "images", "additional_image_link")
CATEGORIES = ("category", "product_type", "google_product_category")
AVAILABILITY = ("availability", "in_stock")
SINGLE = frozenset(("id", "title", "brand", "description", *PRICES, *CATEGORIES, *AVAILABILITY))
KNOWN = SINGLE | frozenset(PICTURES)

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")

_STOCK_WORDS = {
    True: "in_stock instock available limited_availability limitedavailability onlineonly true yes y",
    False: "out_of_stock outofstock not_available unavailable sold_out soldout discontinued preorder pre_order "
    "backorder back_order false no n",
}
_STOCK = {word: in_stock for in_stock, words in _STOCK_WORDS.items() for word in words.split()}


def column_name(header: str) -> str:
    """Bring a header to the name it is known by: " G:Image Link" -> "image_link"."""
    return re.sub(r"[\s-]+", "_", header.strip().lower().removeprefix("g:"))


def product_from_row(
    cells: Mapping[str, Sequence[str]], folder: PictureResolver, origin: str
) -> tuple[Product, list[str]]:
    """Make the product of a row, and tell what is amiss with its pictures; BadRow when it cannot be one."""
    product_id = checked_id(first(cells, "id"))
    title = " ".join(CONTROLS.sub(" ", first(cells, "title")).split())
    if not title:
        raise BadRow("no title")
    if len(title) > MAX_TITLE:
        raise BadRow(f"the title is longer than {MAX_TITLE:,} characters")
    price, currency, list_price = current_price(cells)
    category_from, category = next(((name, cells[name][0]) for name in CATEGORIES if cells.get(name)), ("", ""))
    stock_from, in_stock = _availability(cells)
    used = {"id", "title", "brand", "description", category_from, stock_from, *PRICES, *PICTURES}
    attributes = {
        name: ", ".join(dict.fromkeys(values)) for name, values in cells.items() if values and name not in used
    }
    pictures, amiss = _pictures(cells, folder)
    product = Product(
        id=product_id,
        title=title,
        pictures=pictures,
        category=CATEGORY_SEPARATOR.join(part.strip() for part in category.split(">") if part.strip()),
        price=price,
        currency=currency,
        in_stock=in_stock,
        brand=first(cells, "brand"),
        attributes=MappingProxyType(attributes | list_price),
        description=first(cells, "description"),
        origin=origin,
    )
    return product, amiss


def checked_id(text: str) -> str:
    """Return the id when it can be one; BadRow when it is empty, overlong, or holds control characters."""
    if not text:
        raise BadRow("no id")
    if len(text) > MAX_ID:
        raise BadRow(f"the id is longer than {MAX_ID} characters")
    if CONTROLS.search(text):
        raise BadRow(f"the id {text[:80]!r} holds line breaks or control characters")
    return text


def _availability(cells: Mapping[str, Sequence[str]]) -> tuple[str, bool]:
    """Return the column that tells whether the product can be had, and what it tells; in stock when there is none."""
    for name in AVAILABILITY:
        if text := first(cells, name):
            word = re.sub(r"[\s-]+", "_", text.lower().rsplit("/", 1)[-1])  # also "https://schema.org/InStock"
            if word.isdecimal():  # so many are left
                return name, int(word[:20]) > 0
            if word not in _STOCK:
                raise BadRow(f"{name} is {text[:40]!r}, which is neither in stock nor out of stock")
            return name, _STOCK[word]
    return "", True


def _pictures(cells: Mapping[str, Sequence[str]], folder: PictureResolver) -> tuple[tuple[Picture, ...], list[str]]:
    """Find the row's pictures; one that cannot be used is left out, and only when none is left is the row bad.

    Also tells which were left out, and which are those of an earlier import, and why.
    """
    names = [name for column in PICTURES for cell in cells.get(column, ()) for name in folder.split(cell)]
    if not names:
        raise BadRow("no picture")
    if len(names) > MAX_PICTURES:
        raise BadRow(f"{len(names):,} pictures; a product may have {MAX_PICTURES}")
    found, amiss = [], []
    for name in dict.fromkeys(names):
        try:
            found.append(folder.find(name))
        except BadRow as error:
            amiss.append(error.message)
        else:
            amiss += filter(None, [folder.why_stale(name)])
    if not found:
        raise BadRow("; ".join(amiss[:3]) + (f"; and {len(amiss) - 3} more" if len(amiss) > 3 else ""))
    return tuple(Picture(path) for path in dict.fromkeys(found)), amiss
