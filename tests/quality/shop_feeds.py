"""Feeds for shops that are measured: some products of another feed, with copies of their pictures."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from catalog.product import Product


def write_feed(products: Sequence[Product], folder: Path, title: Callable[[Product], str]) -> Path:
    """A feed of some products, with copies of their pictures beside it; a shop that lies there too is left alone."""
    shutil.rmtree(folder / "images", ignore_errors=True)
    (folder / "images").mkdir(parents=True)
    feed = folder / "products.csv"
    with feed.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(("id", "title", "category", "colour", "image"))
        for product in products:
            picture = Path(product.pictures[0].path)
            shutil.copy(picture, folder / "images" / picture.name)
            writer.writerow(
                (product.id, title(product), product.category, product.attributes["colour"], f"images/{picture.name}")
            )
    return feed
