"""Name the columns of a file of reviews by their headers, as shops, review apps and platforms write them."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

from catalog.errors import BadFeed

PRODUCT, RATING, TEXT, TITLE = "product", "rating", "text", "title"
WOOCOMMERCE = "comment_id"  # a column that only WordPress writes


def check_review_columns(header: Collection[str], source: str) -> None:
    """Raise BadFeed when a header has no product, no rating, or neither a title nor a text."""
    fields = {field for field, names in _columns().items() if not names.isdisjoint(header)}
    missing = [field for field in (PRODUCT, RATING) if field not in fields]
    if not fields & {TEXT, TITLE}:
        missing.append(TEXT)
    if missing:
        columns = ", ".join(header)[:500]
        problem = f"The file {source} has no column for {' and '.join(missing)}; its columns are: {columns}."
        raise BadFeed(problem, "Name the columns product_id, rating, text, and perhaps title, author, email, created.")


def values_of(cells: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return the values of each field of a row, those of all its columns, in the order of the table of headers."""
    found: dict[str, list[str]] = {}
    for field, names in _columns().items():
        if values := [value for name in names if name in cells for value in cells[name]]:
            found[field] = values
    return found


class _Names(dict[str, None]):
    """Headers in the order of the table."""

    def isdisjoint(self, header: Collection[str]) -> bool:
        return self.keys().isdisjoint(header)


@cache
def _columns() -> dict[str, _Names]:
    columns: dict[str, _Names] = {}
    with Path(__file__).with_name("review_columns.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            columns.setdefault(row["field"], _Names())[row["header"]] = None
    return columns
