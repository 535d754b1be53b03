"""Copy a whole catalogue between a schema of PostgreSQL and a file of SQLite, row by row.

Keys, numbers of changes and both histories stay what they are, so an index that was built with the one serves with the
other. The words are indexed again by the database that gets the copy.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from catalog.errors import StoreError
from catalog.files.failpoints import failpoint
from catalog.postgres import product_rows
from catalog.postgres.connections import Connection
from catalog.storage.sqlite import open_database, store_errors, transaction
from catalog.storage.sqlite_catalogue import SqliteCatalogue

PAGE_ROWS = 2_000

# Both databases have these columns.
_SELECT = {
    "products": """SELECT key, id, title, category, price, currency, in_stock, brand, attributes, description, origin,
        link, list_price, item_group_id FROM products ORDER BY key""",
    "pictures": """SELECT product_key, position, path, sha256, width, height FROM pictures
        ORDER BY product_key, position""",
    "changes": "SELECT seq, product_id, kind, at FROM changes ORDER BY seq",
    "history": "SELECT seq, key, generation, before FROM history ORDER BY seq",
    "price_segments": "SELECT product_id, number, changes FROM price_segments ORDER BY product_id, number",
}
_INSERT = {  # into the file
    "products": """INSERT INTO products (key, id, title, category, price, currency, in_stock, brand, attributes,
        description, origin, link, list_price, item_group_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
    "pictures": "INSERT INTO pictures (product_key, position, path, sha256, width, height) VALUES (?, ?, ?, ?, ?, ?)",
    "changes": "INSERT INTO changes (seq, product_id, kind, at) VALUES (?, ?, ?, ?)",
    "history": "INSERT INTO history (seq, key, generation, before) VALUES (?, ?, ?, ?)",
    "price_segments": "INSERT INTO price_segments (product_id, number, changes) VALUES (?, ?, ?)",
}
_COPY = {  # into the schema
    "products": """COPY products (key, id, title, category, price, currency, in_stock, brand, attributes, description,
        origin, link, list_price, item_group_id) FROM STDIN""",
    "pictures": "COPY pictures (product_key, position, path, sha256, width, height) FROM STDIN",
    "changes": "COPY changes (seq, product_id, kind, at) FROM STDIN",
    "history": "COPY history (seq, key, generation, before) FROM STDIN",
    "price_segments": "COPY price_segments (product_id, number, changes) FROM STDIN",
}
_IN_STOCK = 6  # the column of products that is a boolean in PostgreSQL
_OWN_META = ("schema_version", "words.analysis", "words.until", "prices.until")  # which each database has for itself
_SELECT_META = "SELECT name, value FROM meta"
_INDEX_ALL_WORDS = "UPDATE meta SET value = '0' WHERE name = 'words.until'"
_DELETE_LAST = "DELETE FROM sqlite_sequence WHERE name = ?"
_INSERT_LAST = "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)"
_SELECT_LAST = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?"
_COUNTED = ("products", "changes")  # the tables of the counters `key` and `seq`
_HAS_ROWS = "SELECT EXISTS (SELECT FROM products) OR EXISTS (SELECT FROM changes)"


def write_file(db: Connection, path: Path) -> None:
    """Write the catalogue of a snapshot to a file of SQLite that does not exist yet. Raises StoreError."""
    if path.exists():
        raise StoreError(f"{path} is there already.", "Name another file for the copy.")
    SqliteCatalogue.open(path).close()
    name, hint = f"The copy {path}", "Check that its folder may be written, and that the disk has room."
    with store_errors(name, hint), closing(open_database(path)) as file, transaction(file):
        for table, insert in _INSERT.items():
            file.executemany(insert, _rows(db, table))
        file.executemany("INSERT INTO meta VALUES (?, ?)", _shared_meta(db))
        last = db.execute("SELECT key, seq FROM counters").fetchone() or (0, 0)
        for table, number in zip(_COUNTED, last, strict=True):
            file.execute(_DELETE_LAST, (table,))
            file.execute(_INSERT_LAST, (table, number))
        file.execute(_INDEX_ALL_WORDS)
    SqliteCatalogue.open(path).close()  # indexes the words
    with store_errors(name, hint), closing(open_database(path, wal=False)) as file:
        file.execute("PRAGMA journal_mode = DELETE")


def _rows(db: Connection, table: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a table by its key, a page at a time, through a cursor of the server."""
    with db.cursor(name=f"windowshop_{table}") as cursor:
        cursor.itersize = PAGE_ROWS
        cursor.execute(_SELECT[table])
        yield from cursor


def _shared_meta(db: Connection | sqlite3.Connection) -> list[tuple[str, str]]:
    return [(name, value) for name, value in db.execute(_SELECT_META).fetchall() if name not in _OWN_META]


def read_file(db: Connection, path: Path) -> None:
    """Copy a file of SQLite into the schema, which has no product and no change yet, in its transaction.

    Raises StoreError where it has some, DamagedStore.
    """
    row = db.execute(_HAS_ROWS).fetchone()
    if row and row[0]:
        hint = "Name a schema for the copy that does not exist: ?schema=NAME in the address."
        raise StoreError("The schema has a catalogue already.", hint)
    SqliteCatalogue.open(path).close()  # brings an older one up to date
    with store_errors(f"The catalogue {path}", "Check that it may be read."), closing(open_database(path)) as file:
        file.execute("BEGIN")
        for table in _COPY:
            _copy_table(db, file, table)
            failpoint("postgres.table-copied")
        for name, value in _shared_meta(file):
            db.execute(product_rows.STATEMENTS.set_meta, (name, value))
        last = [file.execute(_SELECT_LAST, (table,)).fetchone()[0] for table in _COUNTED]
        db.execute("UPDATE counters SET key = %s, seq = %s", last)
        file.execute("ROLLBACK")
    product_rows.index_products(db)


def _copy_table(db: Connection, file: sqlite3.Connection, table: str) -> None:
    with db.cursor() as cursor, cursor.copy(_COPY[table]) as copy:
        for row in file.execute(_SELECT[table]):
            if table == "products":
                copy.write_row((*row[:_IN_STOCK], bool(row[_IN_STOCK]), *row[_IN_STOCK + 1 :]))
            else:
                copy.write_row(row)
