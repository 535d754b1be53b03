"""Seeded feeds and what a shop made of them must hold."""

import csv
import os
import random
from contextlib import closing
from dataclasses import replace

import numpy as np

from catalog.storage.catalogue import Catalogue
from indexer.generations.store import open_current
from tests.indexer.shop_fixtures import write_picture

NAMES = ("red", "green", "blue", "red green", "chair")
LONG_AGO = 1_700_000_000


def draw_pictures(folder, seed, count):
    """Pictures of one colour each, no two alike, and as old as those of a shop."""
    rng = random.Random(seed)
    colours = rng.sample(range(0, 256**3, 97), count)
    for i, code in enumerate(colours):
        path = write_picture(folder / f"{i}.png", (code >> 16, code >> 8 & 255, code & 255), (4, 3))
        os.utime(path, (LONG_AGO, LONG_AGO))


def draw_feed(folder, name, seed, products, pictures):
    """A feed of so many products with one or two of the pictures; returns its path."""
    rng = random.Random(seed)
    rows = []
    for i in sorted(rng.sample(range(products + 4), products)):
        images = rng.sample(range(pictures), rng.randint(1, 2))
        title = f"{rng.choice(NAMES)} {i}"
        rows.append((f"p{i:03}", title, "|".join(f"{image}.png" for image in images), f"{rng.randint(1, 9)} EUR"))
    with (folder / name).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "title", "images", "price"])
        writer.writerows(rows)
    return folder / name


def shop_state(home):
    """Everything that can be searched: for each product its title, price and rows, each with its picture's hash."""
    generation = open_current(home)
    with closing(Catalogue.open(home / "catalog.sqlite")) as catalogue:
        products = dict(catalogue.iterate())
    rows = {key: [] for key in products}
    for key, sha256, row in zip(
        generation.product_keys.tolist(), generation.picture_hashes.tolist(), generation.rows, strict=True
    ):
        rows.setdefault(key, []).append((sha256.decode(), np.asarray(row, np.float32).round(3).tolist()))
    return {
        products[key].id if key in products else key: (
            products[key].title if key in products else None,
            products[key].price if key in products else None,
            found,
        )
        for key, found in rows.items()
    }


def price_state(home):
    """What each product cost, in order, without the times; every change recorded once."""
    with closing(Catalogue.open(home / "catalog.sqlite")) as catalogue:
        assert list(catalogue.price_history.deep_faults()) == []
        return {
            product_id: [replace(change, at=0) for change in changes]
            for product_id, changes in catalogue.price_history.of_all()
        }


def answers(home, generation, count=100, seed=1):
    """The ids of the ten best products for so many golden queries, drawn near the rows by a seed."""
    with closing(Catalogue.open(home / "catalog.sqlite")) as catalogue:
        ids = dict(catalogue.ids())
    rng = np.random.default_rng(seed)
    layout, weights = generation.layout, generation.manifest.weights
    found = []
    for number in rng.integers(0, len(generation.rows), count).tolist():
        row = np.asarray(generation.rows[number], np.float32)
        query = layout.weigh(row + rng.normal(0, 0.05, len(row)).astype(np.float32), weights["picture"])
        _, rows = generation.search(query, 10)
        found.append([ids.get(key) for key in generation.product_keys[rows].tolist()])
    return found
