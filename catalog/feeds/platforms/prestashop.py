"""Read PrestaShop's product tables: the back office's list of products, and the table that its import takes.

A product's id is its reference, or its Product ID where it has no reference or shares it with another product. Rows of
one Product ID are combinations of one product.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

from catalog.errors import BadRow
from catalog.feeds.platforms.category_paths import set_category
from catalog.feeds.platforms.column_names import ColumnNames, free_name, words_of
from catalog.feeds.platforms.row_groups import grouped
from catalog.feeds.platforms.row_spool import ExportRow
from catalog.feeds.platforms.variants import Identity, ProductDraft, Variant
from catalog.feeds.rows.flags import parse_flag
from catalog.feeds.rows.row import FeedRow
from catalog.money.prices import parse_price
from catalog.text.html import plain_text

_TABLE = "prestashop_columns.csv"
_DISTINCTIVE = {"price_excluded", "price_included", "features", "out_of_stock", "orderable", "option_names"}
_LISTED = "(x,y,z"
_HOMES = words_of("prestashop_homes.csv", "category")
_PLACE = re.compile(
    r":[0-9]+(?::[0-9]*)?\Z"
)  # behind a feature's value: its place, and whether it is the product's own
_NEXT_ADDRESS = re.compile(r"(?<![,|;\s])[,|;\s]+(?=https?://)")
_ALLOW = "1"  # of "Out of stock action": 0 refuses orders, 2 does what the shop does by default
_CENT = Decimal("0.01")


def is_export(header: Collection[str]) -> bool:
    """Tell by its columns, in any language that is known, whether a table is PrestaShop's."""
    fields = ColumnNames(_TABLE, header).fields
    named = "name" in fields and ("id" in fields or "reference" in fields)
    marked = bool(fields & _DISTINCTIVE) or any(_LISTED in name for name in header)
    return named and marked and "title" not in header


def join_rows(header: Sequence[str], rows: Iterator[FeedRow]) -> Iterator[FeedRow]:
    """Yield one row for every product, with the column names of other feeds."""
    names = ColumnNames(_TABLE, header)
    uses: Counter[str] = Counter()
    counted: set[tuple[str, str]] = set()

    def key_of(cells: Mapping[str, str]) -> str:
        number, reference = cells.get("id", ""), cells.get("reference", "")
        if reference and (number, reference) not in counted:
            counted.add((number, reference))
            uses[reference] += 1
        return number or reference

    with grouped(rows, lambda row: names.rename(row.cells), key_of, "ID and no reference") as groups:
        for key in groups:
            if isinstance(key, FeedRow):
                yield key
            else:
                yield from _product(key, groups.rows(key), uses)


def _product(key: str, rows: Sequence[ExportRow], uses: Counter[str]) -> Iterator[FeedRow]:
    main = next((row for row in rows if row.cells.get("name")), rows[0])
    references = {row.cells["reference"] for row in rows if row.cells.get("reference")}
    reference = next(iter(references)) if len(references) == 1 else ""
    draft = ProductDraft(rows[0].line, reference if uses[reference] == 1 else key)
    if rejected := draft.rejection(_unpublished(main.cells), rows):
        yield rejected
        return
    rows = draft.own_rows(rows, main, "name", _identity)
    draft.add_variants([_variant(draft, row, main.cells) for row in rows])
    _describe(draft, main.cells)
    for row in rows:
        draft.pictures += [name if "://" in name else name.lstrip("/") for name in _split(row.cells.get("images", ""))]
    yield from draft.faults
    yield draft.row()


def _unpublished(cells: Mapping[str, str]) -> str:
    active, visibility = cells.get("active", ""), cells.get("visibility", "")
    if active and parse_flag(active) is False:
        return f"its status is {active[:40]!r}"
    if visibility.lower() == "none":
        return f"its visibility is {visibility!r}"
    return ""


def _identity(cells: dict[str, str]) -> Identity:
    values = (cells.get("reference", ""), cells.get("option_names", ""), cells.get("option_values", ""))
    return values if values[2] else ()


def _variant(draft: ProductDraft, row: ExportRow, main: Mapping[str, str]) -> Variant:
    cells = dict(main) | row.cells
    names, values = _split(cells.get("option_names", "")), _split(cells.get("option_values", ""))
    named = {
        free_name(name.split(":")[0]): value.split(":")[0] for name, value in zip(names, values, strict=False) if value
    }
    named |= {"sku": cells.get("reference", ""), "gtin": cells.get("gtin", "")}
    return Variant(row.line, _in_stock(draft, cells), _prices(draft, cells), named)


def _in_stock(draft: ProductDraft, cells: Mapping[str, str]) -> bool:
    if parse_flag(cells.get("orderable", "")) is False:
        return False
    quantity = cells.get("stock", "")
    return not quantity or draft.has_quantity(quantity, "quantity") or cells.get("out_of_stock", "") == _ALLOW


def _prices(draft: ProductDraft, cells: Mapping[str, str]) -> dict[str, str]:
    """Return the price that shoppers pay, with tax where the table has it, and the one after a discount."""
    price = cells.get("price_included") or cells.get("price_excluded", "")
    try:
        amount, currency = parse_price(price)
        sale = None if amount is None else _discounted(amount, cells)
    except BadRow:
        return {"price": price}
    reduced = "" if sale is None else f"{sale} {currency}".strip()
    return draft.sale_prices(price, reduced, _date(cells, "discount_starts"), _date(cells, "discount_ends"))


def _discounted(price: Decimal, cells: Mapping[str, str]) -> Decimal | None:
    amount = parse_price(cells.get("discount_amount", ""))[0]
    percent = parse_price(cells.get("discount_percent", "").replace("%", "").strip())[0]
    if amount and amount < price:
        return price - amount
    if percent and percent < 100:
        return (price * (100 - percent) / 100).quantize(_CENT, ROUND_HALF_UP)
    return None


def _date(cells: Mapping[str, str], field: str) -> str:
    """Return a date of a discount; PrestaShop writes zeros for none."""
    text = cells.get(field, "")
    return "" if text.startswith("0000") else text


def _describe(draft: ProductDraft, main: Mapping[str, str]) -> None:
    markup = main.get("description") or main.get("short_description", "")
    draft.cells |= {
        "title": main.get("name", ""),
        "description": plain_text(markup),
        "brand": main.get("brand", ""),
    }
    set_category(draft, _paths(main.get("categories", "")))
    draft.set_attribute("tags", ", ".join(_split(main.get("tags", ""))))
    draft.set_attribute("condition", main.get("condition", ""))
    draft.set_attribute("mpn", main.get("mpn", ""))
    for name, value in _features(main.get("features", "")):
        draft.collect(free_name(name), value)


def _paths(cell: str) -> list[list[str]]:
    """Return the categories as paths; a plain list names them from the root down, as PrestaShop links products to all.

    Numbers are ids of categories, which the table does not name.
    """
    pieces = [piece for piece in _split(cell) if not piece.isdecimal()]
    if any(re.search(r"[/>]", piece) for piece in pieces):
        paths = [[level.strip() for level in re.split("[/>]", piece)] for piece in pieces]
    else:
        paths = [pieces]
    return [[level for level in path if level.casefold() not in _HOMES] for path in paths]


def _features(cell: str) -> Iterator[tuple[str, str]]:
    """Yield (name, value) of "Material:Cotton:1:0,Care:Wash, dry:2"; a comma may stand in a value."""
    parts = cell.split(",")
    placed = any(part.count(":") > 1 and _PLACE.search(part) for part in parts)
    pending: list[str] = []
    colons = 0
    for part in parts:
        pending.append(part)
        colons += part.count(":")
        if (colons > 1 and _PLACE.search(part)) if placed else colons:
            name, _, rest = ",".join(pending).partition(":")
            yield name.strip(), _PLACE.sub("", rest).strip() if placed else rest.strip()
            pending, colons = [], 0


def _split(cell: str) -> list[str]:
    pieces = _NEXT_ADDRESS.split(cell) if "://" in cell else re.split("[,|]", cell)
    return [piece.strip() for piece in pieces if piece.strip()]
