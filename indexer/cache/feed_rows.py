"""Cache of the rows of a shop's feed: which product each one was, so that the next update reads only other rows.

A row is what it was before only if its product is: nobody has changed the product since, and its picture files are as
they were when they were read. The cache can be deleted at any time: all rows are then read.
"""

from __future__ import annotations

import json
import sys
from bisect import bisect_left
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

import numpy as np

from catalog.feeds.known_rows import DIGEST_BYTES, NO_ROWS
from catalog.feeds.rows.delimited import RowIds
from catalog.files.atomic import write_atomically
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from indexer.cache.file_stats import FileStatCache

FORMAT = 1
PAGE_CHANGES = 50_000
MAX_CHANGED_SHARE = 0.5  # of the rows; beyond it, all are read
_BREAK = ord("\n")


class FeedRows:
    """The ids of products by the digest of their rows, in 36 bytes a row and the ids: a dictionary takes 170 more."""

    def __init__(self, digests: bytes, ids: bytes, present: Iterable[str], changed: Iterable[str]) -> None:
        """Take digests one after another, and ids with line breaks between them: rows of n products.

        Those of products that are not `present`, or `changed`, are left out.
        """
        breaks = np.flatnonzero(np.frombuffer(ids, np.uint8) == _BREAK) + 1
        self._digests, self._ids = digests, ids
        self._bounds = np.concatenate([[0], breaks, [len(ids) + 1]]).data  # read faster than arrays, one by one
        # Numbers of eight bytes stand for ids: two in a million have the same one once in thirty million times.
        count = len(self._bounds) - 1
        own = np.fromiter((hash(self._id(number)) for number in range(count)), np.int64, count)
        there, other = (np.fromiter(map(hash, names), np.int64) for names in (present, changed))
        rows = np.flatnonzero(np.isin(own, there) & ~np.isin(own, other))
        heads = np.frombuffer(digests, np.uint64)[::2][rows]
        order = np.argsort(heads, kind="stable")
        self._heads, self._rows = heads[order].data, rows[order].astype(np.uint32).data

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, digest: bytes, /) -> str | None:
        """Return the id of the product; None where no row had that digest."""
        head = int.from_bytes(digest[:8], sys.byteorder)
        for at in range(bisect_left(self._heads, head), len(self._heads)):
            if self._heads[at] != head:
                break
            number = self._rows[at]
            if self._digests[DIGEST_BYTES * number : DIGEST_BYTES * (number + 1)] == digest:
                return self._id(number)
        return None

    def _id(self, number: int) -> str:
        return self._ids[self._bounds[number] : self._bounds[number + 1] - 1].decode()


def read_feed_rows(home: Path, catalogue: Catalogue, files: FileStatCache) -> RowIds:
    """Return ids by digest of those rows whose products are in the catalogue as they were read; none where damaged."""
    try:
        with ShopHome(home).feed_rows.open("rb") as file:
            head, body = json.loads(file.readline()), file.read()
        count = int(head["rows"])
        digests, ids = body[: DIGEST_BYTES * count], body[DIGEST_BYTES * count :]
        if head["format"] != FORMAT or head["check"] != blake2b(body).hexdigest():
            return NO_ROWS
        seq, place = int(head["seq"]), str(head["changed"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return NO_ROWS
    del body
    if len(digests) != DIGEST_BYTES * count or not ids or ids.count(b"\n") + 1 != count:
        return NO_ROWS
    if seq > catalogue.seq or place != catalogue.product_changed_at(seq):
        return NO_ROWS
    changed = _changed_since(seq, catalogue, int(MAX_CHANGED_SHARE * count))
    if changed is None:
        return NO_ROWS
    changed |= _with_other_files(catalogue, files)
    present = (product_id for _, product_id in catalogue.ids())  # a damaged catalogue may lack one without a change
    return FeedRows(digests, ids, present, changed)


def write_feed_rows(home: Path, rows: Iterable[tuple[bytes, str]], catalogue: Catalogue, seq: int) -> None:
    """Store digests and ids: change `seq` is one at which the catalogue has these products as the rows have them.

    Raises OSError; the next update then reads every row.
    """
    digests, ids = bytearray(), bytearray()
    for digest, product_id in rows:
        digests += digest
        ids += b"\n" * bool(ids) + product_id.encode()
    body, place = bytes(digests + ids), catalogue.product_changed_at(seq)
    count = len(digests) // DIGEST_BYTES
    head = {"format": FORMAT, "seq": seq, "changed": place, "rows": count, "check": blake2b(body).hexdigest()}
    data = json.dumps(head).encode() + b"\n" + body
    write_atomically(ShopHome(home).feed_rows, lambda path: path.write_bytes(data))


def _changed_since(seq: int, catalogue: Catalogue, most: int) -> set[str] | None:
    """Return the ids of products that changed after `seq`; None where more than `most` did."""
    ids: set[str] = set()
    while page := catalogue.changes(seq, PAGE_CHANGES):
        ids.update(change.product_id for change in page)
        seq = page[-1].seq
        if len(ids) > most:
            return None
    return ids


def _with_other_files(catalogue: Catalogue, files: FileStatCache) -> set[str]:
    """Return the ids of products with a picture whose file is another one now, or was not stored when it was read."""
    keys: set[int] = set()
    for page in catalogue.iter_picture_rows():
        known = files.known([row.path for row in page])
        for row in page:
            content = known.get(row.path)
            if content is None or content.sha256 != row.sha256:
                keys.add(row.key)
    return {product_id for key, product_id in catalogue.ids() if key in keys} if keys else set()
