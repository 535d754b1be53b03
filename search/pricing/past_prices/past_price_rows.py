"""Read the rows of a file of past prices: a table with product_id, time and price, and perhaps more columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from catalog.errors import BadFeed, BadRow
from catalog.feeds.rows.delimited import open_table
from catalog.feeds.rows.flags import parse_flag
from catalog.feeds.rows.raw_bytes import open_bytes
from catalog.feeds.rows.row import FeedRow, first
from catalog.feeds.stock_words import parse_availability
from catalog.money.habits import FeedHabits
from catalog.money.prices import read_price
from catalog.product import Rejected
from catalog.reviews.readers.review_values import read_time, says_day_first

REQUIRED = ("product_id", "time", "price")
OPTIONAL = ("list_price", "currency", "in_stock", "present")
COLUMNS = (*REQUIRED, *OPTIONAL)
BLANK = b"\xef\xbb\xbf \t\r\n"  # a byte order mark counts as blank too
MAX_PRODUCT_ID = 200  # characters
DATES_LOOKED_AT = 2_000  # rows, to find out whether days come before months


@dataclass(frozen=True, slots=True)
class PastPrice:
    """What a row says that a product cost from `at` on; `currency` is "" where the row leaves it out."""

    line: int
    product_id: str
    at: int
    price: Decimal | None
    list_price: Decimal | None
    currency: str
    in_stock: bool
    present: bool


def read_past_prices(path: Path, encoding: str = "") -> Iterator[PastPrice | Rejected]:
    """Yield what the rows of a table say, and a Rejected for every row that says nothing.

    Raises BadFeed without a header that has the required columns.
    """
    with open_bytes(path) as lines:
        empty = not any(line.strip(BLANK) for line in lines)
    if empty:
        raise BadFeed(f"{path.name} is empty.", f"Its first line names the columns: {','.join(REQUIRED)}.")
    day_first = _day_first(path, encoding)
    habits = FeedHabits(lambda: _cells(path, encoding))
    with open_table(path, encoding) as (header, rows):
        if missing := [name for name in REQUIRED if name not in header]:
            names = f"{', '.join(REQUIRED)}, and perhaps {', '.join(OPTIONAL)}"
            problem = f"{path.name} has no column {', '.join(missing)}; its columns are: {', '.join(header)[:500]}."
            raise BadFeed(problem, f"A file of past prices has the columns {names}.")
        for row in rows:
            try:
                yield _past_price(row, day_first, habits)
            except BadRow as error:
                yield Rejected(path.name, row.line, error.message)


def _past_price(row: FeedRow, day_first: bool, habits: FeedHabits) -> PastPrice:
    """Return what a row says. Raises BadRow."""
    if row.fault:
        raise BadRow(row.fault)
    product_id, time = (first(row.cells, name).strip() for name in REQUIRED[:2])
    if not product_id:
        raise BadRow("there is no product_id")
    if len(product_id) > MAX_PRODUCT_ID:
        raise BadRow(f"the product_id has more than {MAX_PRODUCT_ID} characters")
    if not time:
        raise BadRow("there is no time")
    column = first(row.cells, "currency")
    price = read_price(first(row.cells, "price"), column, habits)
    list_price = read_price(first(row.cells, "list_price"), column, habits)
    if price.currency and list_price.currency and price.currency != list_price.currency:
        raise BadRow(f"the price is in {price.currency} and the list_price in {list_price.currency}")
    return PastPrice(
        row.line,
        product_id,
        _seconds(time, day_first),
        price.amount,
        list_price.amount,
        price.currency or list_price.currency,
        _stock(row.cells),
        _present(row.cells),
    )


def _stock(cells: Mapping[str, Sequence[str]]) -> bool:
    text = first(cells, "in_stock")
    in_stock = parse_availability(text) if text else True
    if in_stock is None:
        raise BadRow(f"it cannot be told from {text[:40]!r} whether the product was in stock")
    return in_stock


def _present(cells: Mapping[str, Sequence[str]]) -> bool:
    text = first(cells, "present")
    present = parse_flag(text) if text else True
    if present is None:
        raise BadRow(f"present is {text[:40]!r}, neither yes nor no")
    return present


@lru_cache(maxsize=65_536)  # the weeks of one product are those of the others
def _seconds(text: str, day_first: bool) -> int:
    return read_time(text, day_first)


def _day_first(path: Path, encoding: str) -> bool:
    """Find out from the first times of a file whether days come before months, as 31/12/2025."""
    for cells, _ in zip(_cells(path, encoding), range(DATES_LOOKED_AT), strict=False):
        if (found := says_day_first(first(cells, "time"))) is not None:
            return found
    return False


def _cells(path: Path, encoding: str) -> Iterator[Mapping[str, Sequence[str]]]:
    with open_table(path, encoding) as (_, rows):
        for row in rows:
            yield row.cells
