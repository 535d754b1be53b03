"""Cache of the rows of a shop's feed: which product each one was, so that the next update reads only other rows.

A row is what it was before only if its product is: nobody has changed the product since, and its picture files are as
they were when they were read. The cache can be deleted at any time: all rows are then read.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path

from catalog.feeds.known_rows import DIGEST_BYTES, NO_ROWS
from catalog.files.atomic import write_atomically
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from indexer.cache.file_stats import FileStatCache

FORMAT = 1
PAGE_CHANGES = 50_000
MAX_CHANGED_SHARE = 0.5  # of the rows; beyond it, all are read

log = logging.getLogger(__name__)


def read_feed_rows(home: Path, catalogue: Catalogue, files: FileStatCache) -> Mapping[bytes, str]:
    """Return ids by digest of those rows whose products are in the catalogue as they were read; none where damaged."""
    try:
        with ShopHome(home).feed_rows.open("rb") as file:
            head, body = json.loads(file.readline()), file.read()
        digests, names = body[: DIGEST_BYTES * head["rows"]], body[DIGEST_BYTES * head["rows"] :]
        if head["format"] != FORMAT or head["check"] != blake2b(body).hexdigest():
            return NO_ROWS
        ids = names.decode().split("\n") if names else []
        seq, place = int(head["seq"]), str(head["changed"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return NO_ROWS
    if seq > catalogue.seq or place != catalogue.product_changed_at(seq) or len(ids) * DIGEST_BYTES != len(digests):
        return NO_ROWS
    changed = _changed_since(seq, catalogue, int(MAX_CHANGED_SHARE * len(ids)))
    if changed is None:
        return NO_ROWS
    changed |= _with_other_files(catalogue, files)
    present = {product_id for _, product_id in catalogue.ids()}  # a damaged catalogue may lack one without a change
    places = range(0, len(digests), DIGEST_BYTES)
    return {
        digests[at : at + DIGEST_BYTES]: product_id
        for at, product_id in zip(places, ids, strict=True)
        if product_id in present and product_id not in changed
    }


def write_feed_rows(home: Path, rows: Iterable[tuple[bytes, str]], catalogue: Catalogue, seq: int) -> None:
    """Store digests and ids: change `seq` is one at which the catalogue has these products as the rows have them.

    Where they cannot be stored, log it: the next update reads every row.
    """
    digests, ids = bytearray(), bytearray()
    for digest, product_id in rows:
        digests += digest
        ids += b"\n" * bool(ids) + product_id.encode()
    body, place = bytes(digests + ids), catalogue.product_changed_at(seq)
    count = len(digests) // DIGEST_BYTES
    head = {"format": FORMAT, "seq": seq, "changed": place, "rows": count, "check": blake2b(body).hexdigest()}
    data = json.dumps(head).encode() + b"\n" + body
    try:
        write_atomically(ShopHome(home).feed_rows, lambda path: path.write_bytes(data))
    except OSError as error:
        log.warning("The next update reads every row of the feed, since the cache cannot be written: %s", error)


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
