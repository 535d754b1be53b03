"""Store a batch of imported reviews in an open file: each once, however often a file is imported."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import NamedTuple

from catalog.reviews import review_rows
from catalog.reviews.near_texts import text_digest
from catalog.reviews.review import APPROVED, ReviewDraft
from catalog.reviews.review_file import ReviewFile
from catalog.reviews.review_query import NewReview, StoreCounts

_BY_KEY = "SELECT number, source, at, state, digest, product_id FROM reviews WHERE key = ?"
_BY_VISITOR = """SELECT number, source, at, state, digest, product_id FROM reviews
    WHERE visitor = ? AND product_id = ?"""
_IS_SUPERSEDED = "SELECT 1 FROM superseded WHERE source = ?"
_SUPERSEDE = "INSERT OR REPLACE INTO superseded VALUES (?, ?)"
_SET_VOTES = "UPDATE reviews SET helpful = ?, unhelpful = ? WHERE number = ?"
_SET_REPLY = "UPDATE reviews SET reply = ?, reply_at = ? WHERE number = ?"
_LATER_PARTS = "SELECT helpful, unhelpful, reply, reply_at FROM reviews WHERE number = ?"
_DIGEST = "SELECT digest FROM reviews WHERE number = ?"
_DECIDED = "SELECT 1 FROM decisions WHERE number = ? LIMIT 1"
_SAME = "SELECT digest FROM reviews WHERE number = ? AND product_id = ?"
_LONGEST_NUMBER = 18  # digits
EXPORT_KEY = "windowshop-"  # begins the key of an exported review, before its number
TEXT_KEY = "text:"  # begins the key of a review that came without a key and an author's mail address


class _Stored(NamedTuple):
    number: int
    source: bytes
    at: int
    state: str
    digest: bytes
    product_id: str


def source_of(file: ReviewFile, draft: ReviewDraft, visitor: str) -> bytes:
    """Return a keyed digest of everything that a review came with."""
    numbers = f"{draft.rating} {draft.at} {draft.verified:d} {draft.state}"
    texts = (draft.title, draft.text, draft.author, draft.language, draft.reply)
    return file.digest(draft.product_id, draft.key, visitor, numbers, *texts, *draft.photos)


def keyed(file: ReviewFile, new: NewReview) -> NewReview:
    """Return a review with a key: one of product, author and text where it has neither a key nor a visitor."""
    draft = new.draft
    if draft.key or new.visitor:
        return new
    digest = file.digest(draft.product_id, draft.author, draft.title, draft.text, str(draft.rating)).hex()
    return replace(new, draft=replace(draft, key=f"{TEXT_KEY}{digest}"))


class Batch:
    """Stores reviews in one transaction; `products` are those whose approved reviews changed, `unused` photos."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.counts = StoreCounts()
        self.products: set[str] = set()
        self.unused: set[str] = set()

    def put(self, new: NewReview, visitor: bytes | None, source: bytes) -> None:
        """Store a review, unless it is stored already, or was replaced by a later one of its visitor."""
        draft = new.draft
        by_key = self._find(_BY_KEY, draft.key) if draft.key else None
        by_visitor = self._find(_BY_VISITOR, visitor, draft.product_id) if visitor else None
        rival = by_visitor if by_visitor != by_key else None  # another review of the visitor
        stored = by_key or by_visitor
        if stored is None and self._is_own(draft):
            self.counts.unchanged += 1
        elif stored is None:
            self._insert(new, visitor, source)
            self.counts.added += 1
        elif stored.source == source or self._is_superseded(source):
            self.counts.unchanged += 1
        elif rival is not None and 0 < draft.at < rival.at:
            self._db.execute(_SUPERSEDE, (source, stored.number))
            self.counts.unchanged += 1
        else:
            if rival is not None and rival is not stored:
                self._drop(rival)
            self._replace(stored, new, visitor, source)
            self.counts.changed += 1

    def _replace(self, stored: _Stored, new: NewReview, visitor: bytes | None, source: bytes) -> None:
        """Store a review in place of another, under the same number; votes stay where the text does."""
        db, number = self._db, stored.number
        if stored.digest == text_digest(new.draft.text or new.draft.title) and self._is_decided(number):
            new = replace(new, draft=replace(new.draft, state=stored.state))
        *votes, reply, reply_at = db.execute(_LATER_PARTS, (number,)).fetchone()
        earlier = db.execute("SELECT source FROM superseded WHERE number = ?", (number,)).fetchall()
        self.unused |= review_rows.remove(db, [number], votes=False)
        if stored.state == APPROVED:
            self.products.add(stored.product_id)
        self._insert(new, visitor, source, number)
        if reply and (reply_at is not None or new.draft.reply in ("", reply)):
            db.execute(_SET_REPLY, (reply, reply_at, number))
        db.executemany(_SUPERSEDE, [(replaced, number) for (replaced,) in (*earlier, (stored.source,))])
        if db.execute(_DIGEST, (number,)).fetchone()[0] == stored.digest:
            db.execute(_SET_VOTES, (*votes, number))
        else:
            db.execute("DELETE FROM votes WHERE number = ?", (number,))

    def _drop(self, other: _Stored) -> None:
        self.unused |= review_rows.remove(self._db, [other.number])
        if other.state == APPROVED:
            self.products.add(other.product_id)

    def _insert(self, new: NewReview, visitor: bytes | None, source: bytes, number: int | None = None) -> None:
        review_rows.insert(self._db, new, visitor, source, number)
        self.unused -= set(new.draft.photos)
        if new.draft.state == APPROVED:
            self.products.add(new.draft.product_id)

    def _find(self, statement: str, *values: str | bytes | None) -> _Stored | None:
        row = self._db.execute(statement, values).fetchone()
        return None if row is None else _Stored(*row)

    def _is_decided(self, number: int) -> bool:
        return self._db.execute(_DECIDED, (number,)).fetchone() is not None

    def _is_own(self, draft: ReviewDraft) -> bool:
        """Tell whether a review comes from this store's export: its number, product and text are those of a review."""
        number = draft.key.partition(" ")[0].removeprefix(EXPORT_KEY)
        if not (draft.key.startswith(EXPORT_KEY) and number.isdecimal() and len(number) < _LONGEST_NUMBER):
            return False
        found = self._db.execute(_SAME, (int(number), draft.product_id)).fetchone()
        return found is not None and found[0] == text_digest(draft.text or draft.title)

    def _is_superseded(self, source: bytes) -> bool:
        return self._db.execute(_IS_SUPERSEDED, (source,)).fetchone() is not None
