"""Read the product exports of Magento and Adobe Commerce: join a configurable product and its variations into one row.

The id is the SKU. Version 1 writes several categories, pictures and variations of a product on rows of their own,
which have no SKU and belong to the row above.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from catalog.feeds.platforms import magento_cells as lists
from catalog.feeds.platforms.category_paths import set_category
from catalog.feeds.platforms.column_names import free_name, words_of
from catalog.feeds.platforms.row_groups import RowGroups, grouped
from catalog.feeds.platforms.row_spool import ExportRow
from catalog.feeds.platforms.variants import ProductDraft, Variant
from catalog.feeds.rows.flags import parse_flag
from catalog.feeds.rows.row import FeedRow
from catalog.text.html import plain_text

_DISTINCTIVE = {"attribute_set_code", "product_websites", "product_online", "additional_attributes", "_attribute_set"}
_NEWER = {  # names of version 1, by those of version 2
    "product_type": "_type",
    "store_view_code": "_store",
    "allow_backorders": "backorders",
    "base_image": "image",
    "thumbnail_image": "thumbnail",
    "special_price_from_date": "special_from_date",
    "special_price_to_date": "special_to_date",
    "product_online": "status",
}
_DISABLED = ("0", "2", "no", "disabled")
_HIDDEN = words_of("magento_hidden.csv", "visibility")
_COLUMNS = words_of("magento_columns.csv", "column")  # of version 1; every other one is an attribute
_COMPOSED = ("configurable", "grouped", "bundle")  # they have no quantity of their own
_NUMBERS = ("gtin", "ean", "ean13", "upc", "isbn", "mpn", "barcode")
_VARIATION_FIELDS = ("sku", "price", "display", "image", "default")
_BRANDS = ("brand", "manufacturer")


def is_export(header: Collection[str]) -> bool:
    """Tell by its columns whether a table is Magento's."""
    names = set(header)
    return "sku" in names and len(names & (_DISTINCTIVE | {"product_type", "_type"})) >= 2


def join_rows(header: Sequence[str], rows: Iterator[FeedRow]) -> Iterator[FeedRow]:
    """Yield one row for every product, with the column names of other feeds."""
    export = _Export(header)
    with grouped(rows, export.rename, export.key_of, "sku") as groups:
        for key in groups:
            if isinstance(key, FeedRow):
                yield key
            elif not export.is_variation(key, groups):
                yield from export.product(key, groups)


class _Export:
    """One export: which products are parts of which, and what its categories have in common."""

    def __init__(self, header: Sequence[str]) -> None:
        self._is_first_version = "_attribute_set" in header or "_type" in header
        self._last = ""
        self._parents: dict[str, str] = {}  # by folded SKU of a variation
        self._wholes: dict[str, str] = {}  # by folded SKU of a part of a group or bundle
        self._roots: set[str] = set()
        self._depth = 0

    def rename(self, row: FeedRow) -> dict[str, str]:
        """Return a row's cells by the names of version 1."""
        return {_NEWER.get(name, name): values[0] for name, values in row.cells.items()}

    def key_of(self, cells: Mapping[str, str]) -> str:
        """Return the folded SKU of the product that a row belongs to, and note its parts and categories."""
        key = cells.get("sku", "").casefold() or (self._last if self._is_first_version else "")
        if cells:
            self._last = key
        for variation in _variations(cells):
            self._parents.setdefault(variation["sku"].casefold(), key)
        for sku in lists.parse_parts(cells):
            self._wholes.setdefault(sku.casefold(), key)
        for path in lists.parse_categories(cells.get("categories", "")):
            self._roots.add(path[0])
            self._depth = max(self._depth, len(path))
        return key

    def is_variation(self, key: str, groups: RowGroups) -> bool:
        """Tell whether a product is shown as a part of another that is in the export."""
        parent = self._parents.get(key, "")
        return parent != key and parent in groups

    def product(self, key: str, groups: RowGroups) -> Iterator[FeedRow]:
        """Yield the faults of variations, and the row of a product; nothing for a part that is not sold alone."""
        rows = groups.rows(key)
        base = next((row for row in rows if row.cells.get("sku") and not row.cells.get("_store")), rows[0])
        main = _merged(rows)
        draft = ProductDraft(base.line, main.get("sku", key))
        if _is_hidden(main) and self._wholes.get(key, "") in groups:
            return
        if rejected := draft.rejection(_unpublished(main), rows):
            yield rejected
            return
        for row in rows:
            if row is not base and row.cells.get("sku") and not row.cells.get("_store"):
                draft.add_duplicate(row.line, base.line)
        draft.pictures += [*_pictures(main), *_gallery(rows)]
        self._describe(draft, main, rows)
        draft.add_variants(self._variants(draft, main, rows, groups) or _members(draft, rows, groups))
        if "in_stock" not in draft.cells:
            draft.add_variants([Variant(draft.line, _in_stock(draft, main), _prices(draft, main))])
        elif parse_flag(main.get("is_in_stock", "")) is False:
            draft.cells["in_stock"] = "no"
        yield from draft.faults
        yield draft.row()

    def _variants(
        self, draft: ProductDraft, main: Mapping[str, str], rows: Sequence[ExportRow], groups: RowGroups
    ) -> list[Variant]:
        """Return the variations of a configurable product."""
        variants = []
        for options in _by_sku(variation for row in rows for variation in _variations(row.cells)):
            key = options["sku"].casefold()
            child = _merged(groups.rows(key))
            line = groups.first_row(key).line if key in groups else draft.line
            if child.get("status", "").lower() in _DISABLED:
                draft.leave_out(line, "it is disabled")
                continue
            named = {free_name(n): v for n, v in options.items() if n not in _VARIATION_FIELDS}
            attributes = dict(lists.parse_attributes(child.get("additional_attributes", "")))
            named |= {n: v for n, v in attributes.items() if n in _NUMBERS} | {"sku": options["sku"]}
            offer: Mapping[str, str] = {"price": options.get("price", "") or main.get("price", "")} | child
            if self._is_first_version and main.get("price"):
                offer = main  # version 1 sells variations at the price of the whole
            draft.pictures += [*_pictures(child), lists.picture_path(options.get("image", ""))]
            in_stock = _in_stock(draft, child or {"is_in_stock": options.get("display", "")})
            variants.append(Variant(line, in_stock, _prices(draft, offer), named))
        return variants

    def _describe(self, draft: ProductDraft, main: Mapping[str, str], rows: Sequence[ExportRow]) -> None:
        markup = main.get("description") or main.get("short_description", "")
        draft.cells |= {"title": main.get("name", ""), "description": plain_text(markup)}
        paths = lists.parse_categories(main.get("categories", ""))
        paths = [path[1:] if self._is_root(path[0]) else path for path in paths]
        paths += [lists.path_of(row.cells["_category"]) for row in rows if row.cells.get("_category")]
        set_category(draft, paths)
        attributes = dict(lists.parse_attributes(main.get("additional_attributes", "")))
        if self._is_first_version:
            attributes |= {name: value for name, value in main.items() if name[0] != "_" and name not in _COLUMNS}
        if manufacturer := main.get("manufacturer"):
            attributes.setdefault("manufacturer", manufacturer)
        draft.cells["brand"] = next((attributes[name] for name in _BRANDS if name in attributes), "")
        for name, value in attributes.items():
            if name not in _BRANDS:
                draft.collect(free_name(name), *value.split("|"))

    def _is_root(self, name: str) -> bool:
        """Tell whether a path's first level is the root, which every path of the export has and no shopper sees."""
        return name.lower() == lists.DEFAULT_ROOT or (len(self._roots) == 1 and self._depth > 2)


def _variations(cells: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield the variations that a row names; version 1 names one, with one of its options."""
    if cell := cells.get("configurable_variations"):
        yield from lists.parse_variations(cell)
    if sku := cells.get("_super_products_sku"):
        code, option = cells.get("_super_attribute_code", ""), cells.get("_super_attribute_option", "")
        yield {"sku": sku} | ({code: option} if code and option else {})


def _members(draft: ProductDraft, rows: Sequence[ExportRow], groups: RowGroups) -> list[Variant]:
    """Return the members of a grouped product, which costs what its cheapest one does; [] for another."""
    if not any(row.cells.get("_type") == "grouped" for row in rows):
        return []
    keys = [sku.casefold() for row in rows for sku in lists.parse_parts(row.cells)]
    members = [groups.first_row(key).cells for key in keys[: lists.MAX_PARTS] if key in groups]
    return [Variant(draft.line, _in_stock(draft, cells), _prices(draft, cells)) for cells in members]


def _merged(rows: Sequence[ExportRow]) -> dict[str, str]:
    """Return the cells of a product: those for all store views, then what only a store view has."""
    cells: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: bool(row.cells.get("_store"))):
        for name, value in row.cells.items():
            cells.setdefault(name, value)
    return cells


def _by_sku(variations: Iterator[dict[str, str]]) -> list[dict[str, str]]:
    """Return the variations with all attributes of each: version 1 writes one of them on a row."""
    joined: dict[str, dict[str, str]] = {}
    for variation in variations:
        joined.setdefault(variation["sku"].casefold(), {}).update(variation)
    return list(joined.values())


def _is_hidden(cells: Mapping[str, str]) -> bool:
    return cells.get("visibility", "").casefold() in _HIDDEN


def _unpublished(cells: Mapping[str, str]) -> str:
    status = cells.get("status", "")
    if status.lower() in _DISABLED:
        return f"it is disabled: its status is {status[:40]!r}"
    if _is_hidden(cells):
        return f"its visibility is {cells['visibility'][:40]!r}, and it is no variation of a product in the feed"
    return ""


def _pictures(cells: Mapping[str, str]) -> list[str]:
    base = next(filter(None, (cells.get(name, "") for name in ("image", "small_image", "thumbnail"))), "")
    hidden = set(lists.split_list(cells.get("hide_from_product_page", "")))
    names = [base, *(name for name in lists.split_list(cells.get("additional_images", "")) if name not in hidden)]
    return [lists.picture_path(name) for name in names]


def _gallery(rows: Sequence[ExportRow]) -> list[str]:
    """Return the pictures of version 1, one on a row."""
    shown = (row.cells for row in rows if not parse_flag(row.cells.get("_media_is_disabled", "")))
    return [lists.picture_path(cells.get("_media_image", "")) for cells in shown]


def _in_stock(draft: ProductDraft, cells: Mapping[str, str]) -> bool:
    """Tell whether a product can be bought: said to be in stock, and above 0, never counted, or sold on at 0."""
    if parse_flag(cells.get("manage_stock", "")) is False and not parse_flag(cells.get("use_config_manage_stock", "")):
        return True
    if parse_flag(cells.get("is_in_stock", "")) is False:
        return False
    quantity = cells.get("qty", "")
    if not quantity or cells.get("backorders", "") in ("1", "2") or cells.get("_type", "") in _COMPOSED:
        return True
    return draft.has_quantity(quantity, "qty")


def _prices(draft: ProductDraft, cells: Mapping[str, str]) -> dict[str, str]:
    names = ("price", "special_price", "special_from_date", "special_to_date")
    return draft.sale_prices(*(cells.get(name, "") for name in names))
