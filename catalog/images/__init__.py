"""Decode pictures safely: bytes to an upright RGB picture, within limits of format, size and memory.

Imported by catalog.feeds, catalog.feeds.rows, catalog.fetching, indexer.build, indexer.cache, indexer.distributed,
indexer.encoders, indexer.html_report, indexer.maintenance, indexer.training, indexer.training.kinds, search.bulk,
search.cli, search.connect, search.dedup, search.doctor, search.evaluation, search.explain, search.live, search.query,
search.reviews, web.api, web.middleware, web.requests, web.reviews, web.try_photos.
"""

from catalog.images.decoder import (
    Box,
    changes_colours,
    content_hash,
    decode,
    read_file,
    size_and_colours,
    size_of,
    thumbnail,
)
from catalog.images.formats import sniff
from catalog.images.limits import MAX_FILE_BYTES

__all__ = [
    "MAX_FILE_BYTES",
    "Box",
    "changes_colours",
    "content_hash",
    "decode",
    "read_file",
    "size_and_colours",
    "size_of",
    "sniff",
    "thumbnail",
]
