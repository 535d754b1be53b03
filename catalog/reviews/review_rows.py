"""Write and remove reviews in an open file, with all that belongs to them; every function runs in its transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from catalog.reviews.near_texts import bands_of, fold, text_digest
from catalog.reviews.review import Review, shown_author
from catalog.reviews.review_query import NewReview

_INSERT = """INSERT INTO reviews (number, product_id, visitor, key, source, rating, text, title, author, language, at,
    verified, state, reasons, photos, reply, digest) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"""
_ADD_BAND = "INSERT OR IGNORE INTO near_texts VALUES (?, ?)"
_ADD_PHOTO = "INSERT OR IGNORE INTO photos VALUES (?, ?)"
_PARTS = (
    "DELETE FROM near_texts WHERE number = ?",
    "DELETE FROM photos WHERE number = ?",
    "DELETE FROM superseded WHERE number = ?",
    "DELETE FROM votes WHERE number = ?",
)
_REMOVE_OPINIONS = "DELETE FROM opinions WHERE product_id = ? AND number = ?"
_REMOVE = "DELETE FROM reviews WHERE number = ?"
_REMOVE_UNUSED = """DELETE FROM analyses WHERE digest = ?
    AND NOT EXISTS (SELECT 1 FROM reviews WHERE reviews.digest = analyses.digest)"""
_PHOTOS_OF = "SELECT sha256 FROM photos WHERE number = ?"
_USED = "SELECT 1 FROM photos WHERE sha256 = ?"
_CANDIDATES = """SELECT DISTINCT r.number, r.product_id, r.visitor, r.title, r.text FROM near_texts AS n
    JOIN reviews AS r ON r.number = n.number WHERE n.band IN (SELECT value FROM json_each(?)) LIMIT ?"""
_MAX_CANDIDATES = 200


def review_of(row: Sequence[Any]) -> Review:
    """Return the review of a row, whose columns are those of `Review` in their order."""
    number, product_id, rating, text, title, author, language, at, verified, state, reasons, photos, *rest = row
    return Review(
        str(number), product_id, rating, text, title, author, language, at, bool(verified), state,
        tuple(json.loads(reasons)), tuple(json.loads(photos)), *rest,
    )  # fmt: skip


def insert(
    db: sqlite3.Connection, new: NewReview, visitor: bytes | None, source: bytes, number: int | None = None
) -> int:
    """Store a review, and return its number: the given one, or the next."""
    draft = new.draft
    digest = text_digest(draft.text or draft.title)
    row = (
        number, draft.product_id, visitor, draft.key or None, source, draft.rating, draft.text, draft.title,
        shown_author(draft.author), draft.language, draft.at, int(draft.verified), draft.state, json.dumps(new.reasons),
        json.dumps(draft.photos), draft.reply, digest,
    )  # fmt: skip
    stored = int(db.execute(_INSERT, row).lastrowid or 0)
    db.executemany(_ADD_BAND, [(band, stored) for band in bands_of(fold(f"{draft.title} {draft.text}"))])
    db.executemany(_ADD_PHOTO, [(sha256, stored) for sha256 in draft.photos])
    return stored


def remove(db: sqlite3.Connection, numbers: Iterable[int], *, votes: bool = True) -> set[str]:
    """Remove reviews and what belongs to them, perhaps without the votes; return the photos that nobody shows now."""
    photos: set[str] = set()
    for number in numbers:
        found = db.execute("SELECT product_id, digest FROM reviews WHERE number = ?", (number,)).fetchone()
        if found is None:
            continue
        photos.update(sha256 for (sha256,) in db.execute(_PHOTOS_OF, (number,)))
        for statement in _PARTS if votes else _PARTS[:-1]:
            db.execute(statement, (number,))
        db.execute(_REMOVE_OPINIONS, (found[0], number))
        db.execute(_REMOVE, (number,))
        db.execute(_REMOVE_UNUSED, (found[1],))
    return {sha256 for sha256 in photos if db.execute(_USED, (sha256,)).fetchone() is None}


def near_rows(db: sqlite3.Connection, folded: str) -> list[tuple[int, str, bytes | None, str]]:
    """Return number, product, visitor and folded text of stored reviews that share a band with a folded text."""
    bands = bands_of(folded)
    if not bands:
        return []
    rows = db.execute(_CANDIDATES, (json.dumps(bands), _MAX_CANDIDATES)).fetchall()
    return [(number, product, visitor, fold(f"{title} {text}")) for number, product, visitor, title, text in rows]
