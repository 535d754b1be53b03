"""Read and write products as rows of the catalogue's tables, and log every change."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from catalog.errors import DamagedStore
from catalog.product import Picture, Product
from catalog.storage import history, price_rows, word_index
from catalog.storage.history import WrittenProduct
from catalog.storage.restoration import HistoryStatements

CHUNK_PRODUCTS = 500  # products read or written at once

_SELECT_PRODUCTS = """SELECT key, id, title, category, price, currency, in_stock, brand, attributes, description,
    origin, link, list_price, item_group_id FROM products WHERE key IN (SELECT value FROM json_each(?)) ORDER BY key"""
_SELECT_PICTURES = """SELECT product_key, path, sha256, width, height FROM pictures
    WHERE product_key IN (SELECT value FROM json_each(?)) ORDER BY product_key, position"""
_INSERT_PRODUCT = """INSERT INTO products
    (id, title, category, price, currency, in_stock, brand, attributes, description, origin, link, list_price,
    item_group_id, key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_UPDATE_PRODUCT = """UPDATE products SET id = ?, title = ?, category = ?, price = ?, currency = ?, in_stock = ?,
    brand = ?, attributes = ?, description = ?, origin = ?, link = ?, list_price = ?, item_group_id = ? WHERE key = ?"""
_INSERT_CHANGE = "INSERT INTO changes (seq, product_id, kind, at) VALUES (?, ?, ?, ?)"
_INSERT_PICTURE = "INSERT INTO pictures (product_key, position, path, sha256, width, height) VALUES (?, ?, ?, ?, ?, ?)"
_DELETE_LAST_KEY = "DELETE FROM sqlite_sequence WHERE name = 'products'"
_INSERT_LAST_KEY = "INSERT INTO sqlite_sequence (name, seq) VALUES ('products', ?)"
STATEMENTS = HistoryStatements(
    changed="""SELECT product_id, json_group_array(seq) FROM changes WHERE seq > ? AND seq <= ?
    GROUP BY product_id ORDER BY product_id""",
    steps="""SELECT product_id, history.key, generation, before FROM changes JOIN history USING (seq)
    WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY product_id, seq""",
    undone="""SELECT product_id, before FROM changes JOIN history USING (seq) WHERE seq > ? AND seq <= ?
    ORDER BY seq""",
    unrecorded="""SELECT 1 FROM changes WHERE seq > ? AND seq NOT IN (SELECT seq FROM history WHERE seq > ?)
    LIMIT 1""",
    imported="SELECT 1 FROM history WHERE seq > ? AND generation IS NOT NULL LIMIT 1",
    pictures="""SELECT DISTINCT json_extract(picture.value, '$[1]')
    FROM history, json_each(history.before, '$.pictures') AS picture WHERE generation IS NOT NULL""",
    set_meta="INSERT OR REPLACE INTO meta VALUES (?, ?)",
    get_meta="SELECT value FROM meta WHERE name = ?",
    delete_meta="DELETE FROM meta WHERE name = ?",
    forget="DELETE FROM history WHERE seq <= ?",
)

_to_json = json.JSONEncoder(ensure_ascii=False).encode
NEW_KEYS: Mapping[str, int] = MappingProxyType({})


def put(
    db: sqlite3.Connection,
    products: Iterable[Product],
    generation: int | None = None,
    restored: Mapping[str, int] = NEW_KEYS,
    prices: bool = True,
) -> tuple[int, int, int]:
    """Write products; return the numbers added, changed and unchanged. Of products with one id, the last wins.

    `generation` is whose products the change belongs to, as `history` has it. A product that is not there gets the key
    that it has in `restored`, or else a new one. Without `prices`, `record_prices` has to be called.
    """
    added = changed = unchanged = 0
    source = iter(products)
    while chunk := {product.id: product for product in itertools.islice(source, CHUNK_PRODUCTS)}:
        keys = {product_id: key for product_id in chunk if (key := key_of(db, product_id)) is not None}
        known = read(db, list(keys.values()))
        fresh = [product for product_id, product in chunk.items() if product_id not in keys]
        new_keys = _insert_products(db, fresh, restored)
        written = []
        for product in chunk.values():
            before = known.get(keys.get(product.id, 0))
            if before is None:
                written.append(WrittenProduct(new_keys[product.id], None, product))
                added += 1
            elif product != before:
                key = keys[product.id]
                _update_product(db, key, product)
                written.append(WrittenProduct(key, before, product))
                changed += 1
            else:
                if product.origin != before.origin:  # line numbers shift without a change of the product
                    db.execute("UPDATE products SET origin = ? WHERE key = ?", (product.origin, keys[product.id]))
                unchanged += 1
        _record(db, written, "put", generation, prices)
    return added, changed, unchanged


def key_of(db: sqlite3.Connection, product_id: str) -> int | None:
    """Return the key of a product, or None when no product has that id."""
    row = db.execute("SELECT key FROM products WHERE id = ?", (product_id,)).fetchone()
    return None if row is None else int(row[0])


def values_of(product: Product) -> tuple[Any, ...]:
    """Return the columns of a product's row but its key, from id to item_group_id."""
    return (
        product.id,
        product.title,
        product.category,
        _amount_text(product.price),
        product.currency,
        product.in_stock,
        product.brand,
        _to_json(dict(product.attributes)),
        product.description,
        product.origin,
        product.link,
        _amount_text(product.list_price),
        product.item_group_id,
    )


def _insert_products(
    db: sqlite3.Connection, products: Sequence[Product], restored: Mapping[str, int]
) -> dict[str, int]:
    """Write products that are not there; return their keys."""
    keys, last = {}, _last_number(db, "products")
    for product in products:
        key = restored.get(product.id)
        if key is None:
            key = last + 1
        keys[product.id], last = key, max(last, key)
    db.executemany(_INSERT_PRODUCT, [(*values_of(product), keys[product.id]) for product in products])
    return keys


def _update_product(db: sqlite3.Connection, key: int, product: Product) -> None:
    db.execute(_UPDATE_PRODUCT, (*values_of(product), key))
    db.execute("DELETE FROM pictures WHERE product_key = ?", (key,))


def _last_number(db: sqlite3.Connection, table: str) -> int:
    """Return the largest key that SQLite ever gave out in a table: AUTOINCREMENT gives none twice."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return 0 if row is None else int(row[0])


def record_prices(db: sqlite3.Connection, changed: Iterable[tuple[Product | None, Product | None]]) -> None:
    """Record what products cost before and after changes that were written without their prices."""
    price_rows.record_many(db, changed)


def reserve_keys(db: sqlite3.Connection, count: int) -> int:
    """Keep the next `count` keys from new products; return the first of them."""
    last = _last_number(db, "products")
    if count:
        db.execute(_DELETE_LAST_KEY)
        db.execute(_INSERT_LAST_KEY, (last + count,))
    return last + 1


def _record(
    db: sqlite3.Connection, written: Sequence[WrittenProduct], kind: str, generation: int | None, prices: bool
) -> None:
    """Write what belongs to products that were written or removed: pictures, words, the log and both histories."""
    pictures = [
        (row.key, place, picture.path, picture.sha256, picture.width, picture.height)
        for row in written
        if row.new is not None
        for place, picture in enumerate(row.new.pictures)
    ]
    db.executemany(_INSERT_PICTURE, pictures)
    word_index.changed_many(db, written)
    at = datetime.now(timezone.utc).isoformat(timespec="seconds")
    first = _last_number(db, "changes") + 1
    db.executemany(_INSERT_CHANGE, [(seq, row.product_id, kind, at) for seq, row in enumerate(written, first)])
    history.record_many(db, first, written, generation)
    if prices:
        price_rows.record_many(db, [(row.old, row.new) for row in written])


def _amount_text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def remove(db: sqlite3.Connection, ids: Sequence[str], generation: int | None = None, prices: bool = True) -> int:
    """Remove products by id and return how many there were; ignore unknown ids. The rest is as in `put`."""
    keys = {product_id: key for product_id in ids if (key := key_of(db, product_id)) is not None}
    present = list(keys)
    for first in range(0, len(present), CHUNK_PRODUCTS):
        chunk = [keys[product_id] for product_id in present[first : first + CHUNK_PRODUCTS]]
        written = [WrittenProduct(key, product, None) for key, product in read(db, chunk).items()]
        _record(db, written, "remove", generation, prices)
    db.executemany("DELETE FROM products WHERE id = ?", [(product_id,) for product_id in present])
    return len(present)


def record_ids(db: sqlite3.Connection, products: Iterable[Product]) -> Iterator[Product]:
    """Yield the products, and insert their ids into the temporary table `kept`."""
    for product in products:
        db.execute("INSERT OR IGNORE INTO temp.kept VALUES (?)", (product.id,))
        yield product


def read(db: sqlite3.Connection, keys: Sequence[int]) -> dict[int, Product]:
    """Read products with their pictures by key, in key order, with two queries."""
    wanted = (json.dumps(keys),)
    pictures: dict[int, list[Picture]] = {}
    for key, *picture in db.execute(_SELECT_PICTURES, wanted):
        pictures.setdefault(key, []).append(Picture(*picture))
    return {row[0]: product_of(row, pictures.get(row[0], [])) for row in db.execute(_SELECT_PRODUCTS, wanted)}


def product_of(row: tuple[Any, ...], pictures: list[Picture]) -> Product:
    """Return the product of a row, key first and attributes as JSON. Raises DamagedStore."""
    key, product_id, title, category, price, currency, in_stock, brand, attributes, description, origin, *added = row
    link, list_price, item_group_id = added
    try:
        return Product(
            id=product_id,
            title=title,
            pictures=tuple(pictures),
            category=category,
            price=_amount(price),
            currency=currency,
            in_stock=bool(in_stock),
            brand=brand,
            attributes=MappingProxyType(json.loads(attributes)),
            description=description,
            link=link,
            list_price=_amount(list_price),
            item_group_id=item_group_id,
            origin=origin,
        )
    except (ValueError, ArithmeticError) as error:
        raise DamagedStore(f"The catalogue's row {key} is broken.", "Restore the catalogue from a backup.") from error
