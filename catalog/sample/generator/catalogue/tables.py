"""Write the sample shop's tables: the feed, the photos and what they show, and the captions."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from catalog.product import CATEGORY_SEPARATOR
from catalog.sample.generator.catalogue.plan import Item, items, split
from catalog.sample.generator.catalogue.prices import list_price, price
from catalog.sample.generator.catalogue.shopper_photos import Photo, photo_scene, photos, scenes, unknown
from catalog.sample.generator.catalogue.wording import captions, colours, description, material, title
from catalog.sample.generator.shapes.materials import PATTERNS

PRODUCT_COLUMNS = (
    "id", "title", "category", "images", "price", "availability", "brand", "description", "colour", "material",
    "pattern", "item_group_id", "list_price", "title_zh", "category_zh", "description_zh", "colour_zh", "material_zh",
    "pattern_zh",
)  # fmt: skip

# The demo's photos to try, chosen by eye: ten products, a scene of two, and a thing that is not sold.
TRY = ("p006", "p033", "p078", "p093", "p135", "p144", "p159", "p177", "p201", "p225", "s37", "u11")


def product_row(item: Item) -> list[str]:
    """Return a product's row of the feed."""
    names, texts, tints, made = title(item), description(item), colours(item.look), material(item.look)
    pattern = PATTERNS[item.look.pattern]
    category, category_zh = (CATEGORY_SEPARATOR.join(c) for c in (item.family.category, item.family.category_zh))
    pictures = f"images/{item.id}-1.jpg|images/{item.id}-2.jpg"
    stock = "in_stock" if item.in_stock else "out_of_stock"
    front = [
        item.id,
        names[0],
        category,
        pictures,
        f"{price(item):.2f} EUR",
        stock,
        item.brand,
        texts[0],
        tints[0],
        made[0],
    ]
    before = list_price(item)
    sale = "" if before is None else f"{before:.2f} EUR"
    return [*front, pattern[0], item.group, sale, names[1], category_zh, texts[1], tints[1], made[1], pattern[1]]


def _path(photo: Photo) -> str:
    return f"photos/{photo.name}.jpg"


def _shows(photo: Photo) -> str:
    names = " and ".join(f"{colours(item.look)[0]} {item.family.en}" for item in photo.shown)
    return f"A shopper's photo: {names or f'{photo.stranger}, which this shop does not sell'}"


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def write_tables(folder: Path) -> None:
    """Write products.csv, photos.csv, photos_unknown.csv, scenes.csv, captions.csv and try.csv."""
    _write(folder / "products.csv", PRODUCT_COLUMNS, map(product_row, items()))
    known = ([_path(photo), photo.shown[0].id, split(photo.shown[0])] for photo in photos())
    _write(folder / "photos.csv", ("photo", "product_id", "split"), known)
    unsold = ([_path(photo), photo.stranger] for photo in unknown())
    _write(folder / "photos_unknown.csv", ("photo", "shows"), unsold)
    several = []
    for photo in scenes():
        boxes = photo_scene(photo)[1]
        shown = [{"product_id": item.id, "box": box} for item, box in zip(photo.shown, boxes, strict=True)]
        several.append([_path(photo), json.dumps(shown)])
    _write(folder / "scenes.csv", ("photo", "boxes"), several)
    rows = ([query, item.id, language, split(item)] for item in items() for query, language in captions(item))
    _write(folder / "captions.csv", ("query", "product_id", "lang", "split"), rows)
    every = {photo.name: photo for photo in (*photos(), *unknown(), *scenes())}
    offered = ([_path(every[name]), _shows(every[name])] for name in TRY)
    _write(folder / "try.csv", ("photo", "shows"), offered)
