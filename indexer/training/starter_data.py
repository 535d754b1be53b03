"""What the starter learns from, and what is kept aside to measure it: three public datasets in one folder."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.errors import BadFeed
from catalog.feed import read_feed
from catalog.product import Product
from indexer.training.pairs import Example

KEPT_ASIDE = 4_400  # fashion products that training never sees
PHOTO_CAPTIONS = ("{}", "a photo of a {}", "a {}", "a photo of {}", "{} clothing", "a picture of a {} for sale")
OWNERS_PHOTOS = 1  # a domain: these photos are named by category only
STUDIO_COPIES = 3  # 81 studio pictures among 26,000 would hardly be seen


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
    fashion = sorted(_products(data / "fashion" / "products.csv"), key=lambda product: product.id)
    grocery = sorted(_products(data / "grocery" / "products.csv"), key=lambda product: product.id)
    order = np.random.default_rng(seed).permutation(len(fashion))
    aside = min(KEPT_ASIDE, len(fashion) // 4)
    examples = [_fashion_example(fashion[i]) for i in order[aside:]]
    examples += [_grocery_example(Path(product.pictures[0].path), product) for product in grocery] * STUDIO_COPIES
    by_id = {product.id: product for product in grocery}
    for photo in _photos(data / "grocery" / "photos_train.csv", "product_id"):
        examples.append(_grocery_example(photo.file, by_id[photo.name]))
    for photo in _photos(data / "clothing" / "photos_train.csv", "category"):
        captions = tuple(template.format(photo.name) for template in PHOTO_CAPTIONS)
        examples.append(Example(photo.file, captions, photo.name, domain=OWNERS_PHOTOS))
    return StarterData(
        examples=tuple(examples),
        fashion=tuple(fashion[i] for i in order[:aside]),
        grocery=tuple(grocery),
        grocery_photos=tuple(_photos(data / "grocery" / "photos_val.csv", "product_id")),
        clothing_photos=tuple(_photos(data / "clothing" / "photos_validation.csv", "category")),
    )


def _fashion_example(product: Product) -> Example:
    colour, gender = product.attributes.get("colour", ""), product.attributes.get("gender", "")
    kind = product.category_path[-1]
    short = (f"{gender} {colour} {kind}".lower().strip(), f"{colour} {kind}".lower().strip())
    return Example(Path(product.pictures[0].path), (product.title,) * 6 + short, product.title)


def _grocery_example(file: Path, product: Product) -> Example:
    long = (f"{product.brand} {product.title}".strip(), f"{product.title} {product.category_path[-1]}")
    return Example(file, (product.title,) * 3 + long + (f"a photo of {product.title}",), product.title)


def _products(feed: Path) -> Iterator[Product]:
    return (item for item in read_feed(feed) if isinstance(item, Product))


def _photos(file: Path, column: str) -> list[Photo]:
    if not file.is_file():
        raise BadFeed(f"{file} is missing.", "Give the folder that holds fashion/, grocery/ and clothing/.")
    with file.open(newline="", encoding="utf-8-sig") as opened:
        return [Photo(file.parent / row["photo"], row[column]) for row in csv.DictReader(opened)]
