"""The catalogue: every product and picture of a shop in one SQLite file, and a log of every change."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.errors import UnknownProduct
from catalog.product import Picture, Product
from catalog.storage import product_rows, word_index
from catalog.storage.connections import Connections

_BACKUP_PAGES = 4_096
_NOTE = "note."

_KEYS_OF = "SELECT key FROM products WHERE id IN (SELECT value FROM json_each(?)) ORDER BY key"
_CATEGORIES = "SELECT key, category FROM products WHERE key IN (SELECT value FROM json_each(?))"
_MOVE = "UPDATE pictures SET path = ? || substr(path, ?) WHERE substr(path, 1, ?) = ?"
_KEYS_CHANGED = """SELECT key FROM products WHERE id IN (SELECT product_id FROM changes WHERE seq > ?) ORDER BY key"""
_SEQ = "SELECT coalesce(max(seq), 0) FROM changes"
_IDS = "SELECT key, id FROM products WHERE key > ? ORDER BY key LIMIT ?"
_SHOWN = """SELECT product.key, position, sha256, path, title
    FROM (SELECT key, title FROM products WHERE key > ? ORDER BY key LIMIT ?) AS product
    LEFT JOIN pictures ON product_key = product.key ORDER BY product.key, position"""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the change log: `kind` is "put" or "remove"."""

    seq: int
    product_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class ReplaceCounts:
    """What `Catalogue.replace` did, in products."""

    added: int
    changed: int
    removed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class PictureRow:
    """A picture where a product shows it, with all that its row in an index is made from."""

    key: int
    position: int
    sha256: str
    path: str
    title: str


class Words:
    """Which products hold which words, at one time. Words are as `catalog.text.tokenizer` cuts them."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def known(self, words: Sequence[str]) -> bool:
        """Whether any product holds one of the words."""
        return word_index.known(self._db, words)

    def holding(self, words: Sequence[str], field: str) -> str:
        """The keys, rising, of the products that hold one of the words in one of `word_index.FIELDS`: "3,8,9"."""
        return word_index.postings(self._db, words, field)

    def vocabulary(self) -> list[tuple[str, int]]:
        """Every word, and how many products hold it."""
        return word_index.vocabulary(self._db)

    def products(self) -> int:
        """How many products there are."""
        return int(self._db.execute("SELECT count(*) FROM products").fetchone()[0])

    def seq(self) -> int:
        """The number of the last change that shows here."""
        return int(self._db.execute(_SEQ).fetchone()[0])


class Catalogue:
    """The truth about every product; may be shared by threads, each works on a connection of its own."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    @classmethod
    def open(cls, path: Path) -> Catalogue:
        """Open the catalogue at `path`, made when absent; DamagedStore, NewerStore or StoreError when it cannot be."""
        connections = Connections.open(path)
        try:
            connections.upgrade(lambda db: word_index.fill(db, product_rows.read))
        except BaseException:
            connections.close()
            raise
        return cls(connections)

    def close(self) -> None:
        """Close every thread's connection; the catalogue cannot be used afterwards."""
        self._connections.close()

    def put(self, products: Iterable[Product]) -> None:
        """Add or overwrite products by id, all or none of them; each real change is logged, an equal product is not."""
        with self._write() as db:
            product_rows.put(db, products)

    def replace(self, products: Iterable[Product]) -> ReplaceCounts:
        """Make the catalogue equal to `products`: what is not among them is removed; all of it or nothing."""
        with self.replacing(products) as replaced:
            return replaced

    @contextmanager
    def replacing(self, products: Iterable[Product]) -> Iterator[ReplaceCounts]:
        """Do as `replace` for the block's own thread; everybody else sees it when the block ends without an error.

        Within the block this thread reads the new state, others the old one, and nobody else can write.
        """
        with self._write() as db:
            db.execute("CREATE TEMP TABLE IF NOT EXISTS kept (id TEXT PRIMARY KEY) WITHOUT ROWID")
            db.execute("DELETE FROM temp.kept")
            added, changed, unchanged = product_rows.put(db, product_rows._record_ids(db, products))
            gone = db.execute("SELECT id FROM products WHERE id NOT IN (SELECT id FROM temp.kept) ORDER BY key")
            removed = product_rows.remove(db, [row[0] for row in gone.fetchall()])
            yield ReplaceCounts(added, changed, removed, unchanged)

    @contextmanager
    def applying(self, products: Iterable[Product], gone: Iterable[str]) -> Iterator[ReplaceCounts]:
        """Put these products and remove those ids, for the block's own thread; otherwise as `replacing`."""
        with self._write() as db:
            added, changed, unchanged = product_rows.put(db, products)
            yield ReplaceCounts(added, changed, product_rows.remove(db, list(gone)), unchanged)

    def remove(self, ids: Iterable[str]) -> int:
        """Remove products by id and log it; ids that are not there are passed over. Returns how many were."""
        with self._write() as db:
            return product_rows.remove(db, list(ids))

    def get(self, product_id: str) -> Product:
        """Return one product; UnknownProduct when there is none with that id."""
        with self._read() as db:
            key = product_rows.key_of(db, product_id)
            found = product_rows.read(db, [] if key is None else [key])
        if not found:
            raise _unknown(product_id)
        return next(iter(found.values()))

    def get_many(self, keys: Sequence[int]) -> dict[int, Product]:
        """Return the products of these keys, in the order asked; keys that are gone are left out."""
        wanted = [int(key) for key in keys]
        with self._read() as db:
            found = product_rows.read(db, wanted)
        return {key: found[key] for key in wanted if key in found}

    def categories(self, keys: Sequence[int]) -> dict[int, str]:
        """Return the categories of these keys; keys that are gone are left out."""
        with self._read() as db:
            return dict(db.execute(_CATEGORIES, (json.dumps([int(key) for key in keys]),)).fetchall())

    def find(self, ids: Iterable[str]) -> dict[str, tuple[int, Product]]:
        """Return key and product of each of these ids that there is, by id."""
        with self._read() as db:
            wanted = (json.dumps(list(ids)),)
            keys = [row[0] for row in db.execute(_KEYS_OF, wanted)]
            return {product.id: (key, product) for key, product in product_rows.read(db, keys).items()}

    def ids(self) -> Iterator[tuple[int, str]]:
        """Yield every key and id in key order, a page at a time."""
        last = 0
        while page := self._page(_IDS, last):
            yield from page
            last = page[-1][0]

    def keys_changed(self, after: int) -> list[int]:
        """Return the keys of products that are there and were put by a change numbered above `after`."""
        with self._read() as db:
            return [row[0] for row in db.execute(_KEYS_CHANGED, (after,))]

    def shown(self) -> Iterator[list[PictureRow]]:
        """Yield every picture of every product in the order of an index's rows, some products at a time."""
        last = 0
        while page := self._page(_SHOWN, last):
            yield [PictureRow(*row) for row in page if row[2] is not None]
            last = page[-1][0]

    def note(self, name: str, value: str | None) -> None:
        """Remember a word about the catalogue under a name, or forget it; within a change, together with that."""
        with self._connections.checked() as db:
            if value is None:
                db.execute("DELETE FROM meta WHERE name = ?", (_NOTE + name,))
            else:
                db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_NOTE + name, value))

    def noted(self, name: str) -> str | None:
        """Return what was noted under that name."""
        with self._read() as db:
            row = db.execute("SELECT value FROM meta WHERE name = ?", (_NOTE + name,)).fetchone()
        return None if row is None else str(row[0])

    def move_pictures(self, old: str, new: str) -> None:
        """Give every picture whose path begins with `old` a path that begins with `new`: no change of a product."""
        with self._write() as db:
            db.execute(_MOVE, (new, len(old) + 1, len(old), old))

    def faults(self) -> list[str]:
        """Return what SQLite finds wrong with the file itself, at most ten lines; it is read whole."""
        with self._read() as db:
            rows = [str(row[0]) for row in db.execute("PRAGMA integrity_check(10)")]
        return [] if rows == ["ok"] else rows

    def copy_to(self, path: Path) -> None:
        """Write the catalogue as it is now into another file, while others go on reading and writing it."""
        with self._connections.checked() as db, closing(sqlite3.connect(path)) as copy:
            db.backup(copy, pages=_BACKUP_PAGES, sleep=0.0)
            copy.execute("PRAGMA journal_mode = DELETE")

    def key_of(self, product_id: str) -> int:
        """Return a product's key, which never changes and is never given to another; UnknownProduct when absent."""
        with self._read() as db:
            key = product_rows.key_of(db, product_id)
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
                rows = db.execute(
                    "SELECT key FROM products WHERE key > ? ORDER BY key LIMIT ?", (last, product_rows.CHUNK)
                )
                keys = [row[0] for row in rows]
                page = product_rows.read(db, keys)
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

    @contextmanager
    def words(self) -> Iterator[Words]:
        """Lend the index of the products' words; all that is asked within the block is of one state."""
        with self._read() as db:
            yield Words(db)

    def count(self) -> int:
        """Return how many products there are."""
        return self._number("SELECT count(*) FROM products")

    def pictures_count(self) -> int:
        """Return how many pictures the products have, a shared one counted for each."""
        return self._number("SELECT count(*) FROM pictures")

    @property
    def seq(self) -> int:
        """The number of the last logged change; 0 before the first."""
        return self._number(_SEQ)

    def changes(self, after: int = 0, limit: int = -1) -> list[Change]:
        """Return the logged changes whose number is above `after`, in order; the first `limit` of them if given."""
        with self._read() as db:
            rows = db.execute(
                "SELECT seq, product_id, kind FROM changes WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
            )
            return [Change(*row) for row in rows]

    def _page(self, query: str, after: int) -> list[tuple[Any, ...]]:
        with self._read() as db:
            return db.execute(query, (after, product_rows.CHUNK)).fetchall()

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


def _unknown(product_id: str) -> UnknownProduct:
    return UnknownProduct(f"No product has the id {product_id[:100]!r}.", "Search for it, or check the feed's ids.")
