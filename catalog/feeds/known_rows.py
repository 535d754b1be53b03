"""Recognise the rows of a table that were products before, so that only the others are read into products.

A row is known by a digest of its cells, of the columns' names and of the folder that its pictures are in. Only a row
that alone says what its product is may be noted: whose price could be read in one way, without a date of a sale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from types import MappingProxyType

ROWS_VERSION = 1  # raised when a row becomes another product than before
DIGEST_BYTES = 16
_DATES = "sale_price_effective_date"
_END, _LAST = "\x1f", "\x1e"
NO_ROWS: Mapping[bytes, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class UnchangedRow:
    """A row that is the product it was before."""

    product_id: str


class KnownRows:
    """The rows of one reading of a feed: `before` has the ids of products by digest, `noted` those of this reading."""

    def __init__(self, before: Mapping[bytes, str] = NO_ROWS) -> None:
        self.before = before
        self.noted: dict[bytes, str] = {}
        self._key = b""

    def begin(self, header: Sequence[str], folder: str) -> None:
        """Begin a table with these columns, whose pictures are in this folder."""
        text = _LAST.join((str(ROWS_VERSION), folder, *header))
        self._key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()

    def digest(self, cells: Sequence[str]) -> bytes:
        """Return the digest of a row."""
        text = _END.join(cells).encode("utf-8", "surrogatepass")
        return blake2b(text, digest_size=DIGEST_BYTES, key=self._key).digest()

    def note(self, digest: bytes, product_id: str, cells: Mapping[str, Sequence[str]]) -> None:
        """Note the product of a row that was read without anything to be said about it."""
        if digest and not cells.get(_DATES):
            self.noted[digest] = product_id
