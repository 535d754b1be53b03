"""The words of every product in an FTS5 table of the catalogue's file, changed in the transaction of the product.

The table is contentless: it holds no text, only which product has which word in which field, so a product's old words
are worked out again from the product to take them away. Words are cut by `catalog.text.tokenizer` and reach SQLite
ready made.

A product is indexed when its key is at most the mark `words.until`; above it are those of an older catalogue that wait
to be indexed, some at a time, so that an upgrade holds the file's lock only for moments.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from catalog.product import Product
from catalog.text.tokenizer import ANALYSIS, code, indexed

FIELDS = ("name", "kind", "text", "code")
ALL = 2**63 - 1  # the mark when every product is indexed: no key is above it
FILL = 1_000  # products indexed under one lock

Row = tuple[str, str, str, str]
Read = Callable[[sqlite3.Connection, Sequence[int]], Mapping[int, Product]]

_CREATE = (
    "DROP TABLE IF EXISTS vocabulary",
    "DROP TABLE IF EXISTS words",
    """CREATE VIRTUAL TABLE words USING fts5(name, kind, text, code,
        content = '', columnsize = 0, detail = column, tokenize = "ascii tokenchars '.,='")""",
    "CREATE VIRTUAL TABLE vocabulary USING fts5vocab(words, 'row')",
    "DELETE FROM meta WHERE name IN ('words.analysis', 'words.until')",
)
_INSERT = "INSERT INTO words (rowid, name, kind, text, code) VALUES (?, ?, ?, ?, ?)"
_DELETE = "INSERT INTO words (words, rowid, name, kind, text, code) VALUES ('delete', ?, ?, ?, ?, ?)"
_MARK = "INSERT OR REPLACE INTO meta VALUES ('words.until', ?)"
_NEXT = "SELECT key FROM products WHERE key > ? ORDER BY key LIMIT ?"
_HOLDING = "SELECT coalesce(group_concat(rowid), '') FROM words WHERE words MATCH ?"
_KNOWN = "SELECT 1 FROM words WHERE words MATCH ? LIMIT 1"
_VOCABULARY = "SELECT term, doc FROM vocabulary"


def create(db: sqlite3.Connection, until: int) -> None:
    """Make the table anew and empty; products with keys above `until` are to be indexed by `fill`."""
    for statement in _CREATE:
        db.execute(statement)
    db.execute("INSERT INTO meta VALUES ('words.analysis', ?)", (str(ANALYSIS),))
    db.execute(_MARK, (str(until),))


def needs_reindex(db: sqlite3.Connection) -> bool:
    """Whether products wait to be indexed, because the catalogue, or the way words were cut, is an older one."""
    return _analysis(db) != str(ANALYSIS) or _until(db) != ALL


def fill(db: sqlite3.Connection, read: Read) -> bool:
    """Index some of the products that wait for it, within a transaction; whether that were all."""
    if _analysis(db) != str(ANALYSIS):
        create(db, 0)
    until = _until(db)
    keys = [row[0] for row in db.execute(_NEXT, (until, FILL))] if until != ALL else []
    db.executemany(_INSERT, [(key, *words_of(product)) for key, product in read(db, keys).items()])
    done = len(keys) < FILL
    db.execute(_MARK, (str(ALL if done else keys[-1]),))
    return done


def changed(db: sqlite3.Connection, key: int, old: Product | None, new: Product | None) -> None:
    """Bring the words of one product up to date: it was added (no `old`), changed, or removed (no `new`)."""
    if key > _until(db):
        return  # `fill` comes to it
    before, after = (None if product is None else words_of(product) for product in (old, new))
    if before == after:
        return
    if before is not None:
        db.execute(_DELETE, (key, *before))
    if after is not None:
        db.execute(_INSERT, (key, *after))


def words_of(product: Product) -> Row:
    """The words of a product, a field a string: its name with the brand, its kind, its description, its codes.

    Codes are whole values as one word: the id, the brand, and attributes that hold a digit (an article number, a GTIN).
    """
    values = [value for value in product.attributes.values() if "://" not in value]
    codes = (product.brand, *(value for value in values if any(map(str.isdigit, value))))
    return (
        _row(product.title, product.brand),
        _row(product.category, *values),
        _row(product.description),
        " ".join(dict.fromkeys((id_code(product.id), *filter(None, map(code, codes))))),
    )


def id_code(product_id: str) -> str:
    """The word that only this product's id gives: no other text has a "="."""
    return "=" + code(product_id)


def known(db: sqlite3.Connection, words: Sequence[str]) -> bool:
    """Whether any product holds one of the words. They are as `catalog.text.tokenizer` gives them."""
    return db.execute(_KNOWN, (_quoted(words),)).fetchone() is not None


def postings(db: sqlite3.Connection, words: Sequence[str], field: str) -> str:
    """The keys of the products that hold one of the words in a field, rising: "3,8,9".

    As one text they come three times as fast as row by row. The words are as `catalog.text.tokenizer` gives them.
    """
    return str(db.execute(_HOLDING, (f"{field} : ({_quoted(words)})",)).fetchone()[0])


def vocabulary(db: sqlite3.Connection) -> list[tuple[str, int]]:
    """Every word of the index, and how many products hold it, in the order of the words."""
    return db.execute(_VOCABULARY).fetchall()


def _quoted(words: Sequence[str]) -> str:
    return " OR ".join('"' + word.replace('"', '""') + '"' for word in words)


def _row(*texts: str) -> str:
    return " ".join(filter(None, map(_words, texts)))


@lru_cache(maxsize=4096)  # a shop's brands, categories and values of attributes come again and again
def _words(text: str) -> str:
    return " ".join(indexed(text))


def _analysis(db: sqlite3.Connection) -> str | None:
    row = db.execute("SELECT value FROM meta WHERE name = 'words.analysis'").fetchone()
    return None if row is None else str(row[0])


def _until(db: sqlite3.Connection) -> int:
    row = db.execute("SELECT value FROM meta WHERE name = 'words.until'").fetchone()
    return 0 if row is None else int(row[0])
