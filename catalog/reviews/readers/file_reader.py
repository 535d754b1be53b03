"""Read a file of reviews: a table or JSON Lines, by its own column names or those of a known export."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from catalog.errors import BadFeed, BadRow
from catalog.feeds.json_lines import read_json_lines
from catalog.feeds.rows.delimited import open_table
from catalog.feeds.rows.raw_bytes import GZIP
from catalog.feeds.rows.row import FeedRow
from catalog.product import Rejected
from catalog.reviews.readers.review_columns import WOOCOMMERCE, check_review_columns, values_of
from catalog.reviews.readers.review_values import (
    MAX_AUTHOR,
    MAX_REPLY,
    MAX_TEXT,
    MAX_TITLE,
    is_above,
    read_rating,
    read_state,
    read_time,
    read_verified,
    read_words,
    says_day_first,
)
from catalog.reviews.review import APPROVED, MAX_RATING, PENDING, ReviewDraft

_STAFF = ("administrator", "shop_manager", "editor", "author", "staff")
DATES_LOOKED_AT = 2_000  # rows, to find out whether days come before months
_TABLES, _LINES = (".csv", ".tsv", ".txt"), (".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class FileReview:
    """A review of a file. `products` are what the row says of its product: an id, a SKU, a handle, an address, a title.

    The draft has no product yet. `email` is the author's, `pictures` are the addresses of photos.
    """

    line: int
    products: tuple[str, ...]
    draft: ReviewDraft
    email: str = ""
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileReply:
    """A row of WooCommerce that answers a review; `parent` is the key of the review."""

    line: int
    parent: str
    text: str


FileItem = FileReview | FileReply | Rejected


def read_reviews(path: Path, encoding: str = "", state: str = "", most: int = MAX_RATING) -> Iterator[FileItem]:
    """Yield the reviews and replies of a file, and a Rejected for every row that is neither.

    `state` is that of all reviews; "" takes what the file says, and reviews wait where it says nothing.
    `most` is the best rating. Raises BadFeed for an unknown kind of file, for a table without the columns that a review
    needs, and where a rating is above `most`: one scale is that of all.
    """
    _check_ratings(path, encoding, most)
    day_first = _day_first(path, encoding)
    with _opened(path, encoding) as rows:
        for row in rows:
            try:
                item = _item(row, day_first, most)
            except BadRow as error:
                yield Rejected(path.name, row.line, error.message)
                continue
            if item is not None:
                yield (
                    replace(item, draft=replace(item.draft, state=state))
                    if state and isinstance(item, FileReview)
                    else item
                )


@contextmanager
def _opened(path: Path, encoding: str) -> Iterator[Iterator[FeedRow]]:
    if not path.is_file():
        raise BadFeed(f"There is no file of reviews at {path}.", "Check the path.")
    ending = Path(path.name.lower().removesuffix(GZIP)).suffix
    if ending in _LINES:
        yield read_json_lines(path, encoding)
    elif ending in _TABLES:
        with open_table(path, encoding) as (header, rows):
            check_review_columns(header, path.name)
            yield rows
    else:
        endings = ", ".join((*_TABLES, *_LINES))
        raise BadFeed(f"{path.name} is no file of reviews that can be read.", f"Give a file that ends in {endings}.")


def _check_ratings(path: Path, encoding: str, most: int) -> None:
    with _opened(path, encoding) as rows:
        for row in rows:
            for text in values_of(row.cells).get("rating", ())[:1]:
                if is_above(text, most):
                    raise BadFeed(
                        f"The rating {text[:20]!r} in line {row.line} of {path.name} is above {most}.",
                        "Where ratings are out of 10 or 100, give --out-of 10 or --out-of 100; else correct it.",
                    )


def _day_first(path: Path, encoding: str) -> bool:
    """Find out from the first dates of a file whether days come before months, as 31/12/2025."""
    with _opened(path, encoding) as rows:
        for row, _ in zip(rows, range(DATES_LOOKED_AT), strict=False):
            for text in values_of(row.cells).get("created", ()):
                if (found := says_day_first(text)) is not None:
                    return found
    return False


def _by_staff(row: FeedRow) -> bool:
    """Tell whether WordPress says that a comment is by somebody of the shop: by the role, else by an account."""
    roles, accounts = row.cells.get("role", []), row.cells.get("user_id", [])
    if any(role.strip() for role in roles):
        return any(role.strip().lower() in _STAFF for role in roles)
    return any(account.strip().isdecimal() and int(account) > 0 for account in accounts)


def _item(row: FeedRow, day_first: bool, most: int) -> FileReview | FileReply | None:
    """Return what a row has; None of a row that is no review, such as a comment on a post. Raises BadRow."""
    if row.fault:
        raise BadRow(row.fault)
    values = values_of(row.cells)
    first = {field: cells[0] for field, cells in values.items()}
    prefix = "woocommerce:" if WOOCOMMERCE in row.cells else ""
    text = read_words(first.get("text", ""), MAX_TEXT)
    if first.get("parent", "0").strip() not in ("", "0"):
        if read_state(first.get("state", "")) != APPROVED:
            raise BadRow("the reply is not approved")
        if not _by_staff(row):
            raise BadRow("the comment on a review is not by the shop's staff, as user_id or role would say")
        return FileReply(row.line, f"{prefix}{first['parent'].strip()}", text[:MAX_REPLY])
    if not values.get("product"):
        raise BadRow("there is no product")
    key = first.get("key", "").strip()
    draft = ReviewDraft(
        "",
        read_rating(first.get("rating", ""), most),
        text,
        read_words(first.get("title", ""), MAX_TITLE),
        read_words(first.get("author", ""), MAX_AUTHOR),
        first.get("language", "").strip().lower().replace("_", "-").partition("-")[0],
        read_time(first.get("created", ""), day_first),
        verified=read_verified(first.get("verified", "")),
        key=f"{prefix}{key}" if key else "",
        reply=read_words(first.get("reply", ""), MAX_REPLY),
        state=read_state(first["state"]) if "state" in first else PENDING,
    )
    products = tuple(dict.fromkeys(cell.strip() for cell in values["product"]))
    pictures = tuple(part for cell in values.get("photos", ()) for part in cell.replace(",", " ").split())
    return FileReview(row.line, products, draft, first.get("email", "").strip(), pictures)
