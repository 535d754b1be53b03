"""Convert the products of a catalogue that an older version wrote: what were attributes are fields now."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

from catalog.product import Product, reduced_from
from catalog.storage import product_rows, word_index
from catalog.web_links import read_link

LINK, LIST_PRICE, GROUP = "link", "list_price", "item_group_id"

_COLUMNS = "SELECT name FROM pragma_table_info('products')"
_ADD_COLUMNS = (
    "ALTER TABLE products ADD COLUMN link TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE products ADD COLUMN list_price TEXT",
    "ALTER TABLE products ADD COLUMN item_group_id TEXT NOT NULL DEFAULT ''",
)
_SELECT_OLD = """SELECT key FROM products WHERE attributes LIKE '%"link":%' OR attributes LIKE '%"list_price":%'
    OR attributes LIKE '%"item_group_id":%' ORDER BY key"""
_UPDATE = "UPDATE products SET attributes = ?, link = ?, list_price = ?, item_group_id = ? WHERE key = ?"


def convert(db: sqlite3.Connection) -> None:
    """Add the columns that an older file lacks, and move the attributes of earlier imports into them.

    The change log gets no entry: the product is the same, and the next import of its feed finds it unchanged.
    """
    if LINK in {row[0] for row in db.execute(_COLUMNS)}:
        return
    for statement in _ADD_COLUMNS:
        db.execute(statement)
    keys = [row[0] for row in db.execute(_SELECT_OLD)]
    for first in range(0, len(keys), product_rows.CHUNK_PRODUCTS):
        chunk = keys[first : first + product_rows.CHUNK_PRODUCTS]
        for key, old in product_rows.read(db, chunk).items():
            new = with_fields(old)
            price = None if new.list_price is None else str(new.list_price)
            attributes = json.dumps(dict(new.attributes), ensure_ascii=False)
            db.execute(_UPDATE, (attributes, new.link, price, new.item_group_id, key))
            word_index.changed(db, key, old, new)


def with_fields(old: Product) -> Product:
    """Return a product with its link, list price and group as fields; a link that is no web address is left out."""
    attributes = dict(old.attributes)
    amount, _, currency = attributes.pop(LIST_PRICE, "").partition(" ")
    try:
        before = Decimal(amount) if amount and currency in ("", old.currency) else None
    except InvalidOperation:
        before = None
    return replace(
        old,
        link=read_link(attributes.pop(LINK, ""))[0],
        list_price=reduced_from(old.price, before),
        item_group_id=attributes.pop(GROUP, ""),
        attributes=MappingProxyType(attributes),
    )
