"""The texts that wait to be analysed, and what was found in them, in an open file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from catalog.reviews import summary_rows
from catalog.reviews.review import Opinion, ReviewAnalysis
from catalog.reviews.review_query import QUICK, ReviewText

_MODEL = "SELECT value FROM about WHERE name = 'model'"
_SET_MODEL = "UPDATE about SET value = ? WHERE name = 'model'"
_UNMARK_OTHERS = "UPDATE reviews SET analysed = '' WHERE analysed NOT IN (?, ?)"
_UNMARK = "UPDATE reviews SET analysed = '' WHERE analysed = ?"
_REMOVE_OF_MODEL = "DELETE FROM analyses WHERE model = ?"
_READY = "SELECT model, analysis FROM analyses WHERE digest = ? AND model IN (?, ?) ORDER BY length(model) LIMIT 1"
_WAITING = """SELECT digest, title, text, language, min(number) AS first FROM
    (SELECT number, digest, title, text, language FROM reviews
    WHERE analysed = '' AND state != 'rejected' ORDER BY number DESC LIMIT ?)
    GROUP BY digest ORDER BY first DESC"""
_COUNT_WAITING = "SELECT count(*) FROM reviews WHERE analysed = '' AND state != 'rejected'"
_SAVE = "INSERT OR REPLACE INTO analyses VALUES (?, ?, ?)"
_WITH_DIGEST = "SELECT number, product_id, length(text) FROM reviews WHERE digest = ?"
_REMOVE_OPINIONS = "DELETE FROM opinions WHERE product_id = ? AND number = ?"
_ADD_OPINION = "INSERT OR IGNORE INTO opinions VALUES (?, ?, ?, ?, ?, ?, ?)"
_MARK = "UPDATE reviews SET analysed = ? WHERE number = ?"
_ANALYSIS_OF = """SELECT a.analysis FROM reviews AS r JOIN analyses AS a ON a.digest = r.digest AND a.model = r.analysed
    WHERE r.number = ?"""
_STALE = "SELECT product_id FROM summaries WHERE stale = 1 LIMIT ?"


def use_model(db: sqlite3.Connection, model: str) -> None:
    """Have all reviews that another model analysed wait for this one, if it was not the last.

    A model and its quick form are one here.
    """
    model = model.removesuffix(QUICK)
    if db.execute(_MODEL).fetchone()[0] != model:
        db.execute(_UNMARK_OTHERS, (model, model + QUICK))
        db.execute(_SET_MODEL, (model,))


def remove_quick(db: sqlite3.Connection, model: str) -> None:
    """Remove a model's quick analyses: their reviews wait for thorough ones, and are shown as before meanwhile."""
    quick = model.removesuffix(QUICK) + QUICK
    db.execute(_REMOVE_OF_MODEL, (quick,))
    db.execute(_UNMARK, (quick,))


def reuse(db: sqlite3.Connection, model: str, texts: Iterable[ReviewText]) -> int:
    """Give texts the analyses that the model, or its quick form, has made before; return how many had one."""
    model = model.removesuffix(QUICK)
    found: dict[str, dict[bytes, ReviewAnalysis]] = {}
    for digest in (bytes.fromhex(text.digest) for text in texts):
        if (row := db.execute(_READY, (digest, model, model + QUICK)).fetchone()) is not None:
            found.setdefault(row[0], {})[digest] = _parsed(row[1])
    for made_by, analyses in found.items():
        save(db, made_by, analyses)
    return sum(map(len, found.values()))


def waiting(db: sqlite3.Connection, limit: int) -> tuple[ReviewText, ...]:
    """Return the texts of the newest `limit` reviews that wait, each once."""
    rows = db.execute(_WAITING, (limit,)).fetchall()
    return tuple(ReviewText(digest.hex(), text or title, language) for digest, title, text, language, _ in rows)


def count_waiting(db: sqlite3.Connection) -> int:
    """Return how many reviews wait."""
    return int(db.execute(_COUNT_WAITING).fetchone()[0])


def save(db: sqlite3.Connection, model: str, found: Mapping[bytes, ReviewAnalysis]) -> set[str]:
    """Store analyses by digest, for all reviews with these texts; return the products of the reviews."""
    products: set[str] = set()
    for digest, analysis in found.items():
        reviews = db.execute(_WITH_DIGEST, (digest,)).fetchall()
        if reviews:
            db.execute(_SAVE, (digest, model, _written(analysis)))
        for number, product_id, length in reviews:
            db.execute(_REMOVE_OPINIONS, (product_id, number))
            db.executemany(_ADD_OPINION, [
                (product_id, number, opinion.start, opinion.aspect, opinion.polarity, opinion.probability, opinion.end)
                for opinion in analysis.opinions if 0 <= opinion.start < opinion.end <= length
            ])  # fmt: skip
            db.execute(_MARK, (model, number))
            products.add(product_id)
    summary_rows.mark_stale(db, products)
    return products


def analysis_of(db: sqlite3.Connection, number: int) -> ReviewAnalysis | None:
    """Return what was found in a review; None before it was analysed."""
    row = db.execute(_ANALYSIS_OF, (number,)).fetchone()
    return None if row is None else _parsed(row[0])


def refresh_stale(db: sqlite3.Connection, limit: int) -> int:
    """Make the aspects of at most `limit` products again; return how many there were."""
    products = [product_id for (product_id,) in db.execute(_STALE, (limit,))]
    summary_rows.refresh(db, products)
    return len(products)


def _written(analysis: ReviewAnalysis) -> str:
    opinions: Iterable[list[Any]] = (
        [opinion.aspect, opinion.polarity, round(opinion.probability, 4), opinion.start, opinion.end]
        for opinion in analysis.opinions
    )
    return json.dumps([round(analysis.sentiment, 4), list(opinions)])


def _parsed(text: str) -> ReviewAnalysis:
    sentiment, opinions = json.loads(text)
    return ReviewAnalysis(sentiment, tuple(Opinion(*opinion) for opinion in opinions))
