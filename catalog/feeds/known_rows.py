"""Recognise the rows of a table that were products before, so that only the others are read into products.

A row is known by a digest of its cells, of the columns' names, of the folder that its pictures are in and of the code
that reads rows. Only a row that alone says what its product is may be noted: whose price could be read in one way,
without a date of a sale, and whose pictures are the files that it names, without links. Of a cell that named several
pictures, the reader looks whether it is one file's name by now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType

from catalog.feeds.rows.delimited import RowIds

DIGEST_BYTES = 16
_END = b"\n"  # behind each id; no id has it
_DATES = "sale_price_effective_date"
_READING = ("feeds", "money", "text")  # folders of catalog whose code and tables make a product of a row
NO_ROWS: RowIds = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class UnchangedRow:
    """A row that is the product it was before."""

    product_id: str


class KnownRows:
    """The rows of one reading of a feed: `before` has the ids of products by digest, until the feed has been read.

    Those of this reading take 16 bytes and their ids: a dictionary would take two hundred for each product.
    """

    def __init__(self, before: RowIds = NO_ROWS) -> None:
        self.before = before
        self._key = b""
        self._digests, self._ids = bytearray(), bytearray()

    def begin(self, header: Sequence[str], folder: str) -> None:
        """Begin a table with these columns, whose pictures are in this folder."""
        data = _CODE + _unambiguous((folder, *header))
        self._key = blake2b(data, digest_size=DIGEST_BYTES).digest()

    def digest(self, cells: Sequence[str]) -> bytes:
        """Return the digest of a row."""
        return blake2b(_unambiguous(cells), digest_size=DIGEST_BYTES, key=self._key).digest()

    def note(self, digest: bytes, product_id: str, cells: Mapping[str, Sequence[str]]) -> None:
        """Note the product of a row that was read without anything to be said about it."""
        if digest and not cells.get(_DATES):
            self.note_again(digest, product_id)

    def note_again(self, digest: bytes, product_id: str) -> None:
        """Note the product of a row that was known."""
        self._digests += digest
        self._ids += product_id.encode("utf-8", "surrogatepass") + _END

    def noted(self) -> Iterator[tuple[bytes, str]]:
        """Yield the digest and the product's id of each row noted in this reading."""
        ids = self._ids.decode("utf-8", "surrogatepass").split(_END.decode())
        for at, product_id in zip(range(0, len(self._digests), DIGEST_BYTES), ids, strict=False):  # one "" more
            yield bytes(self._digests[at : at + DIGEST_BYTES]), product_id


def _unambiguous(texts: Sequence[str]) -> bytes:
    """Join texts so that no others give the same: a cell may hold any separator, so their lengths come first."""
    return f"{[*map(len, texts)]}{''.join(texts)}".encode("utf-8", "surrogatepass")


def code_digest(package: Path) -> bytes:
    """Return a digest of the code and tables in the package's folder that make products of rows.

    A version of the project would not do: a checkout has the same one for many changes.
    """
    files = [*package.glob("*.py"), *(file for name in _READING for file in (package / name).rglob("*"))]
    digest = blake2b(digest_size=DIGEST_BYTES)
    for file in sorted(files):
        if file.suffix in (".py", ".csv", ".txt"):
            data = file.read_bytes()
            digest.update(f"{file.relative_to(package).as_posix()}\n{len(data)}\n".encode() + data)
    return digest.digest()


_CODE = code_digest(Path(__file__).parents[1])  # at import, of the code that runs, which an upgrade may replace later
