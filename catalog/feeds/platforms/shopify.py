"""Read Shopify's product export: join the rows of one Handle, a variant or a picture each, into one row a product."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress

from catalog.errors import BadRow
from catalog.feeds.platforms.column_names import free_name
from catalog.feeds.platforms.row_groups import grouped
from catalog.feeds.platforms.row_spool import ExportRow
from catalog.feeds.platforms.variants import Identity, ProductDraft, Variant
from catalog.feeds.rows.flags import parse_flag
from catalog.feeds.rows.row import FeedRow
from catalog.money.prices import parse_price
from catalog.text.html import plain_text

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
    "inventory_policy": "variant_inventory_policy",
    "continue_selling_when_out_of_stock": "variant_inventory_policy",
    "image_source": "image_src",
    "product_image_url": "image_src",
    "variant_image_url": "variant_image",
}
_DISTINCTIVE = {"variant_price", "variant_sku", "variant_image", "image_src", "option1_name"}
_VARIANT = ("variant_price", "variant_sku", "option1_value")
_OPTIONS = ("option1", "option2", "option3")
_TRACKER = "variant_inventory_tracker"
_USED = {
    *("handle", "title", "body_(html)", "vendor", "product_category", "type", "published", "status", "variant_price"),
    *("variant_compare_at_price", "variant_sku", "variant_barcode", _TRACKER, "variant_inventory_qty"),
    *("variant_inventory_policy", "image_src", "image_position", "variant_image"),
    *(f"{option}_{part}" for option in _OPTIONS for part in ("name", "value")),
}
_SINGLE = ("Title", "Default Title")  # the option and value of a product without variants
_COPIED = ("type", "tags", "gender", "age_group", "condition", "google_product_category", "mpn")
_GOOGLE = "google_shopping_/_"
_METAFIELD = re.compile(r"(.{1,80})_\(product\.metafields\..+\)")
_LAST = 10**6


def is_export(header: Collection[str]) -> bool:
    """Tell by its columns whether a table is Shopify's."""
    names = {_OLDER.get(name, name) for name in header}
    return "id" not in names and {"handle", "title"} <= names and bool(names & _DISTINCTIVE)


def join_rows(header: Sequence[str], rows: Iterator[FeedRow]) -> Iterator[FeedRow]:
    """Yield one row for the rows of every Handle, with the column names of other feeds.

    Shopify writes the rows of a product one after another; a spreadsheet may have sorted them since.
    """
    columns = _Columns(header)
    with grouped(rows, columns.rename, lambda cells: cells.get("handle", ""), "Handle") as groups:
        for handle in groups:
            if isinstance(handle, FeedRow):
                yield handle
            else:
                yield from _product(handle, groups.rows(handle), columns)


class _Columns:
    """The columns of an export that are read, by their older names; and those that become attributes."""

    def __init__(self, header: Sequence[str]) -> None:
        self.attributes: dict[str, str] = {}
        self._read: dict[str, str] = {}
        for name in header:
            field = _OLDER.get(name, name)
            copied = field.removeprefix(_GOOGLE)
            if metafield := _METAFIELD.fullmatch(field):
                self.attributes[field] = free_name(metafield[1])
            elif copied in _COPIED:
                self.attributes[field] = copied
            if field in _USED or field in self.attributes:
                self._read[name] = field
        self.is_tracked = _TRACKER in self._read.values()

    def rename(self, row: FeedRow) -> dict[str, str]:
        """Return the cells of a row that are read."""
        read = self._read
        return {read[name]: values[0] for name, values in row.cells.items() if name in read}


def _product(handle: str, rows: Sequence[ExportRow], columns: _Columns) -> Iterator[FeedRow]:
    """Yield the faults of variants, and the row of the product, which has a fault when it cannot be one."""
    main = next((row for row in rows if row.cells.get("title")), rows[0])
    draft = ProductDraft(rows[0].line, handle)
    if rejected := draft.rejection(_unpublished(main.cells), rows, "Handle"):
        yield rejected
        return
    rows = draft.own_rows(rows, main, "title", _identity)
    draft.add_variants(list(_variants(draft, rows, main.cells, columns.is_tracked)))
    draft.cells.setdefault("in_stock", "yes")
    draft.pictures += _pictures(rows)
    _describe(draft, main.cells, columns.attributes)
    yield from draft.faults
    yield draft.row()


def _unpublished(cells: dict[str, str]) -> str:
    status, published = cells.get("status", ""), cells.get("published", "")
    if status and status.lower() != "active":
        return f"its status is {status[:40]!r}"
    if published and not parse_flag(published):
        return f"Published is {published[:40]!r}"
    return ""


def _identity(cells: dict[str, str]) -> Identity:
    if not any(name in cells for name in _VARIANT):
        return None
    values = (*(cells.get(f"{option}_value", "") for option in _OPTIONS), cells.get("variant_sku", ""))
    return values if any(values) else ()


def _variants(draft: ProductDraft, rows: Sequence[ExportRow], main: dict[str, str], tracked: bool) -> Iterator[Variant]:
    names = {f"{option}_value": main.get(f"{option}_name", "") for option in _OPTIONS}
    for line, cells in ((row.line, row.cells) for row in rows):
        if not any(name in cells for name in _VARIANT):
            continue
        named = {}
        for field, name in names.items():
            if value := cells.get(field):
                name = name or cells.get(field.replace("value", "name"), "")
                if name and (name, value) != _SINGLE:
                    named[free_name(name)] = value
        named["sku"] = cells.get("variant_sku", "").removeprefix("'")
        named["gtin"] = cells.get("variant_barcode", "").removeprefix("'")
        yield Variant(line, _in_stock(draft, cells, tracked), _prices(cells), named)


def _in_stock(draft: ProductDraft, cells: dict[str, str], tracked: bool) -> bool:
    """Tell whether a variant can be bought: above 0, never counted, or sold on when there is none."""
    quantity = cells.get("variant_inventory_qty", "")
    policy = cells.get("variant_inventory_policy", "")
    if not quantity or (tracked and _TRACKER not in cells) or policy.lower() == "continue" or parse_flag(policy):
        return True
    return draft.has_quantity(quantity, "inventory quantity", "variant")


def _prices(cells: dict[str, str]) -> dict[str, str]:
    price, list_price = cells.get("variant_price", ""), cells.get("variant_compare_at_price", "")
    if not list_price:
        return {"price": price}
    with suppress(BadRow):  # a bad compare-at price takes nothing from the price itself
        amount = parse_price(price)[0]
        if amount is not None and (parse_price(list_price)[0] or 0) > amount:
            return {"price": list_price, "sale_price": price}
    return {"price": price}


def _pictures(rows: Sequence[ExportRow]) -> list[str]:
    """Return the pictures in the order of their positions, then those of variants."""
    found: list[tuple[int, str]] = []
    for cells in (row.cells for row in rows):
        place = cells.get("image_position", "")
        if source := cells.get("image_src"):
            found.append((int(place) if re.fullmatch(r"[0-9]{1,6}", place) else _LAST, source))
        if source := cells.get("variant_image"):
            found.append((_LAST, source))
    return [source for _, source in sorted(found, key=lambda picture: picture[0])]


def _describe(draft: ProductDraft, main: dict[str, str], attributes: dict[str, str]) -> None:
    category, kind = main.get("product_category", ""), main.get("type", "")
    if category.lower() in ("", "uncategorized"):
        category, kind = kind, ""
    draft.cells |= {
        "title": main.get("title", ""),
        "description": plain_text(main.get("body_(html)", "")),
        "brand": main.get("vendor", ""),
        "category": category,
    }
    for field, name in attributes.items():
        if value := kind if field == "type" else main.get(field, ""):
            draft.cells.setdefault(name, value)
