"""Some products into the catalogue, or out of it, without a new index: running servers follow within seconds."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from catalog.errors import BadFeed, UnknownProduct
from catalog.product import Product, Rejected
from catalog.storage.catalogue import Catalogue
from indexer.build.encoding_pipeline import PipelineOptions, encode_pictures, encode_titles
from indexer.build.feed_reading import first_reasons, read_whole, usable_pictures
from indexer.build.feed_settings import fetching
from indexer.build.generation_builder import BuildOptions, GenerationBuilder
from indexer.encoders.base import Encoder
from indexer.generations.publishing import catalogue_of
from indexer.progress import progress


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


def add(
    home: Path, feed: Path, encoder: Encoder, options: PipelineOptions | None = None, *, fetch: bool = False
) -> Added:
    """Put the products of a feed into the catalogue; those that are not in it stay. All of them or none.

    Pictures and titles are encoded first, into the cache, so that servers need not; with `fetch`, pictures may be
    named by web address. Raises BadFeed when nothing can be put, NoGeneration before the first build.
    """
    options = options or PipelineOptions()
    catalogue_file = catalogue_of(home)
    with fetching(home, fetch) as fetcher:
        products, rejected = read_whole(feed, fetcher)
        kept = _encoded(home, products, encoder, options, rejected)
        if not kept:
            reasons = first_reasons(rejected)
            raise BadFeed(f"{feed} has no product that can be added.", reasons or "Is it the right file or folder?")
        with closing(Catalogue.open(catalogue_file)) as catalogue:
            catalogue.put(kept)
    return Added(len(kept), tuple(rejected))


def remove(home: Path, ids: Sequence[str]) -> Removed:
    """Remove products by id. Raises NoGeneration before the first build."""
    with closing(Catalogue.open(catalogue_of(home))) as catalogue:
        unknown = tuple(each for each in dict.fromkeys(ids) if not _has(catalogue, each))
        return Removed(catalogue.remove(ids), unknown)


def _has(catalogue: Catalogue, product_id: str) -> bool:
    try:
        catalogue.key_of(product_id)
    except UnknownProduct:
        return False
    return True


def _encoded(
    home: Path, products: Sequence[Product], encoder: Encoder, options: PipelineOptions, rejected: list[Rejected]
) -> list[Product]:
    """The products with the pictures that can be used; their vectors are in the caches."""
    paths = list(dict.fromkeys(picture.path for product in products for picture in product.pictures))
    maker = GenerationBuilder(home, encoder, BuildOptions(pipeline=options))
    with maker.picture_cache() as cache, progress("pictures", len(paths)) as tick:
        facts = encode_pictures(paths, encoder, cache, options, tick)
    kept = []
    for product in products:
        good, broken = usable_pictures(product, facts)
        rejected.extend(broken)
        if good:
            kept.append(replace(product, pictures=good))
    if kept:
        with maker.title_cache() as words:
            if words is not None:
                titles = {product.title for product in kept}
                with progress("titles", len(titles)) as tick:
                    encode_titles(titles, encoder, words, options.batch_size, tick)
    return kept
