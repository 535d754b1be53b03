"""What the starter may learn of the sample shop: the products, photos and captions that no test asks for."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from catalog.errors import BadFeed
from catalog.product import Product
from catalog.sample.generator.catalogue.plan import TRAIN
from indexer.training.pairs import Example
from indexer.training.starter_data import whole_feed

STUDIO_COPIES = 2  # how often an epoch shows each of a product's two studio pictures
SHOPPERS_COPIES = 4


def sample_examples(folder: Path) -> list[Example]:
    """Studio pictures and shoppers' photos of the training products, with words in English and in Chinese.

    Raises BadFeed when a table of the sample shop is missing or a row of it is not whole.
    """
    said = _captions(folder / "captions.csv")
    products = {product.id: product for product in whole_feed(folder / "products.csv", _REMAKE) if product.id in said}
    words = {id: _words(product, said[id]) for id, product in products.items()}
    examples = [
        Example(Path(picture.path), words[id], product.title)
        for id, product in products.items()
        for picture in product.pictures
    ] * STUDIO_COPIES
    for row in _rows(folder / "photos.csv", "photo", "product_id"):
        shown = products.get(row["product_id"])
        if shown is None:
            raise BadFeed(f"photos.csv: {row['product_id']!r} is no training product of captions.csv.", _REMAKE)
        examples += [Example(folder / row["photo"], words[shown.id], shown.title)] * SHOPPERS_COPIES
    return examples


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


_REMAKE = "Restore the folder, or make it again: python -m catalog.sample.generator."
