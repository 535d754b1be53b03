"""Orders of a table: HOME/orders.csv, which the shop's own system writes. Changes of the file are followed.

The table has the columns number, email or email_sha256, and status; and perhaps carrier, tracking, tracking_url,
shipped_at, expected_at and items (with ";" between them). Encoding and delimiter are detected as those of a feed.
An order may have several rows, one for each item. In memory there are hashes of addresses alone.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path

from catalog.errors import BadFeed, OrdersUnavailable
from catalog.feeds.rows.delimited import open_table
from catalog.feeds.rows.row import FeedRow
from catalog.files.atomic import stat_mark
from search.assistant.orders.connector import same_mail
from search.assistant.orders.order import FIELDS, OrderStatus, joined, order_number
from search.assistant.threads.removal import mail_sha256

MAX_ROWS = 2_000_000
Row = tuple[str, ...]  # the hash of the address, then FIELDS
log = logging.getLogger(__name__)


class OrderFile:
    """The orders of a table. Threads may share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._mark: tuple[int, int, int] | None = None
        self._rows: Mapping[str, tuple[Row, ...]] = {}

    @property
    def available(self) -> bool:
        """Whether there is a table."""
        return self._path.is_file()

    def find(self, number: str, email_sha256: str) -> OrderStatus | None:
        """Return the order, see OrderConnector. Raises OrdersUnavailable when the table cannot be read."""
        rows = self._current().get(number, ())
        proved = [row for row in (*rows, ("",)) if same_mail(row[0], email_sha256)]
        if not proved:
            return None
        return joined([OrderStatus.read(number, dict(zip(FIELDS, row[1:], strict=True))) for row in proved])

    def _current(self) -> Mapping[str, tuple[Row, ...]]:
        with self._lock:
            try:
                mark = stat_mark(self._path)
                if mark is None:
                    raise OrdersUnavailable("There is no table of orders.", f"Write {self._path.name} in the home.")
                if mark != self._mark:
                    self._rows = _read(self._path)
                    self._mark = mark
            except (OSError, BadFeed) as error:
                log.warning("The table of orders cannot be read: %s", error)
                message = "The table of orders cannot be read."
                raise OrdersUnavailable(message, "The server's log says why.") from error
            return self._rows


def _read(path: Path) -> Mapping[str, tuple[Row, ...]]:
    """Return the rows of a table by number. Raises BadFeed, OSError."""
    rows: dict[str, tuple[Row, ...]] = {}
    unusable = 0
    with open_table(path) as (header, table):
        if missing := _missing(header):
            raise BadFeed(f"{path.name} has no column {missing}.", "See docs/assistant.md for the columns.")
        for count, row in enumerate(table):
            number, values = _row(row)
            if not number or count >= MAX_ROWS:
                unusable += 1
                continue
            rows[number] = (*rows.get(number, ()), values)
    log.info("Read %d orders; %d rows have no number or no address, or cannot be read", len(rows), unusable)
    return rows


def _missing(header: list[str]) -> str:
    if "number" not in header:
        return "number"
    if "status" not in header:
        return "status"
    return "" if {"email", "email_sha256"} & set(header) else "email"


def _row(row: FeedRow) -> tuple[str, Row]:
    """Return the number of an order and its values; "" for a row that nobody can prove to be theirs."""
    cells = {name: values[0] for name, values in row.cells.items()}
    mail = cells.get("email_sha256") or cells.get("email", "")
    number = order_number(cells.get("number", ""))
    if row.fault or not mail.strip() or not number:
        return "", ()
    return number, (mail_sha256(mail), *(cells.get(name, "") for name in FIELDS))
