"""The catalogue: every product and picture of a shop, with a log of every change. What each database must do for it."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from catalog.database import Database
from catalog.errors import UnknownProduct
from catalog.price_history.price_history import PriceHistory
from catalog.product import Picture, Product
from catalog.storage.history import NEVER
from catalog.storage.modification_times import KeyRange
from catalog.storage.restoration import ProductHistory, StoredProducts
from catalog.storage.word_index import Words


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
    """One picture of one product, with everything that its row in an index is computed from."""

    key: int
    position: int
    sha256: str
    path: str
    title: str


@dataclass(frozen=True, slots=True)
class CatalogueStatements:
    """The statements that every database runs alike, each in its own dialect; pages are of rows above a key."""

    ids: str
    titles: str
    picture_rows: str
    keys_changed: str
    changes: str
    picture: str


class Catalogue(ABC):
    """The products of a shop. Threads may share it. Processes may open it at once: one writes at a time, all read.

    `storage.opening.open_catalogue` opens that of a shop, in the database that the shop's settings name. Everything
    raises StoreError where the database cannot be used, and BadInput for text that cannot be stored.
    """

    history: ProductHistory
    price_history: PriceHistory

    def __init__(self, database: Database, rows: StoredProducts, statements: CatalogueStatements) -> None:
        self.database, self.rows = database, rows
        self._statements = statements
        self._read = database.snapshot
        self._write = database.transaction
        self.history = ProductHistory(database, rows)

    @staticmethod
    def open(path: Path) -> Catalogue:
        """Open a catalogue in a file of SQLite, created when absent. Raises DamagedStore, NewerStore, StoreError."""
        # By its name: the module of the embedded default imports this one.
        opened: Catalogue = import_module("catalog.storage.sqlite_catalogue").SqliteCatalogue.open(path)
        return opened

    @abstractmethod
    def close(self) -> None:
        """Close every thread's connection; the catalogue cannot be used afterwards."""

    @abstractmethod
    def put(self, products: Iterable[Product]) -> None:
        """Add or overwrite products by id, all or none of them; log each change, but not an equal product."""

    def replace(self, products: Iterable[Product]) -> ReplaceCounts:
        """Make the catalogue equal to `products`, removing all others, in one transaction."""
        with self.replacing(products) as replaced:
            return replaced

    @abstractmethod
    def replacing(self, products: Iterable[Product]) -> AbstractContextManager[ReplaceCounts]:
        """Do as `replace`, and commit when the block ends without an error.

        Within the block this thread reads the new state, other threads the old one, and nobody else can write.
        """

    @abstractmethod
    def applying(
        self, products: Iterable[Product], gone: Iterable[str], generation: int = NEVER
    ) -> AbstractContextManager[ReplaceCounts]:
        """Put these products and remove those ids, as an import; commit as `replacing` does.

        `generation` is the current one when the import makes none: the change is then part of that one's products.
        """

    @abstractmethod
    def remove(self, ids: Iterable[str]) -> int:
        """Remove products by id, log it and return how many there were; ignore unknown ids."""

    @abstractmethod
    def reserve_keys(self, count: int) -> int:
        """Keep the next `count` keys from new products; return the first of them."""

    def get(self, product_id: str) -> Product:
        """Return one product. Raises UnknownProduct when none has that id."""
        with self._read():
            key = self.key_of(product_id)
            return self.get_many([key])[key]

    def get_many(self, keys: Sequence[int]) -> dict[int, Product]:
        """Return the products of these keys by key, in the order of `keys`, without keys that no product has."""
        wanted = [int(key) for key in keys]
        with self._read() as db:
            found = self.rows.read(db, wanted)
        return {key: found[key] for key in wanted if key in found}

    @abstractmethod
    def categories(self, keys: Sequence[int]) -> dict[int, str]:
        """Return the categories of these keys by key, without keys that no product has."""

    def find(self, ids: Iterable[str]) -> dict[str, tuple[int, Product]]:
        """Return key and product by id, without ids that no product has."""
        with self._read() as db:
            found = self.rows.read(db, self.keys_of(ids))
            return {product.id: (key, product) for key, product in found.items()}

    @abstractmethod
    def keys_of(self, ids: Iterable[str]) -> list[int]:
        """Return the keys of these ids, ascending, without ids that no product has."""

    def ids(self) -> Iterator[tuple[int, str]]:
        """Return an iterator of every key and id in key order, which reads a page at a time."""
        return itertools.chain.from_iterable(self._pages(self._statements.ids))

    def titles(self) -> Iterator[tuple[int, str]]:
        """Return an iterator of every key and title in key order, which reads a page at a time."""
        return itertools.chain.from_iterable(self._pages(self._statements.titles))

    @abstractmethod
    def key_ranges(self, size: int) -> list[KeyRange]:
        """Return the ranges of `size` keys that have products, in order, each with the time of its last change."""

    @abstractmethod
    def times_between(self, first: int, last: int) -> dict[str, str]:
        """Return the time of the last change, ISO in UTC, of each product with a key from `first` to `last`, by id."""

    def keys_changed(self, after: int) -> list[int]:
        """Return the keys of present products that a change with a number above `after` has put."""
        with self._read() as db:
            return [row[0] for row in db.execute(self._statements.keys_changed, (after,))]

    def iter_picture_rows(self) -> Iterator[list[PictureRow]]:
        """Yield the pictures of every product in the order of an index's rows, a page of products at a time."""
        for page in self._pages(self._statements.picture_rows):
            yield [PictureRow(*row) for row in page if row[2] is not None]

    @abstractmethod
    def set_meta(self, name: str, value: str | None) -> None:
        """Store a text about the catalogue under a name, or delete it with None; joins an open transaction."""

    @abstractmethod
    def get_meta(self, name: str) -> str | None:
        """Return the text stored by `set_meta` under that name."""

    @abstractmethod
    def move_pictures(self, old: str, new: str) -> None:
        """Replace the beginning `old` of picture paths by `new`, without logging a change of the products."""

    @abstractmethod
    def faults(self) -> list[str]:
        """Return what the database or we find wrong with what is stored, at most ten lines; reads all of it."""

    @abstractmethod
    def copy_to(self, path: Path) -> None:
        """Copy the catalogue as it is now to a new file of SQLite, while others read and write it."""

    def key_of(self, product_id: str) -> int:
        """Return a product's key, which never changes and no other product gets. Raises UnknownProduct."""
        with self._read() as db:
            key = self.rows.key_of(db, product_id)
        if key is None:
            problem = f"No product has the id {product_id[:100]!r}."
            raise UnknownProduct(problem, "Search for it, or check the feed's ids.")
        return key

    def keys(self) -> list[int]:
        """Return the keys of all products, ascending."""
        with self._read() as db:
            return [row[0] for row in db.execute("SELECT key FROM products ORDER BY key")]

    def iterate(self) -> Iterator[tuple[int, Product]]:
        """Yield every key and product in key order, a page at a time; changes made meanwhile may or may not show."""
        for page in self._key_pages():
            yield from self.get_many(page).items()

    def _key_pages(self) -> Iterator[list[int]]:
        for page in self._pages(self._statements.ids):
            yield [key for key, _ in page]

    def picture(self, sha256: str) -> Picture | None:
        """Return the picture with that content hash, or None when no product has it."""
        with self._read() as db:
            row = db.execute(self._statements.picture, (sha256,)).fetchone()
        return Picture(*row) if row else None

    @abstractmethod
    def words(self) -> AbstractContextManager[Words]:
        """Yield the word index; all reads within the block see the same state."""

    def count(self) -> int:
        """Return the number of products."""
        return self._number("SELECT count(*) FROM products")

    def pictures_count(self) -> int:
        """Return the number of pictures of all products; a picture of two products counts twice."""
        return self._number("SELECT count(*) FROM pictures")

    @property
    def seq(self) -> int:
        """The number of the last logged change; 0 before the first.

        Changes show in the order of their numbers, none of which is left out: who has read up to one misses none.
        """
        return self._number("SELECT coalesce(max(seq), 0) FROM changes")

    def changes(self, after: int = 0, limit: int = -1) -> list[Change]:
        """Return the changes with a number above `after`, in order, at most `limit` unless that is -1."""
        with self._read() as db:
            return [Change(*row) for row in db.execute(self._statements.changes, (after, limit))]

    def product_changed_at(self, seq: int) -> str:
        """Return the id of the product of change `seq`; empty where there is none."""
        return next((change.product_id for change in self.changes(seq - 1, 1) if change.seq == seq), "")

    def _pages(self, query: str) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of a query for the keys above one, a page of products at a time."""
        last = 0
        while page := self._page(query, last):
            yield page
            last = page[-1][0]

    def _page(self, query: str, after: int) -> list[tuple[Any, ...]]:
        with self._read() as db:
            page: list[tuple[Any, ...]] = db.execute(query, (after, self.rows.CHUNK_PRODUCTS)).fetchall()
        return page

    def _number(self, query: str) -> int:
        with self.database.joined() as db:  # one statement needs no transaction of its own
            return int(db.execute(query).fetchone()[0])
