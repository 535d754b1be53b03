"""The reviews of a shop: written by visitors or imported, decided about by the owner, summed up by product.

A visitor is stored as a keyed hash of an id or mail address; the key is the shop's own. Only approved reviews are
shown, counted or quoted.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from catalog.errors import BadInput, TooManyReviews, UnknownReview
from catalog.reviews import analysis_rows, batch_rows, review_rows, review_sql, summary_rows
from catalog.reviews.review import APPROVED, DAY_S, STATES, Review, ReviewAnalysis, ReviewDraft
from catalog.reviews.review_file import raise_change
from catalog.reviews.review_query import NewReview, ReviewText, StoreCounts
from catalog.reviews.review_reader import ReviewReader, number_of, read_review


class ReviewStore(ReviewReader):
    """The reviews of one shop, to read and to write. Threads and processes may share it: every call opens the file.

    All methods raise StoreError, DamagedStore or NewerStore where the file cannot be used.
    """

    def add(
        self, draft: ReviewDraft, visitor: str, reasons: Sequence[str] = (), *, a_day: int = 0, now: float | None = None
    ) -> Review:
        """Store a visitor's review of a product in place of an earlier one by the visitor, and return it.

        `a_day` is the most that a visitor may send in a day, 0 for no limit. Raises TooManyReviews.
        """
        at = int(time.time() if now is None else now)
        new = NewReview(replace(draft, at=draft.at or at), visitor, tuple(reasons))
        key = self.file.key_of(visitor)
        source = batch_rows.source_of(self.file, draft, visitor)
        with self.file.writing() as db:
            if a_day and _count_submission(db, key, at // DAY_S) > a_day:
                raise TooManyReviews(f"More than {a_day} reviews were sent today.", "Write the next one tomorrow.")
            earlier = [number for (number,) in db.execute(review_sql.OF_VISITOR_AND_PRODUCT, (key, draft.product_id))]
            shown = _are_shown(db, earlier)
            unused = review_rows.remove(db, earlier) - set(draft.photos)
            number = review_rows.insert(db, new, key, source)
            if shown or draft.state == APPROVED:
                _show_again(db, {draft.product_id})
            stored = read_review(db, str(number))
        self.photos.remove(unused)
        return stored

    def add_many(self, new: Sequence[NewReview]) -> StoreCounts:
        """Store a batch of imported reviews, all or none. What is stored already stays as it is.

        A review is known again by its key, else by visitor and product, else by product, author and text.
        """
        keyed = [batch_rows.keyed(self.file, review) for review in new]
        visitors = [self.file.key_of(review.visitor) if review.visitor else None for review in keyed]
        sources = [batch_rows.source_of(self.file, review.draft, review.visitor) for review in keyed]
        with self.file.writing(many=True) as db:
            batch = batch_rows.Batch(db)
            for review, visitor, source in zip(keyed, visitors, sources, strict=True):
                batch.put(review, visitor, source)
            if batch.products:
                summary_rows.count(db, batch.products)
                raise_change(db)
        self.photos.remove(batch.unused)
        return batch.counts

    def reply_to_key(self, key: str, text: str) -> bool:
        """Set the reply to an imported review that has none; return whether there is such a review."""
        with self.file.writing() as db:
            found = db.execute(review_sql.WITH_KEY, (key,)).fetchone()
            if found is not None and not found[1]:
                db.execute(review_sql.SET_REPLY, (text, None, found[0]))
                raise_change(db)
        return found is not None

    def decide(
        self, ids: Iterable[str], state: str, reason: str = "", actor: str = "", now: float | None = None
    ) -> int:
        """Approve, reject or hold back reviews, and log it; return how many changed. Ignores unknown ids."""
        if state not in STATES:
            raise BadInput(f"There is no state {state!r}.", f"The states are {', '.join(STATES)}.")
        at, products, changed = int(time.time() if now is None else now), set[str](), 0
        with self.file.writing() as db:
            for number in map(number_of, ids):
                row = db.execute(review_sql.STATE_OF, (number,)).fetchone()
                if row is None or row[1] == state:
                    continue
                db.execute(review_sql.SET_STATE, (state, number))
                db.execute(review_sql.LOG, (at, number, row[0], state, reason, actor))
                changed += 1
                if APPROVED in (state, row[1]):
                    products.add(row[0])
            _show_again(db, products)
        return changed

    def reply(self, review_id: str, text: str, now: float | None = None) -> Review:
        """Set the owner's reply, "" to remove it. Raises UnknownReview."""
        at = int(time.time() if now is None else now) if text else None
        with self.file.writing() as db:
            read_review(db, review_id)
            db.execute(review_sql.SET_REPLY, (text, at, number_of(review_id)))
            stored = read_review(db, review_id)
            if stored.state == APPROVED:
                raise_change(db)
        return stored

    def vote(self, review_id: str, visitor: str, helpful: bool | None, now: float | None = None) -> Review:
        """Set a visitor's vote on an approved review, None to take it back. Raises UnknownReview."""
        key, at = self.file.key_of(visitor), int(time.time() if now is None else now)
        with self.file.writing() as db:
            number = number_of(review_id)
            if read_review(db, review_id).state != APPROVED:
                raise UnknownReview(f"The review {review_id[:40]!r} is not shown.", "Only shown reviews have votes.")
            if helpful is None:
                db.execute(review_sql.REMOVE_VOTE, (number, key))
            else:
                db.execute(review_sql.SET_VOTE, (number, key, int(helpful), at))
            db.execute(review_sql.COUNT_VOTES, (number,))
            raise_change(db)
            return read_review(db, review_id)

    def remove(self, ids: Iterable[str]) -> int:
        """Remove reviews with their photos and votes; return how many there were."""
        with self.file.writing(durable=True) as db:
            removed, unused = _remove(db, [number_of(review) for review in ids])
        self.photos.remove(unused)
        return removed

    def remove_unused_photos(self, photos: Iterable[str]) -> None:
        """Remove those of these photos that no review shows, as after a review that could not be stored."""
        with self.file.writing() as db:
            unused = [sha256 for sha256 in photos if db.execute(review_sql.ANY_PHOTO, (sha256,)).fetchone() is None]
        self.photos.remove(unused)

    def forget(self, visitor: str) -> int:
        """Remove the reviews, photos and votes of a visitor; return how many reviews and votes there were.

        When this returns, no later reader sees them, and neither file nor write-ahead log has the visitor's hash.
        """
        if not self.file.exists:
            return 0
        key = self.file.key_of(visitor)
        with self.file.writing(durable=True) as db:
            voted = [number for number, _ in db.execute(review_sql.VOTES_OF, (key,)).fetchall()]
            db.execute("DELETE FROM votes WHERE visitor = ?", (key,))
            db.execute("DELETE FROM submissions WHERE visitor = ?", (key,))
            db.executemany(review_sql.COUNT_VOTES, [(number,) for number in voted])
            numbers = [int(row[0]) for row in db.execute(review_sql.OF_VISITOR, (key,)).fetchall()]
            removed, unused = _remove(db, numbers)
            if voted:
                raise_change(db)
        self.photos.remove(unused)
        return removed + len(voted)

    def unanalysed(self, model: str, limit: int) -> tuple[ReviewText, ...]:
        """Return texts that `model` has not analysed, those of the newest reviews first, each once.

        Texts that it has analysed before, in this or an earlier import, get those analyses again.
        """
        if not self.file.exists:
            return ()
        while True:
            with self.file.writing() as db:
                analysis_rows.use_model(db, model)
                waiting = analysis_rows.waiting(db, limit)
                reused = analysis_rows.reuse(db, model, waiting)
            if not reused:
                return waiting

    def save_analyses(self, model: str, found: Mapping[str, ReviewAnalysis]) -> None:
        """Store what `model` found in texts, by digest of the text. `refresh` then makes the summaries again."""
        with self.file.writing() as db:
            analysis_rows.use_model(db, model)
            analysis_rows.save(db, model, {bytes.fromhex(digest): analysis for digest, analysis in found.items()})

    def remove_quick_analyses(self, model: str) -> None:
        """Have the reviews that a model's quick form analysed wait for the model itself."""
        if self.file.exists:
            with self.file.writing() as db:
                analysis_rows.remove_quick(db, model)

    def refresh(self, limit: int = 1_000) -> int:
        """Make the summaries of at most `limit` products again whose opinions have changed; return how many."""
        if not self.file.exists:
            return 0
        with self.file.writing(many=True) as db:
            count = analysis_rows.refresh_stale(db, limit)
            if count:
                raise_change(db)
        return count


def _remove(db: sqlite3.Connection, numbers: Sequence[int]) -> tuple[int, set[str]]:
    """Remove reviews; return how many there were, and the photos that nobody shows now."""
    found = [row for number in numbers if (row := db.execute(review_sql.STATE_OF, (number,)).fetchone())]
    unused = review_rows.remove(db, numbers)
    _show_again(db, {product_id for product_id, state in found if state == APPROVED})
    return len(found), unused


def _show_again(db: sqlite3.Connection, product_ids: set[str]) -> None:
    """Sum up products again whose approved reviews have changed."""
    if product_ids:
        summary_rows.count(db, product_ids)
        summary_rows.refresh(db, product_ids)
        raise_change(db)


def _are_shown(db: sqlite3.Connection, numbers: Iterable[int]) -> bool:
    return any(db.execute(review_sql.STATE_OF, (number,)).fetchone()[1] == APPROVED for number in numbers)


def _count_submission(db: sqlite3.Connection, visitor: bytes, day: int) -> int:
    """Count a review of a visitor on a day; return how many there were, this review included."""
    db.execute(review_sql.REMOVE_OLD_SUBMISSIONS, (day - 1,))
    return int(db.execute(review_sql.COUNT_SUBMISSION, (visitor, day)).fetchone()[0])
