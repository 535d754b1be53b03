"""The word index: an FTS5 table in the catalogue's file, written in the transaction of the product.

The table is contentless: it holds which product has which word in which field, and no text. To remove a product's old
words they are computed from the old product. `catalog.text.tokenizer` makes the words; SQLite takes them as they are.

A product is indexed when its key is at most the mark `words.until`. Products of an older catalogue have keys above it
and are indexed some at a time, so that an upgrade holds the file's lock only for moments.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path

from catalog.product import Product
from catalog.storage.history import WrittenProduct
from catalog.storage.sqlite import read_statements
from catalog.text.tokenizer import ANALYSIS, code, codes, indexed

WORD_COLUMNS = ("name", "kind", "text", "code")
ALL_KEYS = 2**63 - 1  # the mark when every product is indexed: no key is above it
FILL_PRODUCTS = 1_000  # products indexed under one lock
CACHED_TEXTS = 16_384  # brands, categories and attribute values

Read = Callable[[sqlite3.Connection, Sequence[int]], Mapping[int, Product]]

_CREATE_WORDS = read_statements(Path(__file__).with_name("words.sql"))
_INSERT_WORDS = "INSERT INTO words (rowid, name, kind, text, code) VALUES (?, ?, ?, ?, ?)"
_DELETE_WORDS = "INSERT INTO words (words, rowid, name, kind, text, code) VALUES ('delete', ?, ?, ?, ?, ?)"
_UPDATE_MARK = "INSERT OR REPLACE INTO meta VALUES ('words.until', ?)"
_SELECT_NEXT_KEYS = "SELECT key FROM products WHERE key > ? ORDER BY key LIMIT ?"
_SELECT_MATCHING = "SELECT coalesce(group_concat(rowid), '') FROM words WHERE words MATCH ?"
_SELECT_SOME = "SELECT rowid FROM words WHERE words MATCH ? LIMIT ?"
_SELECT_KNOWN = "SELECT 1 FROM words WHERE words MATCH ? LIMIT 1"
_SELECT_COUNT = "SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)"
_CREATE_OCCURRENCES = "CREATE VIRTUAL TABLE IF NOT EXISTS temp.occurrences USING fts5vocab(main, words, instance)"
_SELECT_OCCURRENCES = (
    "SELECT term, count(*), group_concat(4 * doc + (instr('name kind text code', col) - 1) / 5) "
    "FROM temp.occurrences GROUP BY term"
)
LAST_SEQ = "SELECT coalesce(max(seq), 0) FROM changes"
_SELECT_META = "SELECT value FROM meta WHERE name = ?"


def create(db: sqlite3.Connection, until: int) -> None:
    """Create an empty table in place of any other; `fill` is to index the products with keys above `until`."""
    for statement in _CREATE_WORDS:
        db.execute(statement)
    db.execute("INSERT INTO meta VALUES ('words.analysis', ?)", (current_analysis(),))
    db.execute(_UPDATE_MARK, (str(until),))


def needs_reindex(db: sqlite3.Connection) -> bool:
    """Tell whether products wait to be indexed, because an older version wrote the catalogue or made its words."""
    return _analysis(db) != current_analysis() or _until(db) != ALL_KEYS


def fill(db: sqlite3.Connection, read: Read) -> bool:
    """Index up to FILL_PRODUCTS waiting products within a transaction; return whether none is left."""
    if _analysis(db) != current_analysis():
        create(db, 0)
    until = _until(db)
    keys = [row[0] for row in db.execute(_SELECT_NEXT_KEYS, (until, FILL_PRODUCTS))] if until != ALL_KEYS else []
    db.executemany(_INSERT_WORDS, [(key, *words_of(product)) for key, product in read(db, keys).items()])
    done = len(keys) < FILL_PRODUCTS
    db.execute(_UPDATE_MARK, (str(ALL_KEYS if done else keys[-1]),))
    return done


def changed(db: sqlite3.Connection, key: int, old: Product | None, new: Product | None) -> None:
    """Update the words of one product that was added (no `old`), changed, or removed (no `new`)."""
    changed_many(db, [WrittenProduct(key, old, new)])


def changed_many(db: sqlite3.Connection, written: Iterable[WrittenProduct]) -> None:
    """Update the words of products as `changed` does, one key each."""
    until = _until(db)
    gone, come = [], []
    for key, old, new in written:
        if key > until:
            continue  # `fill` comes to it
        before, after = (None if product is None else words_of(product) for product in (old, new))
        if before == after:
            continue
        if before is not None:
            gone.append((key, *before))
        if after is not None:
            come.append((key, *after))
    if gone:
        db.executemany(_DELETE_WORDS, gone)
    if come:
        db.executemany(_INSERT_WORDS, sorted(come))  # FTS5 ends its buffer at a key below the last


def words_of(product: Product) -> tuple[str, str, str, str]:
    """Return the words of a product by field: title and brand, category and attributes, description, codes.

    A code is a whole value as one word: the id, that of its group of variants, the brand, or an attribute with a digit
    (an article number, a GTIN).
    """
    values = [value for value in product.attributes.values() if "://" not in value]
    whole = (product.brand, product.item_group_id, *(value for value in values if any(map(str.isdigit, value))))
    return (
        _joined(_words_of_one(product.title), _words(product.brand)),
        _joined(_words(product.category), *map(_words, values)),
        _words_of_one(product.description),
        " ".join(dict.fromkeys((id_code(product.id), *chain.from_iterable(map(_codes, whole))))),
    )


def id_code(product_id: str) -> str:
    """Return the word under which only this product's id is indexed: no other text has a "="."""
    return "=" + code(product_id)


class Words(ABC):
    """Which products have which words, at one moment. Words are as `catalog.text.tokenizer` makes them."""

    @abstractmethod
    def known(self, words: Sequence[str]) -> bool:
        """Tell whether any product has one of the words."""

    @abstractmethod
    def count(self, words: Sequence[str], limit: int) -> int:
        """Return how many products have one of the words, counted up to `limit`."""

    @abstractmethod
    def postings(self, words: Sequence[str], field: str) -> str:
        """Return the keys, ascending, of the products with one of the words in one of WORD_COLUMNS, as text: "3,8,9".

        A database gives one text three times as fast as a row for each key.
        """

    @abstractmethod
    def holding(self, words: Sequence[str], field: str, limit: int) -> list[int]:
        """Return the first `limit` keys, ascending, of products with all of the words in one of WORD_COLUMNS."""

    @abstractmethod
    def vocabulary(self) -> list[tuple[str, int]]:
        """Return every word of the index and the number of products that have it, in the order of the words."""

    def occurrences(self) -> Iterator[tuple[str, int, str]]:
        """Yield every word, in the order of its bytes, the number of its occurrences, and these as text: "12,15,33".

        An occurrence is four times a product's key, plus the number of a field among WORD_COLUMNS; they ascend.
        """
        for word, _ in sorted(self.vocabulary(), key=lambda entry: entry[0].encode()):
            numbers = sorted(
                4 * int(key) + number
                for number, field in enumerate(WORD_COLUMNS)
                for key in self.postings((word,), field).split(",")
                if key
            )
            yield word, len(numbers), ",".join(map(str, numbers))

    @abstractmethod
    def products(self) -> int:
        """Return the number of products."""

    @abstractmethod
    def seq(self) -> int:
        """Return the number of the last change that this index shows."""


class SqliteWords(Words):
    """The words of a catalogue in a file, by FTS5."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def known(self, words: Sequence[str]) -> bool:
        """Look the words up in the full-text table."""
        return self._db.execute(_SELECT_KNOWN, (_quoted(words),)).fetchone() is not None

    def count(self, words: Sequence[str], limit: int) -> int:
        """Count matching rows."""
        return int(self._db.execute(_SELECT_COUNT, (_quoted(words), limit)).fetchone()[0])

    def postings(self, words: Sequence[str], field: str) -> str:
        """Join the row ids of a match in one column, which come in order."""
        return str(self._db.execute(_SELECT_MATCHING, (f"{field} : ({_quoted(words)})",)).fetchone()[0])

    def holding(self, words: Sequence[str], field: str, limit: int) -> list[int]:
        """Match all words in one column."""
        every = " AND ".join(_quoted((word,)) for word in words)
        return [row[0] for row in self._db.execute(_SELECT_SOME, (f"{field} : ({every})", limit))]

    def vocabulary(self) -> list[tuple[str, int]]:
        """Read the table of terms, which is in their order."""
        return self._db.execute("SELECT term, doc FROM vocabulary").fetchall()

    def occurrences(self) -> Iterator[tuple[str, int, str]]:
        """Read the index once, in its order."""
        self._db.execute(_CREATE_OCCURRENCES)
        yield from self._db.execute(_SELECT_OCCURRENCES)

    def products(self) -> int:
        """Count the rows of products."""
        return int(self._db.execute("SELECT count(*) FROM products").fetchone()[0])

    def seq(self) -> int:
        """Read the last line of the change log."""
        return int(self._db.execute(LAST_SEQ).fetchone()[0])


def _quoted(words: Sequence[str]) -> str:
    return " OR ".join('"' + word.replace('"', '""') + '"' for word in words)


def _joined(*words: str) -> str:
    return " ".join(filter(None, words))


def _words_of_one(text: str) -> str:
    """Return the words of a text that hardly a second product has."""
    return " ".join(indexed(text))


@lru_cache(maxsize=CACHED_TEXTS)  # a shop repeats its brands, categories and attribute values
def _words(text: str) -> str:
    return " ".join(indexed(text))


@lru_cache(maxsize=CACHED_TEXTS)
def _codes(text: str) -> tuple[str, ...]:
    return tuple(codes(text))


def current_analysis() -> str:
    """Return what decides the words of a text: our version, and that of Python's data about characters."""
    return f"{ANALYSIS} {unicodedata.unidata_version}"


def _analysis(db: sqlite3.Connection) -> str | None:
    row = db.execute(_SELECT_META, ("words.analysis",)).fetchone()
    return None if row is None else str(row[0])


def _until(db: sqlite3.Connection) -> int:
    row = db.execute(_SELECT_META, ("words.until",)).fetchone()
    return 0 if row is None else int(row[0])
