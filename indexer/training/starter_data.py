"""What the starter learns from, and what is kept aside to measure it: three public datasets in one folder."""

from __future__ import annotations

import csv
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.errors import BadFeed
from catalog.feeds.reader import read_feed
from catalog.product import Product
from indexer.training.pairs import Example

KEPT_ASIDE = 4_400  # fashion products that training never sees
PHOTO_CAPTIONS = ("{}", "a photo of a {}", "a {}", "a photo of {}", "{} clothing", "a picture of a {} for sale")
OWNERS_PHOTOS = 1  # a domain: these photos are named by category only
STUDIO_COPIES = 3  # how often an epoch shows each: the smaller sets would hardly be seen beside the fashion
SHELF_COPIES = 2
OWNERS_COPIES = 3


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo with the name of what it shows."""

    file: Path
    name: str


@dataclass(frozen=True, slots=True)
class StarterData:
    """Training examples, and what is measured: fashion products, grocery products with photos, clothing photos."""

    examples: tuple[Example, ...]
    fashion: tuple[Product, ...]
    grocery: tuple[Product, ...]
    grocery_photos: tuple[Photo, ...]
    clothing_photos: tuple[Photo, ...]


def read_starter_data(data: Path, seed: int) -> StarterData:
    """Read and split the folder. Raises BadFeed when a part of it is missing."""
    fashion = sorted(whole_feed(data / "fashion" / "products.csv"), key=lambda product: product.id)
    grocery = sorted(whole_feed(data / "grocery" / "products.csv"), key=lambda product: product.id)
    order = np.random.default_rng(seed).permutation(len(fashion))
    aside = min(KEPT_ASIDE, len(fashion) // 4)
    examples = [_fashion_example(fashion[i]) for i in order[aside:]]
    examples += [_grocery_example(Path(product.pictures[0].path), product) for product in grocery] * STUDIO_COPIES
    by_id = {product.id: product for product in grocery}
    grocery_photos = labelled_photos(data / "grocery" / "photos_train.csv", "product_id", by_id)
    examples += [_grocery_example(photo.file, by_id[photo.name]) for photo in grocery_photos] * SHELF_COPIES
    for photo in labelled_photos(data / "clothing" / "photos_train.csv", "category"):
        captions = tuple(template.format(photo.name) for template in PHOTO_CAPTIONS)
        examples += [Example(photo.file, captions, photo.name, domain=OWNERS_PHOTOS)] * OWNERS_COPIES
    return StarterData(
        examples=tuple(examples),
        fashion=tuple(fashion[i] for i in order[:aside]),
        grocery=tuple(grocery),
        grocery_photos=tuple(labelled_photos(data / "grocery" / "photos_val.csv", "product_id", by_id)),
        clothing_photos=tuple(labelled_photos(data / "clothing" / "photos_validation.csv", "category")),
    )


def _fashion_example(product: Product) -> Example:
    colour, gender = product.attributes.get("colour", ""), product.attributes.get("gender", "")
    kind = product.category_path[-1]
    short = (f"{gender} {colour} {kind}".lower().strip(), f"{colour} {kind}".lower().strip())
    return Example(Path(product.pictures[0].path), (product.title,) * 6 + short, product.title)


def _grocery_example(file: Path, product: Product) -> Example:
    long = (f"{product.brand} {product.title}".strip(), f"{product.title} {product.category_path[-1]}")
    return Example(file, (product.title,) * 3 + long + (f"a photo of {product.title}",), product.title)


def whole_feed(feed: Path, hint: str = "Restore the data folder.") -> Iterator[Product]:
    """The products of a feed that must be whole. Raises BadFeed at the first row that is not."""
    for item in read_feed(feed):
        if not isinstance(item, Product):
            raise BadFeed(f"{item.source}:{item.line}: {item.reason}", hint)
        yield item


def labelled_photos(file: Path, column: str, known: Container[str] | None = None) -> list[Photo]:
    """The photos of a table with what each shows, which has to be one of those known. Raises BadFeed."""
    if not file.is_file():
        raise BadFeed(f"{file} is missing.", "Give the folder that holds fashion/, grocery/ and clothing/.")
    photos = []
    with file.open(newline="", encoding="utf-8-sig") as opened:
        for line, row in enumerate(csv.DictReader(opened), 2):
            photo, name = row.get("photo"), row.get(column)
            if not photo or not name or (known is not None and name not in known):
                raise BadFeed(f"{file}:{line}: a photo and a {column} that exists are needed.", "Restore the file.")
            photos.append(Photo(file.parent / photo, name))
    return photos
