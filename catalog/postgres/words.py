"""The word index in PostgreSQL: a tsvector of our words for each field of a product, with GIN indexes.

`catalog.text.tokenizer` makes the words, as for SQLite; PostgreSQL takes them as they are, without a dictionary. The
table `word_counts` says how many products have each word; it changes with the products, in their transaction.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from psycopg import sql

from catalog.postgres.connections import Connection
from catalog.product import Product
from catalog.storage.word_index import WORD_COLUMNS, Words, words_of
from catalog.text.tokenizer import ANALYSIS

ANALYSIS_NAME = "words.analysis"  # in `meta`
PAGE_WORDS = 2_000  # read at once
_MAX_WORD_BYTES = 2_046  # of a lexeme
_MAX_BYTES = 1_000_000  # of the lexemes of a tsvector, which may be 1 MiB
_MAX_UTF8 = 4  # bytes of a character

Change = tuple[int, Product | None, Product | None]  # key, product before, product after

_WRITE = """INSERT INTO words (key, name, kind, text, code)
    SELECT key,
        array_to_tsvector(array_remove(string_to_array(name, ' '), '')),
        array_to_tsvector(array_remove(string_to_array(kind, ' '), '')),
        array_to_tsvector(array_remove(string_to_array(text, ' '), '')),
        array_to_tsvector(array_remove(string_to_array(code, ' '), ''))
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[]) AS new (key, name, kind, text, code)
    ON CONFLICT (key) DO UPDATE SET name = excluded.name, kind = excluded.kind, text = excluded.text,
        code = excluded.code"""
_DELETE = "DELETE FROM words WHERE key = ANY(%s::bigint[])"
_COUNT = """INSERT INTO word_counts SELECT * FROM unnest(%s::text[], %s::bigint[])
    ON CONFLICT (word) DO UPDATE SET products = word_counts.products + excluded.products"""
_DELETE_UNUSED = "DELETE FROM word_counts WHERE word = ANY(%s::text[]) AND products <= 0"
_SELECT_COUNT = """SELECT count(*) FROM (SELECT 1 FROM words WHERE name @@ %(query)s::tsquery
    OR kind @@ %(query)s::tsquery OR text @@ %(query)s::tsquery OR code @@ %(query)s::tsquery
    LIMIT %(limit)s) AS found"""
_SELECT_KNOWN = "SELECT 1 FROM word_counts WHERE word = ANY(%s::text[]) LIMIT 1"
_SELECT_POSTINGS = sql.SQL(
    "SELECT coalesce(string_agg(key::text, ',' ORDER BY key), '') FROM words WHERE {} @@ %s::tsquery"
)
_SELECT_HOLDING = sql.SQL("SELECT key FROM words WHERE {} @@ %s::tsquery ORDER BY key LIMIT %s")
_POSTINGS = {name: _SELECT_POSTINGS.format(sql.Identifier(name)) for name in WORD_COLUMNS}
_HOLDING = {name: _SELECT_HOLDING.format(sql.Identifier(name)) for name in WORD_COLUMNS}
_FAULTS = """SELECT count(*) FROM
    (SELECT word COLLATE "C" AS word, ndoc::bigint AS products
        FROM ts_stat('SELECT name || kind || text || code FROM words')) AS counted
    FULL JOIN word_counts USING (word) WHERE counted.products IS DISTINCT FROM word_counts.products"""
_SELECT_OCCURRENCES = """SELECT word, count(*), string_agg(number::text, ',' ORDER BY number) FROM (
        SELECT unnest(tsvector_to_array(name)) COLLATE "C" AS word, 4 * key AS number FROM words
        UNION ALL SELECT unnest(tsvector_to_array(kind)) COLLATE "C", 4 * key + 1 FROM words
        UNION ALL SELECT unnest(tsvector_to_array(text)) COLLATE "C", 4 * key + 2 FROM words
        UNION ALL SELECT unnest(tsvector_to_array(code)) COLLATE "C", 4 * key + 3 FROM words) AS found
    GROUP BY word ORDER BY word"""
_SELECT_ANALYSIS = "SELECT value FROM meta WHERE name = %s"


def write(db: Connection, changes: Iterable[Change]) -> None:
    """Update the words of products that were added (none before), changed, or removed (none after)."""
    rows: list[tuple[int, str, str, str, str]] = []
    removed: list[int] = []
    counts = Counter[str]()
    for key, old, new in changes:
        before, after = (None if product is None else fields_of(product) for product in (old, new))
        if before == after:
            continue
        counts.subtract(_distinct(before))
        counts.update(_distinct(after))
        if after is None:
            removed.append(key)
        else:
            rows.append((key, *after))
    if rows:
        db.execute(_WRITE, [list(column) for column in zip(*rows, strict=True)])
    if removed:
        db.execute(_DELETE, (removed,))
    altered = {word: count for word, count in counts.items() if count}
    if altered:
        db.execute(_COUNT, (list(altered), list(altered.values())))
    if fewer := [word for word, count in altered.items() if count < 0]:
        db.execute(_DELETE_UNUSED, (fewer,))


def fields_of(product: Product) -> tuple[str, str, str, str]:
    """Return the words of a product by field, as far as PostgreSQL can hold them."""
    name, kind, text, codes = map(_fitting, words_of(product))
    return name, kind, text, codes


def _fitting(row: str) -> str:
    if len(row) * _MAX_UTF8 <= _MAX_WORD_BYTES:
        return row
    fitting, size = dict[str, None](), 0
    for word in row.split(" "):
        cut = _cut(word)
        if cut not in fitting:
            size += len(cut.encode())
            if size > _MAX_BYTES:
                break
            fitting[cut] = None
    return " ".join(fitting)


def _cut(word: str) -> str:
    """Return a word, of one that is too long its beginning; a query's word is cut in the same place."""
    if len(word) * _MAX_UTF8 <= _MAX_WORD_BYTES:
        return word
    return word.encode()[:_MAX_WORD_BYTES].decode(errors="ignore")


def _distinct(fields: Sequence[str] | None) -> set[str]:
    return {word for field in fields or () for word in field.split(" ") if word}


def is_older(db: Connection) -> bool:
    """Tell whether the words are those of an older tokeniser or Python.

    A newer one's are left as they are, so that two machines with two versions do not index in turn for ever.
    """
    found = db.execute(_SELECT_ANALYSIS, (ANALYSIS_NAME,)).fetchone()
    return found is None or _order(found[0]) < _order(current_analysis())


def faults(db: Connection) -> list[str]:
    """Return what is wrong with the counts of words; reads the whole index."""
    row = db.execute(_FAULTS).fetchone()
    return [f"{row[0]} words have wrong counts"] if row and row[0] else []


def current_analysis() -> str:
    """Return what decides the words of a text: our version, and that of Python's data about characters."""
    return f"{ANALYSIS} {unicodedata.unidata_version}"


def _order(analysis: str) -> list[int]:
    return [int(part) for part in analysis.replace(" ", ".").split(".")]


class PostgresWords(Words):
    """The words of a catalogue in PostgreSQL, within a transaction."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def known(self, words: Sequence[str]) -> bool:
        """Look the words up in the table of counts."""
        return self._db.execute(_SELECT_KNOWN, ([_cut(word) for word in words],)).fetchone() is not None

    def count(self, words: Sequence[str], limit: int) -> int:
        """Count matching rows."""
        values: Mapping[str, str | int] = {"query": _query(words, " | "), "limit": limit}
        return _first(self._db, _SELECT_COUNT, values) if words else 0

    def postings(self, words: Sequence[str], field: str) -> str:
        """Join the keys of a match in one field."""
        row = self._db.execute(_POSTINGS[field], (_query(words, " | "),)).fetchone() if words else None
        return str(row[0]) if row else ""

    def holding(self, words: Sequence[str], field: str, limit: int) -> list[int]:
        """Match all words in one field."""
        if not words:
            return []
        return [row[0] for row in self._db.execute(_HOLDING[field], (_query(words, " & "), limit))]

    def vocabulary(self) -> list[tuple[str, int]]:
        """Read the table of counts."""
        rows = self._db.execute("SELECT word, products FROM word_counts ORDER BY word").fetchall()
        return [(word, products) for word, products in rows]

    def occurrences(self) -> Iterator[tuple[str, int, str]]:
        """Read the whole index once, through a cursor of the server."""
        with self._db.cursor(name="windowshop_occurrences") as cursor:
            cursor.itersize = PAGE_WORDS
            cursor.execute(_SELECT_OCCURRENCES)
            yield from ((word, count, numbers) for word, count, numbers in cursor)

    def products(self) -> int:
        """Count the rows of products."""
        return _first(self._db, "SELECT count(*) FROM products", None)

    def seq(self) -> int:
        """Read the last line of the change log."""
        return _first(self._db, "SELECT coalesce(max(seq), 0) FROM changes", None)


def _first(db: Connection, statement: str, values: Mapping[str, str | int] | None) -> int:
    row = db.execute(statement, values).fetchone()
    return int(row[0]) if row else 0


def _query(words: Sequence[str], operator: str) -> str:
    """Return words as the text of a tsquery: each in quotes, in which a quote and a backslash are doubled."""
    return operator.join("'" + _cut(word).replace("\\", "\\\\").replace("'", "''") + "'" for word in words)
