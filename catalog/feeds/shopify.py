"""Read Shopify's product export: join the rows of one Handle, a variant or a picture each, into one row a product."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from catalog.errors import BadFeed, BadRow
from catalog.feeds.prices import parse_price
from catalog.feeds.rows.columns import KNOWN_COLUMNS, column_name
from catalog.feeds.rows.delimited import open_table
from catalog.feeds.rows.row import MAX_CELL, MAX_ROW, FeedRow
from catalog.text.html import plain_text

MAX_ROWS = 5_000  # Shopify itself keeps 2,048 variants and 250 pictures of a product

# Newer exports have other column names; the code below uses the older ones.
_OLDER = {
    "url_handle": "handle",
    "description": "body_(html)",
    "body_html": "body_(html)",
    "published_on_online_store": "published",
    "sku": "variant_sku",
    "barcode": "variant_barcode",
    "price": "variant_price",
    "compare_at_price": "variant_compare_at_price",
    "inventory_tracker": "variant_inventory_tracker",
    "inventory_quantity": "variant_inventory_qty",
    "image_source": "image_src",
    "product_image_url": "image_src",
    "variant_image_url": "variant_image",
}
_DISTINCTIVE = {"variant_price", "variant_sku", "variant_image", "image_src", "option1_name"}
_VARIANT = ("variant_price", "variant_sku", "option1_value")
_OPTIONS = ("option1", "option2", "option3")
_TRACKER = "variant_inventory_tracker"
_COPIED = ("type", "tags", "gender", "age_group", "condition", "google_product_category", "mpn")
_GOOGLE = "google_shopping_/_"
_METAFIELD = re.compile(r"(.{1,80})_\(product\.metafields\..+\)")
_LAST = 10**6


def is_shopify(path: Path) -> bool:
    """Tell by its columns whether a table is Shopify's export; False when its header cannot be read."""
    try:
        with open_table(path) as (header, _):
            return is_export(header)
    except BadFeed:
        return False


def is_export(header: Collection[str]) -> bool:
    """Tell by its columns whether a table is Shopify's."""
    names = {_OLDER.get(name, name) for name in header}
    return "id" not in names and {"handle", "title"} <= names and bool(names & _DISTINCTIVE)


def read_shopify(path: Path) -> Iterator[FeedRow]:
    """Yield one row for the rows of every Handle, with the column names of other feeds.

    Shopify writes the rows of a product one after another; a Handle that comes back later is a duplicate id.
    """
    with open_table(path) as (header, rows):
        tracked = _TRACKER in {_OLDER.get(name, name) for name in header}
        listing: _Listing | None = None
        for row in rows:
            cells = {_OLDER.get(name, name): values[0] for name, values in row.cells.items()}
            if not cells.get("handle"):
                fault = row.fault or "no Handle, so it is not known which product the row belongs to"
                yield FeedRow(row.line, fault=fault)
                continue
            if listing is None or listing.handle != cells["handle"]:
                if listing is not None:
                    yield from listing.rows()
                listing = _Listing(row.line, cells, tracked)
            listing.add(row.line, cells)
        if listing is not None:
            yield from listing.rows()


class _Listing:
    """One product, while its rows are read."""

    def __init__(self, line: int, cells: dict[str, str], tracked: bool) -> None:
        self.handle = cells["handle"]
        self._line = line
        self._first = cells
        self._tracked = tracked
        self._count = 0
        self._length = 0
        self._variants: list[_Variant] = []
        self._faults: list[FeedRow] = []
        self._pictures: list[tuple[int, str]] = []
        self._collected: dict[str, dict[str, None]] = {}

    def add(self, line: int, cells: dict[str, str]) -> None:
        """Add a row of the Handle: a variant, a picture, or both."""
        self._count += 1
        self._length += sum(map(len, cells.values()))
        if self._overlong():
            return
        place = cells.get("image_position", "")
        if source := cells.get("image_src"):
            self._pictures.append((int(place) if re.fullmatch(r"[0-9]{1,6}", place) else _LAST, source))
        if source := cells.get("variant_image"):
            self._pictures.append((_LAST, source))
        if not any(name in cells for name in _VARIANT):
            return
        try:
            self._variants.append(_variant(cells, self._tracked))
        except BadRow as error:
            fault = f"a variant of {self.handle[:80]!r} is left out: {error.message}"
            self._faults.append(FeedRow(line, fault=fault, product_id=self.handle))
            return
        for option in _OPTIONS:
            name = self._first.get(f"{option}_name", "")
            if name and (name, cells.get(f"{option}_value")) != ("Title", "Default Title"):
                self._collect(_free_name(name), cells.get(f"{option}_value", ""))
        self._collect("sku", cells.get("variant_sku", "").removeprefix("'"))
        self._collect("gtin", cells.get("variant_barcode", "").removeprefix("'"))

    def rows(self) -> Iterator[FeedRow]:
        """Yield the faults of variants, and the row of the product, which has a fault when it cannot be one."""
        unpublished = self._unpublished()
        fault = unpublished or self._overlong()
        if self._faults and not self._variants:
            fault = fault or self._faults[0].fault
        if fault:
            yield FeedRow(self._line, fault=fault, product_id=self.handle, lists_product=not unpublished)
        else:
            yield from self._faults
            yield FeedRow(self._line, self._joined())

    def _collect(self, name: str, value: str) -> None:
        if value:
            self._collected.setdefault(name, {})[value] = None

    def _overlong(self) -> str:
        if self._count > MAX_ROWS:
            return f"the Handle {self.handle[:80]!r} has more than {MAX_ROWS:,} rows"
        if self._length > MAX_ROW:
            return f"the rows of the Handle {self.handle[:80]!r} have more than {MAX_ROW:,} characters"
        return ""

    def _unpublished(self) -> str:
        status, published = self._first.get("status", ""), self._first.get("published", "")
        if status and status.lower() != "active":
            return f"not published: its status is {status[:40]!r}"
        if published and published.lower() not in ("true", "yes", "1"):
            return f"not published: Published is {published[:40]!r}"
        return ""

    def _joined(self) -> dict[str, list[str]]:
        category, kind = self._first.get("product_category", ""), self._first.get("type", "")
        if category.lower() in ("", "uncategorized"):
            category, kind = kind, ""
        values = {
            "id": self.handle,
            "title": self._first.get("title", ""),
            "description": plain_text(self._first.get("body_(html)", "")),
            "brand": self._first.get("vendor", ""),
            "category": category,
            "in_stock": "yes" if any(v.in_stock for v in self._variants) or not self._variants else "no",
            **(min(self._variants, key=lambda variant: variant.amount).prices if self._variants else {}),
        }
        values |= {name: ", ".join(found)[:MAX_CELL] for name, found in self._collected.items()}
        for name, value in (self._first | {"type": kind}).items():
            if metafield := _METAFIELD.fullmatch(name):
                values.setdefault(_free_name(metafield[1]), value)
            elif name.removeprefix(_GOOGLE) in _COPIED:
                values.setdefault(name.removeprefix(_GOOGLE), value)
        pictures = dict.fromkeys(source for _, source in sorted(self._pictures, key=lambda picture: picture[0]))
        return {name: [value] for name, value in values.items() if value} | {"image": list(pictures)}


class _Variant(NamedTuple):
    """The price by which variants are compared, infinite without one; and the prices under Google's names."""

    amount: Decimal
    in_stock: bool
    prices: dict[str, str]


def _variant(cells: dict[str, str], tracked: bool) -> _Variant:
    """Parse the price and availability of one variant. Raises BadRow when they are malformed."""
    price, list_price = cells.get("variant_price", ""), cells.get("variant_compare_at_price", "")
    amount, _ = parse_price(price)
    quantity = cells.get("variant_inventory_qty", "")
    if quantity and not re.fullmatch(r"[+-]?[0-9]{1,12}(\.0*)?", quantity):
        raise BadRow(f"its inventory quantity is {quantity[:40]!r}, which is not a whole number")
    counted = bool(quantity) and (_TRACKER in cells or not tracked)
    prices = {"price": price}
    if amount is not None:
        with suppress(BadRow):  # a bad compare-at price takes nothing from the price itself
            if (parse_price(list_price)[0] or 0) > amount:
                prices = {"price": list_price, "sale_price": price}
    in_stock = not counted or int(quantity.split(".")[0]) > 0
    return _Variant(Decimal("Infinity") if amount is None else amount, in_stock, prices)


def _free_name(name: str) -> str:
    """Return the column name of an option; "Price" or "Image" must not overwrite the product's own."""
    name = column_name(name[:80])
    return f"option_{name}" if name in KNOWN_COLUMNS else name
