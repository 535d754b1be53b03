"""The catalogue in a schema of PostgreSQL, which several machines may open and write."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from catalog.errors import DamagedStore
from catalog.postgres import copying, price_rows, product_rows, words
from catalog.postgres.connections import PostgresConnections
from catalog.price_history.price_history import PriceHistory
from catalog.product import Product
from catalog.storable import storable
from catalog.storage.catalogue import Catalogue, CatalogueStatements, ReplaceCounts
from catalog.storage.history import NEVER
from catalog.storage.modification_times import KeyRange
from catalog.storage.word_index import Words

_META_PREFIX = "note."
_MAX_FAULTS = 10

_KEYS_OF = "SELECT key FROM products WHERE id = ANY(%s::text[]) ORDER BY key"
_SELECT_CATEGORIES = "SELECT key, category FROM products WHERE key = ANY(%s::bigint[])"
_UPDATE_PATHS = "UPDATE pictures SET path = %s::text || substr(path, %s::integer) WHERE starts_with(path, %s)"
_STATEMENTS = CatalogueStatements(
    ids="SELECT key, id FROM products WHERE key > %s ORDER BY key LIMIT %s",
    titles="SELECT key, title FROM products WHERE key > %s ORDER BY key LIMIT %s",
    picture_rows="""SELECT product.key, position, sha256, path, title
    FROM (SELECT key, title FROM products WHERE key > %s ORDER BY key LIMIT %s) AS product
    LEFT JOIN pictures ON product_key = product.key ORDER BY product.key, position""",
    keys_changed="SELECT key FROM products WHERE id IN (SELECT product_id FROM changes WHERE seq > %s) ORDER BY key",
    changes="SELECT seq, product_id, kind FROM changes WHERE seq > %s ORDER BY seq LIMIT nullif(%s::bigint, -1)",
    picture="SELECT path, sha256, width, height FROM pictures WHERE sha256 = %s ORDER BY product_key LIMIT 1",
)
_SELECT_PARTS = """SELECT (key - 1) / %s::bigint AS part, count(*), coalesce(max(at), '')
    FROM products LEFT JOIN (SELECT product_id, max(at) AS at FROM changes GROUP BY product_id) AS last
    ON product_id = id GROUP BY part ORDER BY part"""
_SELECT_TIMES = """SELECT product_id, max(at) FROM changes
    WHERE product_id IN (SELECT id FROM products WHERE key BETWEEN %s AND %s) GROUP BY product_id"""
_SELECT_GONE = """SELECT id FROM products
    WHERE NOT EXISTS (SELECT FROM imported WHERE imported.id = products.id) ORDER BY key"""
_CREATE_IMPORTED = """CREATE TEMPORARY TABLE imported (id text COLLATE "C" PRIMARY KEY) ON COMMIT DROP"""
_INSERT_IMPORTED = "INSERT INTO imported SELECT * FROM unnest(%s::text[]) ON CONFLICT DO NOTHING"
_FAULTS = """SELECT 'the product with key ' || key || ' has no words' FROM products LEFT JOIN words USING (key)
        WHERE words.key IS NULL
    UNION ALL SELECT 'the counter of keys is behind the products' FROM counters
        WHERE counters.key < (SELECT max(products.key) FROM products)
    UNION ALL SELECT 'the counter of changes is not at the last change' FROM counters
        WHERE counters.seq <> (SELECT coalesce(max(changes.seq), 0) FROM changes)
    LIMIT 10"""


class PostgresCatalogue(Catalogue):
    """The products of a shop in a schema. Threads share a few connections."""

    def __init__(self, connections: PostgresConnections) -> None:
        super().__init__(connections, product_rows, _STATEMENTS)
        self._connections = connections
        self.price_history = PriceHistory(connections, price_rows.STATEMENTS, price_rows.rewrite)

    def close(self) -> None:
        """Close the connections of all threads."""
        self._connections.close()

    def put(self, products: Iterable[Product]) -> None:
        """Write the products in one transaction."""
        with self._write() as db:
            product_rows.put(db, storable(products))

    @contextmanager
    def replacing(self, products: Iterable[Product]) -> Iterator[ReplaceCounts]:
        """Write these products, then remove those whose ids are not in a temporary table of theirs."""
        with self._write() as db:
            db.execute(_CREATE_IMPORTED)
            added = changed = unchanged = 0
            source = storable(products)
            while chunk := list(itertools.islice(source, product_rows.CHUNK_PRODUCTS)):
                db.execute(_INSERT_IMPORTED, ([product.id for product in chunk],))
                counts = product_rows.put(db, chunk, NEVER)
                added, changed, unchanged = added + counts[0], changed + counts[1], unchanged + counts[2]
            gone = [row[0] for row in db.execute(_SELECT_GONE)]
            removed = product_rows.remove(db, gone, NEVER)
            self.history.settle(db)
            yield ReplaceCounts(added, changed, removed, unchanged)

    @contextmanager
    def applying(
        self, products: Iterable[Product], gone: Iterable[str], generation: int = NEVER
    ) -> Iterator[ReplaceCounts]:
        """Write and remove products in one transaction, which ends with the block."""
        with self._write() as db:
            added, changed, unchanged = product_rows.put(db, storable(products), generation)
            self.history.settle(db)
            yield ReplaceCounts(added, changed, product_rows.remove(db, list(gone), generation), unchanged)

    def remove(self, ids: Iterable[str]) -> int:
        """Remove products in one transaction."""
        with self._write() as db:
            return product_rows.remove(db, list(ids))

    def reserve_keys(self, count: int) -> int:
        """Move the counter of keys."""
        with self._write() as db:
            return product_rows.reserve_keys(db, count)

    def categories(self, keys: Sequence[int]) -> dict[int, str]:
        """Read categories by key."""
        with self._read() as db:
            return dict(db.execute(_SELECT_CATEGORIES, ([int(key) for key in keys],)).fetchall())

    def keys_of(self, ids: Iterable[str]) -> list[int]:
        """Read keys by id."""
        with self._read() as db:
            return [row[0] for row in db.execute(_KEYS_OF, (list(ids),))]

    def key_ranges(self, size: int) -> list[KeyRange]:
        """Count products and read the last change by ranges of keys."""
        with self._read() as db:
            return [KeyRange(*row) for row in db.execute(_SELECT_PARTS, (size,))]

    def times_between(self, first: int, last: int) -> dict[str, str]:
        """Read the last change of products in a range of keys."""
        with self._read() as db:
            return dict(db.execute(_SELECT_TIMES, (first, last)).fetchall())

    def set_meta(self, name: str, value: str | None) -> None:
        """Write or delete a text."""
        with self._connections.joined() as db:
            if value is None:
                db.execute(product_rows.STATEMENTS.delete_meta, (_META_PREFIX + name,))
            else:
                db.execute(product_rows.STATEMENTS.set_meta, (_META_PREFIX + name, value))

    def get_meta(self, name: str) -> str | None:
        """Read a text."""
        with self._read() as db:
            row = db.execute(product_rows.STATEMENTS.get_meta, (_META_PREFIX + name,)).fetchone()
        return None if row is None else str(row[0])

    def move_pictures(self, old: str, new: str) -> None:
        """Replace the beginning of paths."""
        with self._write() as db:
            db.execute(_UPDATE_PATHS, (new, len(old) + 1, old))

    def faults(self) -> list[str]:
        """Compare products, words, counts and counters, and read every product."""
        with self._read() as db:
            found = [str(row[0]) for row in db.execute(_FAULTS)] + words.faults(db)
        for keys in self._key_pages():
            try:
                self.get_many(keys)
            except DamagedStore as error:
                found.append(error.message)
        return found[:_MAX_FAULTS]

    def copy_to(self, path: Path) -> None:
        """Write a file of SQLite from one snapshot."""
        with self._read() as db:
            copying.write_file(db, path)

    def copy_from(self, path: Path) -> None:
        """Copy a catalogue in a file of SQLite into this one, which has no change yet. Raises StoreError."""
        with self._write() as db:
            copying.read_file(db, path)

    @contextmanager
    def words(self) -> Iterator[Words]:
        """Yield the words as of one snapshot."""
        with self._read() as db:
            yield words.PostgresWords(db)
