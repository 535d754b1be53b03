"""Read WooCommerce's product export: join a variable product and its variations, wherever they stand, into one row.

A product's id is its SKU, or its ID where it has no SKU or shares it with another product.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from catalog.feeds.platforms.category_paths import set_category
from catalog.feeds.platforms.column_names import ColumnNames, field_of, free_name
from catalog.feeds.platforms.quantities import quantity_sign
from catalog.feeds.platforms.row_groups import MAX_ROWS, RowGroups, grouped, overlong
from catalog.feeds.platforms.row_spool import ExportRow
from catalog.feeds.platforms.variants import Identity, ProductDraft, Variant
from catalog.feeds.rows.flags import parse_flag
from catalog.feeds.rows.row import FeedRow
from catalog.text.html import plain_text

_TABLE = "woocommerce_columns.csv"
_COMMON = {"id", "sku", "name", "description", "images", "stock", "tags", "brand", "gtin"}  # in other tables too
_COMMA = re.compile(r"(?<!\\),")
_NOT_SHOWN = "hidden"
_BACKORDERED = ("backorder", "onbackorder")
_STATUSES = {"instock": True, "outofstock": False, **dict.fromkeys(_BACKORDERED, False)}
_PARENTS = "parent"  # a variation's quantity is that of its parent


def is_export(header: Collection[str]) -> bool:
    """Tell by its columns, in any language that is known, whether a table is WooCommerce's."""
    fields = ColumnNames(_TABLE, header).fields
    named = "name" in fields and ("id" in fields or "sku" in fields)
    return named and "title" not in header and len(fields - _COMMON) >= 2


def join_rows(header: Sequence[str], rows: Iterator[FeedRow]) -> Iterator[FeedRow]:
    """Yield one row for every product, with the column names of other feeds."""
    names = ColumnNames(_TABLE, header)
    families = _Families()
    with grouped(rows, lambda row: names.rename(row.cells), families.key_of, "ID and no SKU") as groups:
        families.find_parents(groups)
        for key in groups:
            if isinstance(key, FeedRow):
                yield key
            elif not families.is_child(key):
                yield from _product(key, groups, families)


class _Families:
    """Which rows are variations, of which parents, and the ids of the products.

    The key of a product's group is "=" and its ID or SKU; that of variations is ">" and what their Parent column says.
    """

    def __init__(self) -> None:
        self._by_sku: dict[str, str] = {}
        self._by_id: dict[str, str] = {}
        self._ids: dict[str, tuple[str, str]] = {}
        self._uses: Counter[str] = Counter()
        self._children: dict[str, list[str]] = {}
        self._adopted: set[str] = set()

    def key_of(self, cells: Mapping[str, str]) -> str:
        """Return the key of a row's group; "" when its product has no number."""
        number, sku = cells.get("id", ""), cells.get("sku", "").removeprefix("'")
        if parent := _parent_of(cells):
            return f">{parent}"
        if not number and not sku:
            return ""
        key = f"={number or sku}"
        if key not in self._ids:
            self._ids[key] = number, sku
            self._uses[sku] += 1
            if sku:
                self._by_sku.setdefault(sku.casefold(), key)
            if number:
                self._by_id.setdefault(number, key)
        return key

    def find_parents(self, groups: RowGroups) -> None:
        """Give the variations to their parents, once all rows are known."""
        for key in groups.keys:
            if key.startswith(">") and (parent := self.find(key[1:])):
                self._children.setdefault(parent, []).append(key)
                self._adopted.add(key)

    def find(self, reference: str) -> str:
        """Return the key of the product that a reference like "id:12" or a SKU means; "" for none."""
        if reference.lower().startswith("id:"):
            return self._by_id.get(reference[3:].strip(), "")
        return self._by_sku.get(reference.casefold(), "") or self._by_id.get(reference, "")

    def is_child(self, key: str) -> bool:
        """Tell whether a group of variations belongs to a product of the export."""
        return key in self._adopted

    def children(self, key: str) -> Sequence[str]:
        """Return the keys of a product's variations."""
        return self._children.get(key, ())

    def product_id(self, key: str) -> str:
        """Return the id of a product; of variations without one, what they say of it."""
        if key.startswith(">"):
            return key[4:].strip() if key[1:4].lower() == "id:" else key[1:]
        number, sku = self._ids[key]
        return sku if sku and (self._uses[sku] == 1 or not number) else number


def _parent_of(cells: Mapping[str, str]) -> str:
    """Return what a variation says of its parent; "" for a product of its own."""
    kinds = re.split(r"[\s,]+", cells.get("type", "").lower())
    if any(kind.endswith("variation") for kind in kinds) or not cells.get("type"):
        return cells.get("parent", "").removeprefix("'")
    return ""


def _product(key: str, groups: RowGroups, families: _Families) -> Iterator[FeedRow]:
    rows = groups.rows(key)
    children = [row for child in families.children(key) for row in groups.rows(child)]
    draft = ProductDraft(rows[0].line, families.product_id(key))
    if fault := overlong([*rows, *children], f"the product {draft.product_id[:80]!r}"):
        yield draft.refused(fault)
        return
    if key.startswith(">"):
        main, children = _stand_in(rows), rows
        draft.notes.append("the parent of variations is not in the feed: they became a product of their own")
    else:
        main = rows[0]
        for row in rows[1:]:
            draft.add_duplicate(row.line, main.line)
        if hidden := _unpublished(main.cells):
            yield draft.not_published(hidden)
            return
    children = draft.own_rows(sorted(children, key=lambda row: row.number), main, "", _identity)
    children = [row for row in children if _is_sold(draft, row)]
    _describe(draft, main.cells, children)
    if children:
        draft.add_variants([_variant(draft, row, main.cells) for row in children])
    else:
        draft.add_variants([_variant(draft, row, {}) for row in _members(main, groups, families)])
    yield from draft.faults
    yield draft.row()


def _stand_in(rows: Sequence[ExportRow]) -> ExportRow:
    """Return a parent for variations whose own is not in the export: named as what stands before their options."""
    names = [row.cells.get("name", "") for row in rows]
    before = {name.rpartition(" - ")[0] for name in names}
    title = before.pop() if len(before) == 1 else ""
    return rows[0]._replace(cells={**rows[0].cells, "name": title or names[0], "sku": "", "gtin": ""})


def _unpublished(cells: Mapping[str, str]) -> str:
    published, visibility = cells.get("published", ""), cells.get("visibility", "")
    if published and not parse_flag(published):
        return f"Published is {published[:40]!r}"
    if visibility.lower() == _NOT_SHOWN:
        return f"its visibility is {visibility!r}"
    return ""


def _is_sold(draft: ProductDraft, row: ExportRow) -> bool:
    """Tell whether a variation is switched on."""
    published = row.cells.get("published", "")
    if published and not parse_flag(published):
        draft.leave_out(row.line, f"Published is {published[:40]!r}")
        return False
    return True


def _identity(cells: dict[str, str]) -> Identity:
    options = (f"{name}={value}" for name, value in _attributes(cells, visible_only=False))
    return cells.get("id", ""), cells.get("sku", ""), *options


def _members(main: ExportRow, groups: RowGroups, families: _Families) -> list[ExportRow]:
    """Return the products of which a grouped one has its price and stock; else the product itself."""
    keys = [families.find(reference) for reference in _split(main.cells.get("grouped", ""))[:MAX_ROWS]]
    members = [groups.first_row(key) for key in keys if key]
    return [_without_numbers(row) for row in members] or [main]


def _without_numbers(row: ExportRow) -> ExportRow:
    wanted = ("stock", "sale", "regular", "backorders")
    return row._replace(cells={name: value for name, value in row.cells.items() if name.startswith(wanted)})


def _variant(draft: ProductDraft, row: ExportRow, parent: Mapping[str, str]) -> Variant:
    cells = row.cells
    named = {"sku": cells.get("sku", "").removeprefix("'"), "gtin": cells.get("gtin", "").removeprefix("'")}
    names = ("regular_price", "sale_price", "sale_starts", "sale_ends")
    prices = draft.sale_prices(*(cells.get(name, "") for name in names))
    if not parent:
        return Variant(row.line, _in_stock(draft, cells, parent), prices, named)
    options = {free_name(name): value for name, value in _attributes(cells, visible_only=False)}
    draft.pictures += _split(cells.get("images", ""))
    return Variant(row.line, _in_stock(draft, cells, parent), prices, {**options, **named})


def _in_stock(draft: ProductDraft, cells: Mapping[str, str], parent: Mapping[str, str]) -> bool:
    """Tell whether a product can be bought: by its quantity, where one is counted, else by its stock status.

    WooCommerce derives the status "backorder" from a quantity; a product that may be ordered at 0 is in stock.
    """
    status, quantity, backorders = cells.get("stock_status", ""), cells.get("stock", ""), cells.get("backorders", "")
    if parent.get("stock") and (not quantity or quantity.lower() == _PARENTS):
        quantity, backorders = parent["stock"], parent.get("backorders", "")
    allowed = backorders.lower() == "notify" or bool(parse_flag(backorders))
    has_status = parse_flag(status)
    if has_status is None and status.lower() in _STATUSES:
        has_status = _STATUSES[status.lower()] or (allowed and status.lower() in _BACKORDERED)
    sign = quantity_sign(quantity) if quantity else None
    if sign is not None:
        return allowed or (sign > 0 and has_status is not False)
    for value in (quantity, status if has_status is None else ""):
        if value and value.lower() != _PARENTS:
            draft.notes.append(f"the stock {value[:40]!r} is not known; its product is taken as in stock")
    return has_status is not False


def _describe(draft: ProductDraft, main: Mapping[str, str], children: Sequence[ExportRow]) -> None:
    markup = main.get("description") or main.get("short_description", "")
    draft.cells |= {"title": main.get("name", ""), "description": plain_text(markup.replace("\\n", "\n"))}
    paths = (path.split(">") for path in _split(main.get("categories", "")))
    set_category(draft, paths)
    draft.pictures += _split(main.get("images", ""))
    draft.collect("sku", main.get("sku", "").removeprefix("'"))
    draft.collect("gtin", main.get("gtin", "").removeprefix("'"))
    draft.set_attribute("tags", ", ".join(_split(main.get("tags", ""))))
    brand = next(iter(_split(main.get("brand", ""))), "")
    own = [dict(_attributes(row.cells, visible_only=False)) for row in children]
    chosen = {name for options in own for name in options}
    chosen -= {name for options in own for name, value in options.items() if not value}  # a variation of any value
    for name, values in _attributes(main, visible_only=bool(children) or "variable" not in main.get("type", "")):
        if field_of(_TABLE, name) == "brand":
            brand = brand or values
        elif name not in chosen:
            draft.collect(free_name(name), *_split(values))
    draft.cells["brand"] = brand


def _attributes(cells: Mapping[str, str], visible_only: bool) -> Iterator[tuple[str, str]]:
    """Yield (name, values) of a row's attributes."""
    for field, name in cells.items():
        kind, _, number = field.partition(" ")
        if kind == "attribute_name" and name:
            visible = cells.get(f"attribute_visible {number}", "")
            if not visible_only or parse_flag(visible) is not False:
                yield name.removeprefix("pa_"), cells.get(f"attribute_values {number}", "")


def _split(cell: str) -> list[str]:
    r"""Split a list at its commas; one within a value is written "\,". Also at bars, as older exports have it."""
    pieces = [piece for part in cell.split("|") for piece in _COMMA.split(part)]
    return [piece.replace("\\,", ",").strip() for piece in pieces if piece.strip()]
