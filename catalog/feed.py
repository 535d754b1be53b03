"""A merchant's feed -> products, one by one: CSV and its like, JSON lines, or a folder of pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from catalog.columns import product_of
from catalog.errors import BadFeed, BadRow
from catalog.folders import read_folder
from catalog.lines import Lines, open_lines
from catalog.picture_paths import PictureFolder
from catalog.product import Product, Rejected
from catalog.tables import Row, delimited_rows, json_rows

Reader = Callable[[Lines, str], Iterator[Row]]

_READERS: dict[str, Reader] = {
    ".csv": delimited_rows,
    ".tsv": delimited_rows,
    ".txt": delimited_rows,
    ".jsonl": json_rows,
    ".ndjson": json_rows,
}


def read_feed(path: Path) -> Iterator[Product | Rejected]:
    """Yield every product of the feed, and a Rejected for every row, or picture of a row, that was left out.

    Every picture of a product exists and lies inside the feed's folder. Rows are streamed. BadFeed when the feed
    as a whole cannot be read: at once for a missing file or an unknown kind, at the first row for a bad header.
    """
    if path.is_dir():
        return read_folder(path)
    if not path.exists():
        raise BadFeed(f"There is no feed at {path}.", "Check the path.")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise BadFeed(
            f"{path.name} is of a kind that is not read here.",
            f"Give a folder of pictures, or a file that ends in {', '.join(_READERS)}.",
        )
    return _read_table(path, reader)


def _read_table(path: Path, reader: Reader) -> Iterator[Product | Rejected]:
    folder = PictureFolder(path.parent)
    first: dict[str, int] = {}
    with open_lines(path) as lines:
        for row in reader(lines, path.name):
            try:
                if row.fault:
                    raise BadRow(row.fault)
                product, left_out = product_of(row.cells, folder, f"{path.name}:{row.line}")
                if product.id in first:
                    raise BadRow(f"duplicate id {product.id[:80]!r}: line {first[product.id]} has it too")
            except BadRow as error:
                yield Rejected(path.name, row.line, error.message)
                continue
            first[product.id] = row.line
            yield from (Rejected(path.name, row.line, reason) for reason in left_out)
            yield product
