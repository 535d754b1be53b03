"""The catalogue in one file of SQLite, the embedded default."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from catalog.price_history.price_history import PriceHistory
from catalog.product import Product
from catalog.storable import storable
from catalog.storage import modification_times, older_schemas, price_rows, product_rows, word_index
from catalog.storage.catalogue import Catalogue, CatalogueStatements, ReplaceCounts
from catalog.storage.connections import Connections
from catalog.storage.history import NEVER
from catalog.storage.modification_times import KeyRange
from catalog.storage.sqlite import copy_database
from catalog.storage.word_index import SqliteWords, Words

_BACKUP_PAGES = 4_096
_SELECT_ANY = "SELECT 1 FROM meta LIMIT 1"
_META_PREFIX = "note."

_KEYS_OF = "SELECT key FROM products WHERE id IN (SELECT value FROM json_each(?)) ORDER BY key"
_SELECT_CATEGORIES = "SELECT key, category FROM products WHERE key IN (SELECT value FROM json_each(?))"
_UPDATE_PATHS = "UPDATE pictures SET path = ? || substr(path, ?) WHERE substr(path, 1, ?) = ?"
_STATEMENTS = CatalogueStatements(
    ids="SELECT key, id FROM products WHERE key > ? ORDER BY key LIMIT ?",
    titles="SELECT key, title FROM products WHERE key > ? ORDER BY key LIMIT ?",
    picture_rows="""SELECT product.key, position, sha256, path, title
    FROM (SELECT key, title FROM products WHERE key > ? ORDER BY key LIMIT ?) AS product
    LEFT JOIN pictures ON product_key = product.key ORDER BY product.key, position""",
    keys_changed="SELECT key FROM products WHERE id IN (SELECT product_id FROM changes WHERE seq > ?) ORDER BY key",
    changes="SELECT seq, product_id, kind FROM changes WHERE seq > ? ORDER BY seq LIMIT ?",
    picture="SELECT path, sha256, width, height FROM pictures WHERE sha256 = ? ORDER BY product_key LIMIT 1",
)


class SqliteCatalogue(Catalogue):
    """The products of a shop in a file. Each thread works on its own connection."""

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections, product_rows, _STATEMENTS)
        self._connections = connections
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
            product_rows.put(db, storable(products))

    @contextmanager
    def replacing(self, products: Iterable[Product]) -> Iterator[ReplaceCounts]:
        """Do as `replace`, and commit when the block ends without an error.

        Within the block this thread reads the new state, other threads the old one, and nobody else can write.
        """
        with self._connections.importing() as db:
            db.execute("CREATE TEMP TABLE IF NOT EXISTS kept (id TEXT PRIMARY KEY) WITHOUT ROWID")
            db.execute("DELETE FROM temp.kept")
            added, changed, unchanged = product_rows.put(db, product_rows.record_ids(db, storable(products)), NEVER)
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
            added, changed, unchanged = product_rows.put(db, storable(products), generation)
            self.history.settle(db)
            yield ReplaceCounts(added, changed, product_rows.remove(db, list(gone), generation), unchanged)

    def remove(self, ids: Iterable[str]) -> int:
        """Remove products by id, log it and return how many there were; ignore unknown ids."""
        with self._write() as db:
            return product_rows.remove(db, list(ids))

    def reserve_keys(self, count: int) -> int:
        """Keep the next `count` keys from new products; return the first of them."""
        with self._write() as db:
            return product_rows.reserve_keys(db, count)

    def categories(self, keys: Sequence[int]) -> dict[int, str]:
        """Return the categories of these keys by key, without keys that no product has."""
        with self._read() as db:
            return dict(db.execute(_SELECT_CATEGORIES, (json.dumps([int(key) for key in keys]),)).fetchall())

    def keys_of(self, ids: Iterable[str]) -> list[int]:
        """Return the keys of these ids, ascending, without ids that no product has."""
        with self._read() as db:
            return [row[0] for row in db.execute(_KEYS_OF, (json.dumps(list(ids)),))]

    def key_ranges(self, size: int) -> list[KeyRange]:
        """Return the ranges of `size` keys that have products, in order, each with the time of its last change."""
        with self._read() as db:
            return modification_times.key_ranges(db, size)

    def times_between(self, first: int, last: int) -> dict[str, str]:
        """Return the time of the last change, ISO in UTC, of each product with a key from `first` to `last`, by id."""
        with self._read() as db:
            return modification_times.times_between(db, first, last)

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
        with self._read() as db:
            db.execute(_SELECT_ANY).fetchone()  # SQLite begins again where it finds a change and no open read
            copy_database(db, path, _BACKUP_PAGES)

    @contextmanager
    def words(self) -> Iterator[Words]:
        """Yield the word index; all reads within the block see the same state."""
        with self._read() as db:
            yield SqliteWords(db)


def _fill(db: sqlite3.Connection) -> bool:
    """Give some products of an older catalogue what they lack, words first; return whether none is left."""
    return word_index.fill(db, product_rows.read) and price_rows.fill(db)
