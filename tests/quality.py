"""make eval: how good it is on what the starter's training never saw. Writes var/eval/report.json and prints it."""

from __future__ import annotations

import argparse
import csv
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from catalog.product import Product
from indexer.build import build
from indexer.encoders.base import Floats
from indexer.encoders.registry import open_encoder
from indexer.training.starter_data import StarterData, read_starter_data
from search.categorise import categorise_photos
from search.engine import SearchEngine
from search.evaluate import evaluate_photos, evaluate_texts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds fashion/, grocery/, clothing/")
    parser.add_argument("--work", type=Path, default=Path("var/eval"))
    options = parser.parse_args()
    split = read_starter_data(options.data, seed=0)
    report = {
        "fashion_title_to_picture": titles_to_pictures(split, options.work / "untitled"),
        "fashion_neighbours": neighbours(split, options.work / "fashion"),
        **grocery_and_clothing(options.data, options.work / "grocery"),
    }
    (options.work / "report.json").write_text(json.dumps(report, indent=2))
    print(json.dumps(report, indent=2))


def titles_to_pictures(split: StarterData, folder: Path) -> dict[str, Any]:
    """Titles asked of a shop that does not know them: every product is called by its id, so only pictures answer."""
    feed = write_feed(split.fashion, folder, title=lambda product: product.id)
    questions = folder / "titles.csv"
    with questions.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows(
            [("query", "product_id"), *((product.title, product.id) for product in split.fashion)]
        )
    build(folder / "shop", feed, open_encoder("starter"))
    with SearchEngine.open(folder / "shop") as engine:
        gate = engine.generation.manifest.words_gate
        figures = evaluate_texts(engine, questions).to_dict()
    return {**brief(figures), "words_gate": gate}


def neighbours(split: StarterData, folder: Path) -> dict[str, dict[str, float]]:
    """Whether the nearest other product has the same colour, and the same category, by block and by default weights."""
    feed = write_feed(split.fashion, folder, title=lambda product: product.title)
    build(folder / "shop", feed, open_encoder("starter"))
    with SearchEngine.open(folder / "shop") as engine:
        generation = engine.generation
        rows = np.asarray(generation.rows, dtype=np.float32)
        layout, weights = generation.layout, generation.manifest.weights["picture"]
        products = engine.products(generation.product_keys.tolist())
        encoded = layout.queries(rows[:, : layout.encoder_dim])
        table = {}
        for name, chosen in {**{block: {block: 1.0} for block in layout.names}, "default": weights}.items():
            table[name] = same_as_nearest(layout.weigh(encoded, chosen), rows, products)
    return table


def same_as_nearest(queries: Floats, rows: Floats, products: Sequence[Product]) -> dict[str, float]:
    """Shares of rows whose nearest other row has the same colour, and the same category."""
    nearest = []
    for start in range(0, len(rows), 512):
        scores = queries[start : start + 512] @ rows.T
        scores[np.arange(len(scores)), np.arange(start, start + len(scores))] = -np.inf
        nearest.extend(scores.argmax(axis=1).tolist())
    pairs = [(products[row], products[other]) for row, other in enumerate(nearest)]
    colours = [a.attributes["colour"] == b.attributes["colour"] for a, b in pairs]
    categories = [a.category == b.category for a, b in pairs]
    return {
        "same_colour_at_1": round(float(np.mean(colours)), 3),
        "same_category_at_1": round(float(np.mean(categories)), 3),
    }


def grocery_and_clothing(data: Path, folder: Path) -> dict[str, Any]:
    """Phone photos against the grocery's products, and owners' photos of clothes named by words alone."""
    build(folder, data / "grocery" / "products.csv", open_encoder("starter"))
    validation = data / "clothing" / "photos_validation.csv"
    with validation.open(newline="", encoding="utf-8") as opened:
        labels = sorted({row["category"] for row in csv.DictReader(opened)})
    with SearchEngine.open(folder) as engine:
        return {
            "grocery_photo_to_product": brief(evaluate_photos(engine, data / "grocery" / "photos_val.csv").to_dict()),
            "clothing_zero_shot": brief(categorise_photos(engine, validation, labels).to_dict()),
        }


def write_feed(products: Sequence[Product], folder: Path, title: Any) -> Path:
    """A feed of some products, with copies of their pictures beside it."""
    shutil.rmtree(folder, ignore_errors=True)
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


def brief(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The figures without the long lists."""
    return {name: value for name, value in figures.items() if not isinstance(value, list | tuple)}


if __name__ == "__main__":
    main()
