"""Add products to the catalogue, or remove them, without a new index: running servers follow within seconds."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from catalog.feeds.reader import read_feed
from catalog.feeds.rows.encodings import known_encoding
from catalog.product import Rejected
from catalog.storage.opening import open_catalogue, require_catalogue
from indexer.build.encoding_pipeline import PipelineOptions, encode_pictures, encode_titles
from indexer.build.feed_diff import FeedDiff
from indexer.build.feed_settings import fetching
from indexer.build.generation_builder import BuildOptions, GenerationBuilder
from indexer.encoders.base import Encoder
from indexer.feed_changes import NoteCount


@dataclass(frozen=True, slots=True)
class Added:
    """How many products of the feed are in the catalogue now, which rows were left out, and notes on others."""

    products: int
    rejected: tuple[Rejected, ...]
    notes: tuple[NoteCount, ...] = ()


@dataclass(frozen=True, slots=True)
class Removed:
    """How many products were removed, and the ids that no product has."""

    products: int
    unknown: tuple[str, ...]


def add(
    home: Path,
    feed: Path,
    encoder: Encoder,
    options: PipelineOptions | None = None,
    *,
    fetch: bool = False,
    encoding: str = "",
) -> Added:
    """Put the products of a feed into the catalogue, all of them or none; products that are not in it stay.

    Encodes pictures and titles into the cache first, so that servers need not. With `fetch`, pictures may be named by
    web address. `encoding` is that of the feed, "" to find it out. Raises BadFeed when nothing can be put, NoGeneration
    before the first build.
    """
    options = options or PipelineOptions()
    require_catalogue(home)
    builder = GenerationBuilder(home, encoder, BuildOptions(pipeline=options))
    with fetching(home, fetch) as fetcher:
        diff = FeedDiff()
        diff.add_items(read_feed(feed, fetcher, known_encoding(encoding)))
        with builder.picture_cache() as pictures:
            diff.compare_pending(encode_pictures(diff.unread_paths(), encoder, pictures, options))
        diff.require_usable(feed, "added")
        with builder.title_cache() as titles:
            encode_titles((product.title for product in diff.puts), encoder, titles, options)
        with closing(open_catalogue(home)) as catalogue:
            catalogue.put(diff.puts)
    return Added(len(diff.puts), tuple(diff.rejected), tuple(diff.notes.values()))


def remove(home: Path, ids: Sequence[str]) -> Removed:
    """Remove products by id. Raises NoGeneration before the first build."""
    with closing(open_catalogue(home)) as catalogue:
        known = catalogue.find(ids)
        unknown = tuple(product_id for product_id in dict.fromkeys(ids) if product_id not in known)
        return Removed(catalogue.remove(ids), unknown)
