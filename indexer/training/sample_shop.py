"""What the starter may learn of the sample shop: the products, photos and captions that no test asks for."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import BadFeed
from catalog.feed import read_feed
from catalog.product import Product
from indexer.training.pairs import Example

TRAIN = "train"
STUDIO_COPIES = 2  # how often an epoch shows each of a product's two studio pictures
SHOPPERS_COPIES = 4


@dataclass(frozen=True, slots=True)
class ShoppersPhoto:
    """A photo and the product that it shows."""

    file: Path
    product: Product


def sample_examples(folder: Path) -> list[Example]:
    """Studio pictures and shoppers' photos of the training products, with words in English and in Chinese.

    Raises BadFeed when a table of the sample shop is missing or a row of it is not whole.
    """
    said = _captions(folder / "captions.csv")
    products = {product.id: product for product in sample_products(folder) if product.id in said}
    words = {id: _words(product, said[id]) for id, product in products.items()}
    examples = [
        Example(Path(picture.path), words[id], product.title)
        for id, product in products.items()
        for picture in product.pictures
    ] * STUDIO_COPIES
    for photo in training_photos(folder):
        if photo.product.id not in words:
            raise BadFeed(f"photos.csv: {photo.product.id!r} is no training product of captions.csv.", _REMAKE)
        examples += [Example(photo.file, words[photo.product.id], photo.product.title)] * SHOPPERS_COPIES
    return examples


def sample_products(folder: Path) -> list[Product]:
    """All products of the sample shop, those that are only measured with included. Raises BadFeed."""
    return list(_products(folder / "products.csv"))


def training_photos(folder: Path) -> list[ShoppersPhoto]:
    """The shoppers' photos of training products. Raises BadFeed."""
    products = {product.id: product for product in sample_products(folder)}
    photos = []
    for row in _rows(folder / "photos.csv", "photo", "product_id"):
        if row["product_id"] not in products:
            raise BadFeed(f"photos.csv: {row['product_id']!r} is not in products.csv.", _REMAKE)
        photos.append(ShoppersPhoto(folder / row["photo"], products[row["product_id"]]))
    return photos


def _words(product: Product, said: list[str]) -> tuple[str, ...]:
    facts = product.attributes
    short = f"{facts['colour']} {product.category_path[-1]}".lower()
    return (product.title, product.title, short, facts["title_zh"], *said, *said)


def _captions(file: Path) -> dict[str, list[str]]:
    """What shoppers say of each training product, in both languages."""
    said: dict[str, list[str]] = {}
    for row in _rows(file, "query", "product_id"):
        said.setdefault(row["product_id"], []).append(row["query"])
    return said


def _products(feed: Path) -> Iterator[Product]:
    for item in read_feed(feed):
        if not isinstance(item, Product):
            raise BadFeed(f"{item.source}:{item.line}: {item.reason}", _REMAKE)
        yield item


def _rows(file: Path, *columns: str) -> Iterator[Mapping[str, str]]:
    """The training rows of one of the tables."""
    if not file.is_file():
        raise BadFeed(f"{file} is missing.", _REMAKE)
    with file.open(newline="", encoding="utf-8") as opened:
        for line, row in enumerate(csv.DictReader(opened), 2):
            if not all(row.get(column) for column in (*columns, "split")):
                raise BadFeed(f"{file}:{line}: {', '.join(columns)} and split are needed.", _REMAKE)
            if row["split"] == TRAIN:
                yield row


_REMAKE = "Restore the folder, or make it again: python -m catalog.sample.make_sample."
