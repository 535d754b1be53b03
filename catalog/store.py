"""The catalogue: every product and picture of a shop in one SQLite file, and a log of every change."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from catalog.connections import Connections
from catalog.errors import DamagedStore, UnknownProduct
from catalog.product import Picture, Product

_CHUNK = 500

_PRODUCTS = """SELECT key, id, title, category, price, currency, in_stock, brand, attributes, description, origin
    FROM products WHERE key IN (SELECT value FROM json_each(?)) ORDER BY key"""
_PICTURES = """SELECT product_key, path, sha256, width, height FROM pictures
    WHERE product_key IN (SELECT value FROM json_each(?)) ORDER BY product_key, position"""
_INSERT = """INSERT INTO products
    (id, title, category, price, currency, in_stock, brand, attributes, description, origin)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_UPDATE = """UPDATE products SET id = ?, title = ?, category = ?, price = ?, currency = ?, in_stock = ?, brand = ?,
    attributes = ?, description = ?, origin = ? WHERE key = ?"""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the change log: `kind` is "put" or "remove"."""

    seq: int
    product_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """What `Catalogue.replace` did, in products."""

    added: int
    changed: int
    removed: int
    unchanged: int


class Catalogue:
    """The truth about every product; may be shared by threads, each works on a connection of its own."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    @classmethod
    def open(cls, path: Path) -> Catalogue:
        """Open the catalogue at `path`, made when absent; DamagedStore, NewerStore or StoreError when it cannot be."""
        return cls(Connections.open(path))

    def close(self) -> None:
        """Close every thread's connection; the catalogue cannot be used afterwards."""
        self._connections.close()

    def put(self, products: Iterable[Product]) -> None:
        """Add or overwrite products by id, all or none of them; each real change is logged, an equal product is not."""
        with self._write() as db:
            _put(db, products)

    def replace(self, products: Iterable[Product]) -> Replaced:
        """Make the catalogue equal to `products`: what is not among them is removed; all of it or nothing."""
        with self.replacing(products) as replaced:
            return replaced

    @contextmanager
    def replacing(self, products: Iterable[Product]) -> Iterator[Replaced]:
        """Do as `replace` for the block's own thread; everybody else sees it when the block ends without an error.

        Within the block this thread reads the new state, others the old one, and nobody else can write.
        """
        with self._write() as db:
            db.execute("CREATE TEMP TABLE IF NOT EXISTS kept (id TEXT PRIMARY KEY) WITHOUT ROWID")
            db.execute("DELETE FROM temp.kept")
            added, changed, unchanged = _put(db, _noting(db, products))
            gone = db.execute("SELECT id FROM products WHERE id NOT IN (SELECT id FROM temp.kept) ORDER BY key")
            removed = _remove(db, [row[0] for row in gone.fetchall()])
            yield Replaced(added, changed, removed, unchanged)

    def remove(self, ids: Iterable[str]) -> int:
        """Remove products by id and log it; ids that are not there are passed over. Returns how many were."""
        with self._write() as db:
            return _remove(db, list(ids))

    def get(self, product_id: str) -> Product:
        """Return one product; UnknownProduct when there is none with that id."""
        with self._read() as db:
            key = _key(db, product_id)
            found = _products(db, [] if key is None else [key])
        if not found:
            raise _unknown(product_id)
        return next(iter(found.values()))

    def get_many(self, keys: Sequence[int]) -> dict[int, Product]:
        """Return the products of these keys, in the order asked; keys that are gone are left out."""
        wanted = [int(key) for key in keys]
        with self._read() as db:
            found = _products(db, wanted)
        return {key: found[key] for key in wanted if key in found}

    def key_of(self, product_id: str) -> int:
        """Return a product's key, which never changes and is never given to another; UnknownProduct when absent."""
        with self._read() as db:
            key = _key(db, product_id)
        if key is None:
            raise _unknown(product_id)
        return key

    def keys(self) -> list[int]:
        """Return the keys of all products, rising."""
        with self._read() as db:
            return [row[0] for row in db.execute("SELECT key FROM products ORDER BY key")]

    def iterate(self) -> Iterator[tuple[int, Product]]:
        """Yield every key and product in key order, a page at a time: what is put meanwhile may or may not show."""
        last = 0
        while True:
            with self._read() as db:
                rows = db.execute("SELECT key FROM products WHERE key > ? ORDER BY key LIMIT ?", (last, _CHUNK))
                keys = [row[0] for row in rows]
                page = _products(db, keys)
            if not keys:
                return
            yield from page.items()
            last = keys[-1]

    def picture(self, sha256: str) -> Picture | None:
        """Return the picture with that content hash; None when no product has it."""
        with self._read() as db:
            row = db.execute(
                "SELECT path, sha256, width, height FROM pictures WHERE sha256 = ? ORDER BY product_key LIMIT 1",
                (sha256,),
            ).fetchone()
        return Picture(*row) if row else None

    def count(self) -> int:
        """Return how many products there are."""
        return self._number("SELECT count(*) FROM products")

    def pictures_count(self) -> int:
        """Return how many pictures the products have, a shared one counted for each."""
        return self._number("SELECT count(*) FROM pictures")

    @property
    def seq(self) -> int:
        """The number of the last logged change; 0 before the first."""
        return self._number("SELECT coalesce(max(seq), 0) FROM changes")

    def changes(self, after: int = 0) -> list[Change]:
        """Return the logged changes whose number is above `after`, in order."""
        with self._read() as db:
            rows = db.execute("SELECT seq, product_id, kind FROM changes WHERE seq > ? ORDER BY seq", (after,))
            return [Change(*row) for row in rows]

    def _number(self, query: str) -> int:
        with self._read() as db:
            return int(db.execute(query).fetchone()[0])

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with self._connections.snapshot() as db:
            yield db

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._connections.transaction() as db:
            yield db


def _put(db: sqlite3.Connection, products: Iterable[Product]) -> tuple[int, int, int]:
    """Write products, and return how many were added, changed and left as they were; of equal ids the last stands."""
    added = changed = unchanged = 0
    source = iter(products)
    while chunk := {product.id: product for product in itertools.islice(source, _CHUNK)}:
        keys = {product_id: _key(db, product_id) for product_id in chunk}
        known = _products(db, [key for key in keys.values() if key is not None])
        for product in chunk.values():
            key = keys[product.id]
            if key is None:
                _write_product(db, None, product)
                added += 1
            elif product != known[key]:
                _write_product(db, key, product)
                changed += 1
            else:
                if product.origin != known[key].origin:  # line numbers shift; that is no change of the product
                    db.execute("UPDATE products SET origin = ? WHERE key = ?", (product.origin, key))
                unchanged += 1
    return added, changed, unchanged


def _key(db: sqlite3.Connection, product_id: str) -> int | None:
    row = db.execute("SELECT key FROM products WHERE id = ?", (product_id,)).fetchone()
    return None if row is None else int(row[0])


def _write_product(db: sqlite3.Connection, key: int | None, product: Product) -> None:
    values = (
        product.id,
        product.title,
        product.category,
        None if product.price is None else str(product.price),
        product.currency,
        product.in_stock,
        product.brand,
        json.dumps(dict(product.attributes), ensure_ascii=False),
        product.description,
        product.origin,
    )
    if key is None:
        key = db.execute(_INSERT, values).lastrowid
    else:
        db.execute(_UPDATE, (*values, key))
        db.execute("DELETE FROM pictures WHERE product_key = ?", (key,))
    db.executemany(
        "INSERT INTO pictures (product_key, position, path, sha256, width, height) VALUES (?, ?, ?, ?, ?, ?)",
        [(key, place, p.path, p.sha256, p.width, p.height) for place, p in enumerate(product.pictures)],
    )
    _log(db, [product.id], "put")


def _remove(db: sqlite3.Connection, ids: list[str]) -> int:
    found = [product_id for product_id in dict.fromkeys(ids) if _key(db, product_id) is not None]
    db.executemany("DELETE FROM products WHERE id = ?", [(product_id,) for product_id in found])
    _log(db, found, "remove")
    return len(found)


def _log(db: sqlite3.Connection, ids: Sequence[str], kind: str) -> None:
    at = datetime.now(timezone.utc).isoformat(timespec="seconds")
    db.executemany(
        "INSERT INTO changes (product_id, kind, at) VALUES (?, ?, ?)", [(product_id, kind, at) for product_id in ids]
    )


def _noting(db: sqlite3.Connection, products: Iterable[Product]) -> Iterator[Product]:
    for product in products:
        db.execute("INSERT OR IGNORE INTO temp.kept VALUES (?)", (product.id,))
        yield product


def _products(db: sqlite3.Connection, keys: Sequence[int]) -> dict[int, Product]:
    """Read products with their pictures, in key order: two queries, however many they are."""
    wanted = (json.dumps(keys),)
    pictures: dict[int, list[Picture]] = {}
    for key, *picture in db.execute(_PICTURES, wanted):
        pictures.setdefault(key, []).append(Picture(*picture))
    return {row[0]: _product(row, pictures.get(row[0], [])) for row in db.execute(_PRODUCTS, wanted)}


def _product(row: tuple[Any, ...], pictures: list[Picture]) -> Product:
    key, product_id, title, category, price, currency, in_stock, brand, attributes, description, origin = row
    try:
        return Product(
            id=product_id,
            title=title,
            pictures=tuple(pictures),
            category=category,
            price=None if price is None else Decimal(price),
            currency=currency,
            in_stock=bool(in_stock),
            brand=brand,
            attributes=MappingProxyType(json.loads(attributes)),
            description=description,
            origin=origin,
        )
    except (ValueError, ArithmeticError) as error:
        raise DamagedStore(f"The catalogue's row {key} is broken.", "Restore the catalogue from a backup.") from error


def _unknown(product_id: str) -> UnknownProduct:
    return UnknownProduct(f"No product has the id {product_id[:100]!r}.", "Search for it, or check the feed's ids.")
