"""Make the table of a shop's products when an index is built: from all products, or from the table before and changes.

It lies in the generation's folder, so that opening maps it and reads no product. The manifest has length and digest of
each file, and a generation without a file opens as before there was one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from catalog.files.atomic import FileRecord
from catalog.files.failpoints import failpoint
from catalog.storage.catalogue import Catalogue
from indexer.columns.column_files import change_noted, map_table, write_table
from indexer.columns.product_table import ShopTable

PAGE_CHANGES = 5_000
MAX_CHANGED_SHARE = 0.1  # of all products; beyond it, reading them all takes no longer
MAX_UNUSED_SHARE = 0.3  # of the lists of labels: those of products that changed since remain in the dictionaries
FEW_LISTS = 1_000


def write_product_table(folder: Path, catalogue: Catalogue, before: ShopTable | None = None) -> ShopTable:
    """Write the table of all products, as this thread reads them, into a generation's folder, and return it.

    `before` is the table of an earlier generation, which is changed where few products are.
    """
    table = None if before is None else _brought_up_to_date(before, catalogue)
    table = ShopTable.read(catalogue) if table is None else table
    write_table(folder, table, catalogue.product_changed_at(catalogue.seq))
    failpoint("tables.written")
    return table


def table_of(folder: Path, files: Mapping[str, FileRecord], seq: int, catalogue: Catalogue) -> ShopTable | None:
    """Return the table in the folder of a generation that was built at a change of this catalogue, or None."""
    table = map_table(ShopTable, folder, files, seq)
    known = table is not None and change_noted(folder) == catalogue.product_changed_at(seq)
    return table if known else None


def _brought_up_to_date(table: ShopTable, catalogue: Catalogue) -> ShopTable | None:
    """Return a table with the changes since; None where there are too many, or too much of it is unused."""
    seq, ids = catalogue.seq, dict[str, None]()
    after = table.seq
    while page := catalogue.changes(after, PAGE_CHANGES):
        ids |= dict.fromkeys(change.product_id for change in page)
        after = page[-1].seq
        if len(ids) > MAX_CHANGED_SHARE * len(table):
            return None
    found = dict(catalogue.find(ids).values())
    table = table.changed(found, table.keys_of(ids) - found.keys(), seq).without_removed()
    return None if any(_is_worn(labels.list_counts) for labels in table.labels.values()) else table


def _is_worn(list_counts: np.ndarray) -> bool:
    unused = len(list_counts) - np.count_nonzero(list_counts)
    return bool(unused > FEW_LISTS and unused > MAX_UNUSED_SHARE * len(list_counts))
