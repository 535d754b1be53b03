"""Import a file of reviews into a shop: batch by batch, each once, and bad rows into a report."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from catalog.feeds.rows.raw_bytes import open_bytes
from catalog.product import Rejected
from catalog.reviews.readers.file_reader import FileReply, FileReview, read_reviews
from catalog.reviews.review import MAX_RATING
from catalog.reviews.review_query import NewReview
from catalog.reviews.review_store import ReviewStore
from catalog.text.csv_export import write_csv
from indexer.progress import progress
from search.importing.import_counts import ImportCounts
from search.language.detection import language_of
from search.reviews.importing.product_matcher import ProductMatcher
from search.reviews.moderation.screening import screened

BATCH_ROWS = 2_000
PAUSE_S = 0.01  # between batches: a server that waits to write has its turn
REJECTED_COLUMNS = ("line", "reason")
UNKNOWN = "the shop has no product {name!r}"


@dataclass(slots=True)
class ReviewImportReport(ImportCounts):
    """What an import did with the rows of a file."""

    changed: int = 0
    unchanged: int = 0
    replies: int = 0
    photos_left_out: int = 0  # addresses of pictures, which are not fetched


@dataclass(frozen=True, slots=True)
class ReviewFileOptions:
    """How to read a file: its encoding ("" finds it out), the state of all reviews ("" the file's), the best rating."""

    encoding: str = ""
    state: str = ""
    most: int = MAX_RATING


class ReviewImport:
    """Imports files into a store; `rejected` is where bad rows are listed.

    A review that is stored already is not added again, so an import that was interrupted is run again.
    """

    def __init__(self, store: ReviewStore, matcher: ProductMatcher, rejected: Path) -> None:
        self._store = store
        self._matcher = matcher
        self._rejected = rejected
        self._line = 0

    def run(self, path: Path, options: ReviewFileOptions = ReviewFileOptions()) -> ReviewImportReport:
        """Import a file; memory is bounded. Raises BadFeed, StoreError."""
        report, replies = ReviewImportReport(), list[FileReply]()
        self._rejected.parent.mkdir(parents=True, exist_ok=True)
        self._rejected.unlink(missing_ok=True)
        with open_bytes(path) as lines:
            rows = sum(1 for _ in lines)  # a review may have several
        with progress(f"lines of {path.name}", rows) as tick:
            line = 0
            batch: list[NewReview] = []
            for review in self._reviews(path, options, report, replies):
                batch.append(review)
                if len(batch) == BATCH_ROWS:
                    self._add(batch, report)
                    batch = []
                    tick(max(self._line - line, 0))
                    line = self._line
                    time.sleep(PAUSE_S)
            self._add(batch, report)
            tick(max(rows - line, 0))
        for reply in replies:
            report.replies += self._store.reply_to_key(reply.parent, reply.text)
        return report

    def _reviews(
        self, path: Path, options: ReviewFileOptions, report: ReviewImportReport, replies: list[FileReply]
    ) -> Iterator[NewReview]:
        """Yield the reviews of known products; collect replies, and write bad rows to the report."""
        bad: TextIO | None = None
        try:
            for item in read_reviews(path, options.encoding, options.state, options.most):
                report.rows += 1
                self._line = item.line
                if isinstance(item, FileReply):
                    replies.append(item)
                    continue
                product_id = "" if isinstance(item, Rejected) else self._matcher.find(item.products)
                if isinstance(item, FileReview) and product_id:
                    report.photos_left_out += len(item.pictures)
                    yield _new(item, product_id)
                    continue
                report.rejected += 1
                if bad is None:
                    bad = self._rejected.open("w", encoding="utf-8", newline="")
                    write_csv(bad, [REJECTED_COLUMNS])
                write_csv(bad, [(item.line, _reason(item, report))])
        finally:
            if bad is not None:
                bad.close()

    def _add(self, batch: list[NewReview], report: ReviewImportReport) -> None:
        counts = self._store.add_many(screened(self._store, batch))
        report.added += counts.added
        report.changed += counts.changed
        report.unchanged += counts.unchanged


def _reason(item: FileReview | Rejected, report: ReviewImportReport) -> str:
    if isinstance(item, Rejected):
        return item.reason
    name = item.products[0][:80]
    report.count_unknown(name)
    return UNKNOWN.format(name=name)


def _new(item: FileReview, product_id: str) -> NewReview:
    draft = item.draft
    language = draft.language or (language_of(draft.text or draft.title) if draft.text or draft.title else "")
    key = f"{draft.key} {product_id}" if draft.key and not draft.key.startswith("woocommerce:") else draft.key
    return NewReview(replace(draft, product_id=product_id, language=language, key=key), item.email)
