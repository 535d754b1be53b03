"""Read a whole feed and check its pictures: what build, update and the product commands share."""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from catalog.feeds.reader import read_feed
from catalog.fetching.fetcher import PictureFetcher
from catalog.product import Picture, Product, Rejected
from indexer.build.encoding_pipeline import PictureResults


def read_whole(feed: Path, fetcher: PictureFetcher | None = None) -> tuple[list[Product], list[Rejected]]:
    """All of a feed: its products, and the rows that are none. Raises BadFeed."""
    products: list[Product] = []
    rejected: list[Rejected] = []
    for item in read_feed(feed, fetcher):
        if isinstance(item, Rejected):
            rejected.append(item)
        else:
            products.append(item)
    return products, rejected


def first_reasons(rejected: Sequence[Rejected]) -> str:
    """Why the first three rows were rejected, in one line; empty when none was."""
    return "; ".join(f"{row.source}:{row.line}: {row.reason}" for row in rejected[:3])


def usable_pictures(product: Product, facts: PictureResults) -> tuple[tuple[Picture, ...], list[Rejected]]:
    """The product's pictures that were decoded, each content once, and what is rejected: one row for the whole
    product when none is left, else one for each broken picture.
    """
    good: dict[str, Picture] = {}
    broken = []
    for picture in product.pictures:
        if picture.path in facts.broken:
            broken.append(f"{Path(picture.path).name}: {facts.broken[picture.path]}")
        else:
            sha256 = facts.hashes[picture.path]
            width, height = facts.sizes[picture.path]
            good.setdefault(sha256, Picture(picture.path, sha256, width, height))
    if good and not broken:
        return tuple(good.values()), []
    source, line = split_origin(product.origin)
    if not good:
        return (), [Rejected(source, line, f"no usable picture ({'; '.join(broken)})")]
    return tuple(good.values()), [Rejected(source, line, f"picture left out ({reason})") for reason in broken]


def split_origin(origin: str) -> tuple[str, int]:
    """ "products.csv:17" as ("products.csv", 17); without a number the line is 0."""
    source, _, line = origin.rpartition(":")
    return (source, int(line)) if source and line.isascii() and line.isdigit() else (origin, 0)


def peak_memory_mb() -> float:
    """The most memory this process has had, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)  # macOS counts bytes, Linux KiB
