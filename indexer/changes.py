"""Some products into the catalogue, or out of it, without a new index: running servers follow within seconds."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from catalog.errors import BadFeed, NoGeneration, UnknownProduct
from catalog.feed import read_feed
from catalog.product import Product, Rejected
from catalog.store import Catalogue
from indexer.build import CATALOGUE, usable_pictures
from indexer.cache import PICTURES, TITLES, VectorCache, cache_path
from indexer.encoders.base import Encoder
from indexer.pipeline import PipelineOptions, encode_pictures, encode_titles
from indexer.progress import progress
from indexer.vectors import Layout


@dataclass(frozen=True, slots=True)
class Added:
    """What `add` did: products of the feed that are in the catalogue now, and rows that were left out."""

    products: int
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True)
class Removed:
    """What `remove` did: how many products, and the ids of which there was none."""

    products: int
    unknown: tuple[str, ...]


def add(home: Path, feed: Path, encoder: Encoder, options: PipelineOptions | None = None) -> Added:
    """Put the products of a feed into the catalogue; those that are not in it stay. All of them or none.

    Pictures and titles are encoded first, into the cache, so that servers need not. Raises BadFeed when nothing can
    be put, NoGeneration before the first build.
    """
    options = options or PipelineOptions()
    catalogue_file = _catalogue_of(home)
    products, rejected = _read(feed)
    kept = _encoded(home, products, encoder, options, rejected)
    if not kept:
        first = "; ".join(f"{row.source}:{row.line}: {row.reason}" for row in rejected[:3])
        raise BadFeed(f"{feed} has no product that can be added.", first or "Is it the right file or folder?")
    with closing(Catalogue.open(catalogue_file)) as catalogue:
        catalogue.put(kept)
    return Added(len(kept), tuple(rejected))


def remove(home: Path, ids: Sequence[str]) -> Removed:
    """Remove products by id. Raises NoGeneration before the first build."""
    with closing(Catalogue.open(_catalogue_of(home))) as catalogue:
        unknown = tuple(each for each in dict.fromkeys(ids) if not _has(catalogue, each))
        return Removed(catalogue.remove(ids), unknown)


def _has(catalogue: Catalogue, product_id: str) -> bool:
    try:
        catalogue.key_of(product_id)
    except UnknownProduct:
        return False
    return True


def _catalogue_of(home: Path) -> Path:
    if not (home / CATALOGUE).is_file():
        raise NoGeneration(f"There is no shop in {home}.", "Index a feed first: make index FEED=...")
    return home / CATALOGUE


def _read(feed: Path) -> tuple[list[Product], list[Rejected]]:
    products: list[Product] = []
    rejected: list[Rejected] = []
    for item in read_feed(feed):
        if isinstance(item, Rejected):
            rejected.append(item)
        else:
            products.append(item)
    return products, rejected


def _encoded(
    home: Path, products: Sequence[Product], encoder: Encoder, options: PipelineOptions, rejected: list[Rejected]
) -> list[Product]:
    """The products with the pictures that can be used; their vectors are in the caches."""
    paths = list(dict.fromkeys(picture.path for product in products for picture in product.pictures))
    mark = encoder.fingerprint
    with (
        VectorCache(cache_path(home, mark, PICTURES), mark, encoder.dim) as cache,
        progress("pictures", len(paths)) as tick,
    ):
        facts = encode_pictures(paths, encoder, cache, options, tick)
    kept = []
    for product in products:
        good, broken = usable_pictures(product, facts)
        rejected.extend(broken)
        if good:
            kept.append(replace(product, pictures=good))
    layout = Layout.of_encoder(encoder.blocks)
    if layout.text_block is not None and kept:
        titles = {product.title for product in kept}
        with (
            VectorCache(cache_path(home, mark, TITLES), mark, layout.blocks[-1].dim) as cache,
            progress("titles", len(titles)) as tick,
        ):
            encode_titles(titles, encoder, cache, options.batch_size, tick)
    return kept
