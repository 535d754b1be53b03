"""Training data and holdout of the starter: three public datasets in one folder."""

from __future__ import annotations

import csv
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.errors import BadFeed
from catalog.feeds.reader import read_feed
from catalog.product import Product, Rejected
from indexer.training.captions.compose import Parts, captions_by_language, drawn, item_captions, translations
from indexer.training.captions.words import LANGUAGES
from indexer.training.pairs import CaptionedPicture

HOLDOUT_PRODUCTS = 4_400  # products of the fashion dataset that are held out
PHOTO_CAPTIONS = ("{}", "a photo of a {}", "a {}", "a photo of {}", "{} clothing", "a picture of a {} for sale")
OWNERS_PHOTOS = 1  # domain of photos with a category as their only caption
STUDIO_COPIES = 3  # times an epoch shows each, so that the small datasets count next to the fashion one
SHELF_COPIES = 2
OWNERS_COPIES = 3
FASHION_FORMS = 4  # captions of a fashion picture in each other language; a new text costs a pass of the text tower


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo and its label."""

    file: Path
    name: str


@dataclass(frozen=True, slots=True)
class StarterData:
    """Training examples, and the holdout: fashion products, grocery products with photos, clothing photos."""

    examples: tuple[CaptionedPicture, ...]
    fashion: tuple[Product, ...]
    grocery: tuple[Product, ...]
    grocery_photos: tuple[Photo, ...]
    clothing_photos: tuple[Photo, ...]


def read_starter_data(data: Path, seed: int) -> StarterData:
    """Read and split the folder. Raises BadFeed when a part is missing or incomplete."""
    fashion = sorted(whole_feed(data / "fashion" / "products.csv"), key=lambda product: product.id)
    grocery = sorted(whole_feed(data / "grocery" / "products.csv"), key=lambda product: product.id)
    order = np.random.default_rng(seed).permutation(len(fashion))
    holdout = min(HOLDOUT_PRODUCTS, len(fashion) // 4)
    examples = [_fashion_example(fashion[i]) for i in order[holdout:]]
    examples += [_grocery_example(Path(product.pictures[0].path), product) for product in grocery] * STUDIO_COPIES
    by_id = {product.id: product for product in grocery}
    grocery_photos = labelled_photos(data / "grocery" / "photos_train.csv", "product_id", by_id)
    examples += [_grocery_example(photo.file, by_id[photo.name]) for photo in grocery_photos] * SHELF_COPIES
    for photo in labelled_photos(data / "clothing" / "photos_train.csv", "category"):
        examples += [_owners_example(photo)] * OWNERS_COPIES
    return StarterData(
        examples=tuple(examples),
        fashion=tuple(fashion[i] for i in order[:holdout]),
        grocery=tuple(grocery),
        grocery_photos=tuple(labelled_photos(data / "grocery" / "photos_val.csv", "product_id", by_id)),
        clothing_photos=tuple(labelled_photos(data / "clothing" / "photos_validation.csv", "category")),
    )


def _fashion_example(product: Product) -> CaptionedPicture:
    colour, gender = product.attributes.get("colour", ""), product.attributes.get("gender", "")
    kind = product.category_path[-1]
    short = (f"{gender} {colour} {kind}".lower().strip(), f"{colour} {kind}".lower().strip())
    others = captions_by_language(Parts(kind, colour, gender=gender), FASHION_FORMS)
    english = drawn([(0.75, (product.title,)), (0.25, short)])
    return CaptionedPicture(
        Path(product.pictures[0].path), english, product.title, translations=translations(others, english)
    )


def _grocery_example(file: Path, product: Product) -> CaptionedPicture:
    long = (f"{product.brand} {product.title}".strip(), f"{product.title} {product.category_path[-1]}")
    others = {language: item_captions(product.title, product.brand, language) for language in LANGUAGES}
    english = drawn([(0.5, (product.title,)), (0.33, long), (0.17, (f"a photo of {product.title}",))])
    return CaptionedPicture(file, english, product.title, translations=translations(others, english))


def _owners_example(photo: Photo) -> CaptionedPicture:
    english = tuple(template.format(photo.name) for template in PHOTO_CAPTIONS)
    others = translations(captions_by_language(Parts(photo.name)), english)
    return CaptionedPicture(photo.file, english, photo.name, OWNERS_PHOTOS, others)


def whole_feed(feed: Path, hint: str = "Restore the data folder.") -> Iterator[Product]:
    """Yield the products of a feed. Raises BadFeed at the first rejected row."""
    for item in read_feed(feed):
        if isinstance(item, Rejected):
            raise BadFeed(f"{item.source}:{item.line}: {item.reason}", hint)
        if isinstance(item, Product):
            yield item


def labelled_photos(file: Path, column: str, known: Container[str] | None = None) -> list[Photo]:
    """Return the photos of a table with their labels, which must be among `known`. Raises BadFeed."""
    photos, hint = [], "Restore the folder with fashion/, grocery/ and clothing/."
    for line, row in complete_rows(file, ("photo", column), hint):
        if known is not None and row[column] not in known:
            raise BadFeed(f"{file}:{line}: {row[column]!r} is no {column} of the feed.", "Restore the file.")
        photos.append(Photo(file.parent / row["photo"], row[column]))
    return photos


def complete_rows(file: Path, columns: Sequence[str], hint: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and cells of each row of a CSV file. Raises BadFeed for a missing file or a blank cell."""
    if not file.is_file():
        raise BadFeed(f"{file} is missing.", hint)
    with file.open(newline="", encoding="utf-8-sig") as opened:
        for line, row in enumerate(csv.DictReader(opened), 2):
            if not all(row.get(column) for column in columns):
                raise BadFeed(f"{file}:{line}: values for {', '.join(columns)} are required.", hint)
            yield line, row
