"""Write tables of a generation's products into its folder, so that opening maps them and reads no product.

One pass over the catalogue feeds all writers. What they write lies in the generation's folder: the manifest has length
and digest of each file, and a generation without a file opens as before there was one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from catalog.files.failpoints import failpoint
from catalog.product import Product
from catalog.storage.catalogue import Catalogue


class TableWriter(Protocol):
    """Collects what one sort of tables needs of each product, then writes them."""

    def add(self, key: int, product: Product) -> None:
        """Take the next product; keys rise."""

    def write(self, folder: Path, changed: str) -> None:
        """Write the tables as files of this folder, not of one below it; `changed` is the product changed last."""


def write_tables(folder: Path, catalogue: Catalogue, writers: Sequence[TableWriter]) -> None:
    """Write the tables of all products, as this thread reads them, into a generation's folder."""
    if writers:
        for key, product in catalogue.iterate():
            for writer in writers:
                writer.add(key, product)
        changed = catalogue.product_changed_at(catalogue.seq)
        for writer in writers:
            writer.write(folder, changed)
    failpoint("tables.written")
