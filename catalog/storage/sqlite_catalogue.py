"""The catalogue in one file of SQLite, the embedded default."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from catalog.errors import UnknownProduct
from catalog.price_history.price_history import PriceHistory
from catalog.product import Picture, Product
from catalog.storage import modification_times, older_schemas, price_rows, product_rows, word_index
from catalog.storage.catalogue import Catalogue, Change, PictureRow, ReplaceCounts
from catalog.storage.connections import Connections
from catalog.storage.history import NEVER
from catalog.storage.modification_times import KeyRange
from catalog.storage.restoration import ProductHistory
from catalog.storage.sqlite import copy_database
from catalog.storage.word_index import LAST_SEQ, SqliteWords, Words

_BACKUP_PAGES = 4_096
_META_PREFIX = "note."

_KEYS_OF = "SELECT key FROM products WHERE id IN (SELECT value FROM json_each(?)) ORDER BY key"
_SELECT_CATEGORIES = "SELECT key, category FROM products WHERE key IN (SELECT value FROM json_each(?))"
_UPDATE_PATHS = "UPDATE pictures SET path = ? || substr(path, ?) WHERE substr(path, 1, ?) = ?"
_KEYS_CHANGED = "SELECT key FROM products WHERE id IN (SELECT product_id FROM changes WHERE seq > ?) ORDER BY key"
_SELECT_CHANGES = "SELECT seq, product_id, kind FROM changes WHERE seq > ? ORDER BY seq LIMIT ?"
_SELECT_PICTURE = "SELECT path, sha256, width, height FROM pictures WHERE sha256 = ? ORDER BY product_key LIMIT 1"
_SELECT_IDS = "SELECT key, id FROM products WHERE key > ? ORDER BY key LIMIT ?"
_SELECT_TITLES = "SELECT key, title FROM products WHERE key > ? ORDER BY key LIMIT ?"
_PICTURE_ROWS = """SELECT product.key, position, sha256, path, title
    FROM (SELECT key, title FROM products WHERE key > ? ORDER BY key LIMIT ?) AS product
    LEFT JOIN pictures ON product_key = product.key ORDER BY product.key, position"""


class SqliteCatalogue(Catalogue):
    """The products of a shop in a file. Each thread works on its own connection."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._read = connections.snapshot
        self._write = connections.transaction
        self.history = ProductHistory(connections, product_rows)
        self.price_history = PriceHistory(connections, price_rows.STATEMENTS, price_rows.rewrite)

    @staticmethod
    def open(path: Path) -> SqliteCatalogue:
        """Open the catalogue at `path`, created when absent. Raises DamagedStore, NewerStore, StoreError."""
        connections = Connections.open(path)
        try:
            connections.upgrade(older_schemas.convert, _fill)
        except BaseException:
            connections.close()
            raise
        return SqliteCatalogue(connections)

    def close(self) -> None:
        """Close every thread's connection; the catalogue cannot be used afterwards."""
        self._connections.close()

    def put(self, products: Iterable[Product]) -> None:
        """Add or overwrite products by id, all or none of them; log each change, but not an equal product."""
        with self._write() as db:
            product_rows.put(db, products)

    @contextmanager
    def replacing(self, products: Iterable[Product]) -> Iterator[ReplaceCounts]:
        """Do as `replace`, and commit when the block ends without an error.

        Within the block this thread reads the new state, other threads the old one, and nobody else can write.
        """
        with self._connections.importing() as db:
            db.execute("CREATE TEMP TABLE IF NOT EXISTS kept (id TEXT PRIMARY KEY) WITHOUT ROWID")
            db.execute("DELETE FROM temp.kept")
            added, changed, unchanged = product_rows.put(db, product_rows.record_ids(db, products), NEVER)
            gone = db.execute("SELECT id FROM products WHERE id NOT IN (SELECT id FROM temp.kept) ORDER BY key")
            removed = product_rows.remove(db, [row[0] for row in gone.fetchall()], NEVER)
            self.history.settle(db)
            yield ReplaceCounts(added, changed, removed, unchanged)

    @contextmanager
    def applying(
        self, products: Iterable[Product], gone: Iterable[str], generation: int = NEVER
    ) -> Iterator[ReplaceCounts]:
        """Put these products and remove those ids, as an import; commit as `replacing` does.

        `generation` is the current one when the import makes none: the change is then part of that one's products.
        """
        with self._connections.importing() as db:
            added, changed, unchanged = product_rows.put(db, products, generation)
            self.history.settle(db)
            yield ReplaceCounts(added, changed, product_rows.remove(db, list(gone), generation), unchanged)

    def remove(self, ids: Iterable[str]) -> int:
        """Remove products by id, log it and return how many there were; ignore unknown ids."""
        with self._write() as db:
            return product_rows.remove(db, list(ids))

    def get(self, product_id: str) -> Product:
        """Return one product. Raises UnknownProduct when none has that id."""
        with self._read():
            key = self.key_of(product_id)
            return self.get_many([key])[key]

    def get_many(self, keys: Sequence[int]) -> dict[int, Product]:
        """Return the products of these keys by key, in the order of `keys`, without keys that no product has."""
        wanted = [int(key) for key in keys]
        with self._read() as db:
            found = product_rows.read(db, wanted)
        return {key: found[key] for key in wanted if key in found}

    def categories(self, keys: Sequence[int]) -> dict[int, str]:
        """Return the categories of these keys by key, without keys that no product has."""
        with self._read() as db:
            return dict(db.execute(_SELECT_CATEGORIES, (json.dumps([int(key) for key in keys]),)).fetchall())

    def find(self, ids: Iterable[str]) -> dict[str, tuple[int, Product]]:
        """Return key and product by id, without ids that no product has."""
        with self._read() as db:
            found = product_rows.read(db, self.keys_of(ids))
            return {product.id: (key, product) for key, product in found.items()}

    def keys_of(self, ids: Iterable[str]) -> list[int]:
        """Return the keys of these ids, ascending, without ids that no product has."""
        with self._read() as db:
            return [row[0] for row in db.execute(_KEYS_OF, (json.dumps(list(ids)),))]

    def ids(self) -> Iterator[tuple[int, str]]:
        """Return an iterator of every key and id in key order, which reads a page at a time."""
        return itertools.chain.from_iterable(self._pages(_SELECT_IDS))

    def titles(self) -> Iterator[tuple[int, str]]:
        """Return an iterator of every key and title in key order, which reads a page at a time."""
        return itertools.chain.from_iterable(self._pages(_SELECT_TITLES))

    def key_ranges(self, size: int) -> list[KeyRange]:
        """Return the ranges of `size` keys that have products, in order, each with the time of its last change."""
        with self._read() as db:
            return modification_times.key_ranges(db, size)

    def times_between(self, first: int, last: int) -> dict[str, str]:
        """Return the time of the last change, ISO in UTC, of each product with a key from `first` to `last`, by id."""
        with self._read() as db:
            return modification_times.times_between(db, first, last)

    def keys_changed(self, after: int) -> list[int]:
        """Return the keys of present products that a change with a number above `after` has put."""
        with self._read() as db:
            return [row[0] for row in db.execute(_KEYS_CHANGED, (after,))]

    def iter_picture_rows(self) -> Iterator[list[PictureRow]]:
        """Yield the pictures of every product in the order of an index's rows, a page of products at a time."""
        for page in self._pages(_PICTURE_ROWS):
            yield [PictureRow(*row) for row in page if row[2] is not None]

    def set_meta(self, name: str, value: str | None) -> None:
        """Store a text about the catalogue under a name, or delete it with None; joins an open transaction."""
        with self._connections.checked() as db:
            if value is None:
                db.execute("DELETE FROM meta WHERE name = ?", (_META_PREFIX + name,))
            else:
                db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_META_PREFIX + name, value))

    def get_meta(self, name: str) -> str | None:
        """Return the text stored by `set_meta` under that name."""
        with self._read() as db:
            row = db.execute("SELECT value FROM meta WHERE name = ?", (_META_PREFIX + name,)).fetchone()
        return None if row is None else str(row[0])

    def move_pictures(self, old: str, new: str) -> None:
        """Replace the beginning `old` of picture paths by `new`, without logging a change of the products."""
        with self._write() as db:
            db.execute(_UPDATE_PATHS, (new, len(old) + 1, len(old), old))

    def faults(self) -> list[str]:
        """Return SQLite's findings about the integrity of the file, at most ten; reads all of the file."""
        with self._read() as db:
            rows = [str(row[0]) for row in db.execute("PRAGMA integrity_check(10)")]
        return [] if rows == ["ok"] else rows

    def copy_to(self, path: Path) -> None:
        """Copy the catalogue as it is now to another file, while others read and write it."""
        with self._connections.checked() as db:
            copy_database(db, path, _BACKUP_PAGES)

    def key_of(self, product_id: str) -> int:
        """Return a product's key, which never changes and no other product gets. Raises UnknownProduct."""
        with self._read() as db:
            key = product_rows.key_of(db, product_id)
        if key is None:
            problem = f"No product has the id {product_id[:100]!r}."
            raise UnknownProduct(problem, "Search for it, or check the feed's ids.")
        return key

    def keys(self) -> list[int]:
        """Return the keys of all products, ascending."""
        with self._read() as db:
            return [row[0] for row in db.execute("SELECT key FROM products ORDER BY key")]

    def _key_pages(self) -> Iterator[list[int]]:
        for page in self._pages(_SELECT_IDS):
            yield [key for key, _ in page]

    def picture(self, sha256: str) -> Picture | None:
        """Return the picture with that content hash, or None when no product has it."""
        with self._read() as db:
            row = db.execute(_SELECT_PICTURE, (sha256,)).fetchone()
        return Picture(*row) if row else None

    @contextmanager
    def words(self) -> Iterator[Words]:
        """Yield the word index; all reads within the block see the same state."""
        with self._read() as db:
            yield SqliteWords(db)

    def count(self) -> int:
        """Return the number of products."""
        return self._number("SELECT count(*) FROM products")

    def pictures_count(self) -> int:
        """Return the number of pictures of all products; a picture of two products counts twice."""
        return self._number("SELECT count(*) FROM pictures")

    @property
    def seq(self) -> int:
        """The number of the last logged change; 0 before the first."""
        return self._number(LAST_SEQ)

    def changes(self, after: int = 0, limit: int = -1) -> list[Change]:
        """Return the changes with a number above `after`, in order, at most `limit` unless that is -1."""
        with self._read() as db:
            return [Change(*row) for row in db.execute(_SELECT_CHANGES, (after, limit))]

    def _pages(self, query: str) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of a query for the keys above one, a page of products at a time."""
        last = 0
        while page := self._page(query, last):
            yield page
            last = page[-1][0]

    def _page(self, query: str, after: int) -> list[tuple[Any, ...]]:
        with self._read() as db:
            return db.execute(query, (after, product_rows.CHUNK_PRODUCTS)).fetchall()

    def _number(self, query: str) -> int:
        with self._read() as db:
            return int(db.execute(query).fetchone()[0])


def _fill(db: sqlite3.Connection) -> bool:
    """Give some products of an older catalogue what they lack, words first; return whether none is left."""
    return word_index.fill(db, product_rows.read) and price_rows.fill(db)
