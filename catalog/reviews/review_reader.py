"""Read the reviews of a shop; what writes them is `ReviewStore`."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from catalog.errors import UnknownReview
from catalog.home import ShopHome
from catalog.reviews import analysis_rows, review_rows, review_sql, summary_rows
from catalog.reviews.near_texts import fold, nearly_same
from catalog.reviews.photo_store import PhotoStore
from catalog.reviews.review import PENDING, Review, ReviewAnalysis, ReviewDraft, ReviewSummary
from catalog.reviews.review_file import ReviewFile, change_of
from catalog.reviews.review_query import (
    DatedOpinion,
    ModerationDecision,
    ProductRating,
    RatingTable,
    ReviewFilter,
    ReviewOverview,
    ReviewPage,
    ReviewPhoto,
    ReviewSentence,
)

NEAR = 3  # reviews like a text that are returned
PAGE = 1_000  # reviews that are read at a time
END_OF_TIME = 1 << 62
_SENTENCE_END = re.compile(r"(?<=[.!?\u2026])\s+|(?<=[\u3002\uff01\uff1f\uff1b])|\n+")


class ReviewReader:
    """The reviews of one shop. Threads and processes may share it, because every call opens the file.

    All methods raise StoreError, DamagedStore or NewerStore where the file cannot be used.
    """

    def __init__(self, home: Path) -> None:
        self.file = ReviewFile(ShopHome(home).reviews)
        self.photos = PhotoStore(home)

    def get(self, review_id: str) -> Review:
        """Return a review in any state. Raises UnknownReview."""
        if not self.file.exists:
            raise UnknownReview(f"There is no review {review_id[:40]!r}.", "This shop has no reviews.")
        with self.file.reading() as db:
            return read_review(db, review_id)

    def page(self, product_id: str, wanted: ReviewFilter, offset: int = 0, k: int = 10) -> ReviewPage:
        """Return approved reviews of a product from a place in the list on, at most k."""
        values = {
            "product": product_id, "rating": wanted.rating, "aspect": wanted.aspect, "polarity": wanted.polarity,
            "verified": wanted.verified, "photos": wanted.photos, "language": wanted.language, "sort": wanted.sort,
            "offset": offset, "k": k,
        }  # fmt: skip
        return self._page(review_sql.COUNT_OF_PRODUCT, review_sql.OF_PRODUCT, values)

    def queue(
        self, state: str = PENDING, offset: int = 0, k: int = 50, *, product_id: str = "", contains: str = ""
    ) -> ReviewPage:
        """Return reviews in a state, perhaps of one product or with a text; those that wait begin with the oldest.

        `contains` is looked for in texts, titles, authors and product ids; case does not matter.
        """
        order = 1 if state == PENDING else -1
        values = {
            "state": state, "product": product_id, "contains": contains.casefold(), "offset": offset, "k": k,
            "order": order,
        }  # fmt: skip
        return self._page(review_sql.COUNT_IN_STATE, review_sql.IN_STATE, values)

    def summary(self, product_id: str) -> ReviewSummary:
        """Return what the approved reviews of a product come to."""
        if not self.file.exists:
            return summary_rows.EMPTY
        with self.file.reading() as db:
            return summary_rows.read(db, product_id)

    def ratings(self) -> RatingTable:
        """Return the rating of every product with approved reviews."""
        if not self.file.exists:
            return RatingTable(0)
        with self.file.reading() as db:
            return RatingTable(change_of(db), summary_rows.ratings(db))

    def ratings_of(self, product_ids: Collection[str]) -> dict[str, ProductRating]:
        """Return the ratings of some products by id, without those that have no approved review."""
        if not self.file.exists:
            return {}
        with self.file.reading() as db:
            return summary_rows.ratings(db, product_ids)

    def change_number(self) -> int:
        """Return a number that grows with every change of what is shown; 0 before the first review."""
        if not self.file.exists:
            return 0
        with self.file.reading() as db:
            return change_of(db)

    def analysis(self, review_id: str) -> ReviewAnalysis | None:
        """Return what was found in a review's text; None before it was analysed."""
        if not self.file.exists:
            return None
        with self.file.reading() as db:
            return analysis_rows.analysis_of(db, number_of(review_id))

    def count_unanalysed(self) -> int:
        """Return how many reviews wait to be analysed."""
        if not self.file.exists:
            return 0
        with self.file.reading() as db:
            return analysis_rows.count_waiting(db)

    def similar(self, draft: ReviewDraft, visitor: str) -> tuple[str, ...]:
        """Return ids of reviews with nearly the same text, on another product or by another visitor, at most NEAR."""
        if not self.file.exists:
            return ()
        folded, key = fold(f"{draft.title} {draft.text}"), self.file.key_of(visitor) if visitor else None
        with self.file.reading() as db:
            rows = review_rows.near_rows(db, folded)
        others = (row for row in rows if key is None or (row[1], row[2]) != (draft.product_id, key))
        return tuple(str(number) for number, _, _, text in others if nearly_same(folded, text))[:NEAR]

    def of_visitor(self, visitor: str) -> tuple[Review, ...]:
        """Return the reviews of a visitor in any state, the oldest first."""
        if not self.file.exists:
            return ()
        key = self.file.key_of(visitor)
        with self.file.reading() as db:
            return tuple(review_rows.review_of(row) for row in db.execute(review_sql.OF_VISITOR, (key,)))

    def votes_of(self, visitor: str) -> dict[str, bool]:
        """Return the votes of a visitor: by review, whether it was helpful."""
        if not self.file.exists:
            return {}
        key = self.file.key_of(visitor)
        with self.file.reading() as db:
            return {str(number): bool(helpful) for number, helpful in db.execute(review_sql.VOTES_OF, (key,))}

    def sentences(self, product_id: str, limit: int = 200) -> tuple[ReviewSentence, ...]:
        """Return the sentences of the `limit` most helpful approved reviews of a product."""
        if not self.file.exists:
            return ()
        with self.file.reading() as db:
            rows = db.execute(review_sql.APPROVED_TEXTS, (product_id, limit)).fetchall()
        found = (review_rows.review_of(row) for row in rows)
        return tuple(
            ReviewSentence(review.id, sentence.strip(), review.language, review.rating, review.verified, review.at)
            for review in found
            for sentence in _SENTENCE_END.split(review.text)
            if sentence.strip()
        )

    def opinions(self, since: int = 0, until: int = END_OF_TIME) -> tuple[DatedOpinion, ...]:
        """Return the opinions in approved reviews that were written in a time, unix seconds."""
        if not self.file.exists:
            return ()
        with self.file.reading() as db:
            return tuple(DatedOpinion(*row) for row in db.execute(review_sql.OPINIONS, (since, until)))

    def photos_of(self, product_id: str, limit: int = 24) -> tuple[tuple[str, str], ...]:
        """Return the photos in approved reviews of a product, the newest first: digests and ids of reviews."""
        if not self.file.exists:
            return ()
        with self.file.reading() as db:
            return tuple(db.execute(review_sql.PHOTOS_OF_PRODUCT, (product_id, limit)).fetchall())

    def shown_photos(self, limit: int) -> tuple[ReviewPhoto, ...]:
        """Return the photos in approved reviews of all products, the newest first."""
        if not self.file.exists:
            return ()
        with self.file.reading() as db:
            return tuple(ReviewPhoto(*row) for row in db.execute(review_sql.SHOWN_PHOTOS, (limit,)))

    def photo(self, sha256: str, *, waiting: bool = False) -> Path | None:
        """Return the file of a photo in an approved review, or in any with `waiting`; None where there is none."""
        path = self.photos.path(sha256)
        if path is None or not self.file.exists:
            return None
        with self.file.reading() as db:
            found = db.execute(review_sql.ANY_PHOTO if waiting else review_sql.SHOWN_PHOTO, (sha256,)).fetchone()
        return path if found else None

    def iterate(self, state: str = "") -> Iterator[Review]:
        """Yield all reviews, or those in a state, in the order in which they were stored; reads a page at a time."""
        after = 0
        while self.file.exists:
            with self.file.reading() as db:
                rows = db.execute(review_sql.AFTER, (after, state, state, PAGE)).fetchall()
            yield from map(review_rows.review_of, rows)
            if len(rows) < PAGE:
                break
            after = int(rows[-1][0])

    def decisions(self, limit: int = 100) -> tuple[ModerationDecision, ...]:
        """Return the log of decisions, the newest first."""
        if not self.file.exists:
            return ()
        with self.file.reading() as db:
            return tuple(ModerationDecision(*row) for row in db.execute(review_sql.DECISIONS, (limit,)))

    def overview(self) -> ReviewOverview:
        """Return what the store has."""
        if not self.file.exists:
            return ReviewOverview(0, 0, 0, 0, 0, 0, 0, 0)
        with self.file.reading() as db:
            row: list[int] = [*db.execute(review_sql.OVERVIEW).fetchone(), self.file.size]
        return ReviewOverview(*row)

    def _page(self, count: str, select: str, values: Mapping[str, object]) -> ReviewPage:
        if not self.file.exists:
            return ReviewPage((), 0)
        with self.file.reading() as db:
            (total,) = db.execute(count, dict(values)).fetchone()
            return ReviewPage(tuple(map(review_rows.review_of, db.execute(select, dict(values)))), total)


def number_of(review_id: str) -> int:
    """Return the number of a review's id; -1 for what cannot be one."""
    return int(review_id) if review_id.isascii() and review_id.isdigit() and len(review_id) <= 18 else -1


def read_review(db: sqlite3.Connection, review_id: str) -> Review:
    """Return a review in any state. Raises UnknownReview."""
    row = db.execute(review_sql.ONE, (number_of(review_id),)).fetchone()
    if row is None:
        raise UnknownReview(f"There is no review {review_id[:40]!r}.", "It may have been removed.")
    return review_rows.review_of(row)
