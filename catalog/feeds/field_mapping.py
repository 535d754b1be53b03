"""Map the columns of a feed to the fields of a product, and validate the fields of feed rows and product edits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from catalog.errors import BadRow
from catalog.feeds.picture_paths import PictureResolver
from catalog.feeds.rows.columns import (
    AVAILABILITY_COLUMNS,
    CATEGORY_COLUMNS,
    GROUP_COLUMN,
    LINK_COLUMNS,
    PICTURE_COLUMNS,
    PRICE_COLUMNS,
)
from catalog.feeds.rows.row import first
from catalog.feeds.stock_words import parse_availability
from catalog.money.habits import PriceHabits
from catalog.money.prices import current_price
from catalog.product import CATEGORY_SEPARATOR, Picture, Product, levels_of
from catalog.text.html import description_text, field_text, unescape
from catalog.web_links import read_link

MAX_ID = 500  # characters
MAX_TITLE = 2_000  # characters
MAX_PICTURES = 250

_EXACT_COLUMNS = frozenset((*PRICE_COLUMNS, *AVAILABILITY_COLUMNS, *PICTURE_COLUMNS, *LINK_COLUMNS))
_FIELDS = frozenset(
    ("id", "title", "brand", "description", GROUP_COLUMN, *PRICE_COLUMNS, *PICTURE_COLUMNS, *LINK_COLUMNS)
)
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


class MappedRow(NamedTuple):
    """A product, what is wrong with pictures of it, and which of its values were guessed or not understood."""

    product: Product
    faults: list[str]
    notes: list[str]


def product_from_row(
    cells: Mapping[str, Sequence[str]],
    folder: PictureResolver,
    origin: str,
    habits: Callable[[], PriceHabits] = PriceHabits,
) -> MappedRow:
    """Return the product of a row with what people should know of it; BadRow when the row cannot be a product.

    `habits` tells how the feed writes its prices, for those that can be read in two ways.
    """
    return product_with_pictures(cells, lambda found: _pictures(found, folder), origin, habits)


def product_with_pictures(
    cells: Mapping[str, Sequence[str]],
    pictures_of: Callable[[Mapping[str, Sequence[str]]], tuple[tuple[Picture, ...], list[str]]],
    origin: str = "",
    habits: Callable[[], PriceHabits] = PriceHabits,
) -> MappedRow:
    """Return the product of a row as `product_from_row` does; `pictures_of` finds its pictures, and what is wrong."""
    cells = _without_entities(cells)
    product_id = checked_id(first(cells, "id"))
    title = clean_title(first(cells, "title"))
    if not title:
        raise BadRow("no title")
    price, currency, list_price, price_notes = current_price(cells, habits)
    category_column = next((name for name in CATEGORY_COLUMNS if cells.get(name)), "")
    stock_columns, in_stock, stock_notes = _availability(cells)
    attributes = {
        name: field_text(values[0]) if len(values) == 1 else ", ".join(dict.fromkeys(map(field_text, values)))
        for name, values in cells.items()
        if values and name not in _FIELDS and name != category_column and name not in stock_columns
    }
    pictures, faults = pictures_of(cells)
    link, link_notes = _link(cells)
    product = Product(
        id=product_id,
        title=title,
        pictures=pictures,
        category=clean_category(first(cells, category_column)),
        price=price,
        currency=currency,
        in_stock=in_stock,
        brand=field_text(first(cells, "brand")),
        attributes=MappingProxyType(attributes),
        description=description_text(first(cells, "description")),
        link=link,
        list_price=list_price,
        item_group_id=clean_group(first(cells, GROUP_COLUMN)),
        origin=origin,
    )
    return MappedRow(product, faults, [*price_notes, *stock_notes, *link_notes])


def _without_entities(cells: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    """Return the cells with HTML entities resolved in prices, stock words and addresses: "12,90&nbsp;&euro;"."""
    escaped = [name for name in cells.keys() & _EXACT_COLUMNS if "&" in "".join(cells[name])]
    if not escaped:
        return cells
    return {**cells, **{name: [unescape(value).strip() for value in cells[name]] for name in escaped}}


def checked_id(text: str) -> str:
    """Return the id when it can be one; BadRow when it is empty, too long, or holds control characters."""
    if not text:
        raise BadRow("no id")
    if len(text) > MAX_ID:
        raise BadRow(f"the id is longer than {MAX_ID} characters")
    if CONTROLS.search(text):
        raise BadRow(f"the id {text[:80]!r} holds line breaks or control characters")
    return text


def clean_title(text: str) -> str:
    """Return a title on one line, without HTML and control characters, perhaps ""; BadRow when it is too long."""
    title = " ".join(CONTROLS.sub(" ", field_text(text)).split())
    if len(title) > MAX_TITLE:
        raise BadRow(f"the title is longer than {MAX_TITLE:,} characters")
    return title


def clean_category(text: str) -> str:
    """Return a category with one separator between its levels: "Apparel&gt;Shirts > " -> "Apparel > Shirts"."""
    return CATEGORY_SEPARATOR.join(levels_of(field_text(text)))


def clean_group(text: str) -> str:
    """Return the id that the variants of one product share, on one line, at most as long as an id."""
    return " ".join(CONTROLS.sub(" ", field_text(text)).split())[:MAX_ID]


def _link(cells: Mapping[str, Sequence[str]]) -> tuple[str, list[str]]:
    """Return the address of the product's page in its own shop, "" without one, and notes on what is no address."""
    notes: list[str] = []
    for text in (value for name in LINK_COLUMNS for value in cells.get(name, ())):
        link, fault = read_link(text)
        if link:
            return link, []
        notes.append(f"the link to the product's page is left out: {fault}")
    return "", notes


def _availability(cells: Mapping[str, Sequence[str]]) -> tuple[set[str], bool, list[str]]:
    """Return the columns read, whether the product is in stock, and notes on words that are not understood.

    The shop lists the product, so it is in stock unless the feed says that it is not.
    """
    columns: set[str] = set()
    notes = []
    for name in AVAILABILITY_COLUMNS:
        if text := first(cells, name):
            columns.add(name)
            if (in_stock := parse_availability(text)) is not None:
                return columns, in_stock, []
            notes.append(f"{name} is {text[:40]!r}, which is not understood: shown as in stock")
    return columns, True, notes


def _pictures(cells: Mapping[str, Sequence[str]], folder: PictureResolver) -> tuple[tuple[Picture, ...], list[str]]:
    """Return the row's pictures, and why others are left out or are those of an earlier import.

    BadRow when no picture can be used.
    """
    names = [name for column in PICTURE_COLUMNS for cell in cells.get(column, ()) for name in folder.split(cell)]
    if not names:
        raise BadRow("no picture")
    if len(names) > MAX_PICTURES:
        raise BadRow(f"{len(names):,} pictures; a product may have {MAX_PICTURES}")
    found, faults = [], []
    for name in dict.fromkeys(names):
        try:
            found.append(folder.find(name))
        except BadRow as error:
            faults.append(error.message)
        else:
            faults += filter(None, [folder.why_stale(name)])
    if not found:
        raise BadRow("; ".join(faults[:3]) + (f"; and {len(faults) - 3} more" if len(faults) > 3 else ""))
    return tuple(Picture(path) for path in dict.fromkeys(found)), faults
