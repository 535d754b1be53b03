"""The sample shop keeps its promises: its counts, its files, its answers."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalog.feeds.reader import read_feed
from catalog.product import Product
from catalog.sample import generator
from catalog.sample.generator.catalogue import tables
from catalog.sample.generator.catalogue.jobs import jobs
from catalog.sample.generator.shapes.families import FAMILIES

SHOP = Path(generator.__file__).parent
pytestmark = pytest.mark.skipif(
    not (SHOP / "products.csv").exists(), reason="the sample shop's pictures and tables are not made yet"
)


def rows(name):
    with (SHOP / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def products():
    return list(read_feed(SHOP / "products.csv"))


def test_the_feed_loads_and_rejects_nothing(products):
    assert all(isinstance(found, Product) for found in products)
    assert len(products) >= 320
    assert all(len(p.pictures) == 2 and p.currency == "EUR" and p.price > 0 for p in products)
    assert 0.8 < np.mean([p.in_stock for p in products]) < 1


def test_every_product_is_described_in_both_languages(products):
    for product in products:
        assert product.title.isascii() and not product.attributes["title_zh"].isascii()
        for name in ("colour", "material", "pattern", "colour_zh", "material_zh", "pattern_zh", "description_zh"):
            assert product.attributes[name]
        assert len(product.category_path) == 2 and product.brand and product.description
    assert len({p.title for p in products}) == len(products)


def test_families_and_siblings(products):
    assert len(FAMILIES) >= 24
    groups = Counter(p.item_group_id for p in products)
    assert sum(size > 1 for size in groups.values()) >= 30
    looks = {(p.item_group_id, p.attributes["colour"], p.attributes["pattern"]) for p in products}
    assert len(looks) == len(products), "two siblings look the same"


def test_some_products_are_on_sale(products):
    on_sale = [p for p in products if p.list_price is not None]
    assert 20 <= len(on_sale) <= 50 and all(p.list_price > p.price for p in on_sale)


def test_photos_know_their_products(products):
    ids = {p.id for p in products}
    known, nowhere, several = rows("photos.csv"), rows("photos_unknown.csv"), rows("scenes.csv")
    assert len(known) >= 240 and len(nowhere) >= 60 and len(several) >= 40
    assert {row["product_id"] for row in known} <= ids
    assert not {row["shows"] for row in nowhere} & set(FAMILIES)
    for row in several:
        shown = json.loads(row["boxes"])
        assert 2 <= len(shown) <= 3 and {row["product_id"] for row in shown} <= ids
        for left, top, right, bottom in (row["box"] for row in shown):
            assert 0 <= left < right <= 1 and 0 <= top < bottom <= 1


def test_no_test_product_has_a_sibling_in_training(products):
    splits = {row["product_id"]: row["split"] for row in rows("captions.csv")}
    assert Counter(splits.values()) == {"train": 168, "test": 162}
    by_group, by_family = {}, {}
    for product in products:
        by_group.setdefault(product.item_group_id, set()).add(splits[product.id])
        by_family.setdefault(product.category, set()).add(splits[product.id])
    assert all(len(splits) == 1 for splits in by_group.values())
    assert sum(splits == {"test"} for splits in by_family.values()) == 8
    photos = rows("photos.csv")
    assert all(row["split"] == splits[row["product_id"]] for row in photos)
    assert Counter(row["split"] for row in photos)["test"] >= 100


def test_captions_ask_for_products_in_other_words_than_their_titles(products):
    titles = {p.id: p.title for p in products}
    captions = rows("captions.csv")
    assert Counter(row["lang"] for row in captions) == {"en": len(products), "zh": len(products)}
    assert {row["product_id"] for row in captions} == set(titles)
    assert not any(row["query"] == titles[row["product_id"]] for row in captions)


def test_every_picture_is_there_and_the_shop_is_small():
    listed = {job.path for job in jobs()}
    there = {path.relative_to(SHOP).as_posix() for path in SHOP.rglob("*.jpg")}
    assert listed == there
    assert sum(path.stat().st_size for path in SHOP.rglob("*") if path.is_file()) <= 16e6
    for path in sorted(there)[::37]:
        with Image.open(SHOP / path) as picture:
            assert picture.size == (320, 320) and picture.format == "JPEG"


def test_the_tables_are_what_the_script_writes(tmp_path):
    tables.write_tables(tmp_path)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (SHOP / path.name).read_bytes(), path.name
