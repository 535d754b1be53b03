"""Catalogues of any size: every product its own picture, title and vectors, however the catalogue grew."""

import csv

import numpy as np
import pytest
from PIL import Image

from indexer.build.build import build_index
from tests.bench.scale.catalogues import CatalogueMaker
from tests.fake_encoder import FakeEncoder

REAL, SIZE = 40, 120


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    images = folder / "fashion" / "images"
    images.mkdir(parents=True)
    chance = np.random.default_rng(0)
    with (folder / "fashion" / "products.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "title", "category", "colour", "gender", "season", "year", "usage", "image"])
        for number in range(REAL):
            Image.new("RGB", (6, 8), tuple(chance.integers(0, 256, 3).tolist())).save(images / f"{number}.jpg")
            colour = ("red", "green", "blue")[number % 3]
            title = f"Acme Men {colour} Shirt {'abcdefgh'[number % 8] * 5}"
            writer.writerow([number, title, "Apparel > Topwear > Shirts", colour, "Men", "Fall", 2011, "Casual",
                             f"images/{number}.jpg"])  # fmt: skip
    return folder


def test_every_product_is_its_own_and_nothing_is_encoded_again(data, tmp_path):
    encoder = FakeEncoder()
    maker = CatalogueMaker.of(data, tmp_path, encoder)
    maker.chunk = 50
    feed = maker.prepare(tmp_path / "home", SIZE)
    encoded, titles = encoder.pictures_encoded, encoder.texts_encoded
    report = build_index(tmp_path / "home", feed, encoder)
    assert (report.products, report.pictures, report.rejected) == (SIZE, SIZE, ())
    assert (encoder.pictures_encoded, encoder.texts_encoded) == (encoded, titles)
    real = len(maker.drawing.real.rows)
    assert (real, len(maker.held_out.rows)) == (32, 8)
    rows = list(csv.DictReader(feed.read_text(encoding="utf-8").splitlines()))[real:]
    assert len({row["title"] for row in rows}) == len({row["gtin"] for row in rows}) == SIZE - real


def test_a_build_without_caches_encodes_every_picture_and_title(data, tmp_path):
    encoder = FakeEncoder()
    maker = CatalogueMaker.of(data, tmp_path, encoder)
    maker.chunk = 50
    feed = maker.feed(SIZE)
    encoded = encoder.pictures_encoded
    report = build_index(tmp_path / "home", feed, encoder)
    assert (report.encoded, report.reused) == (SIZE, 0)
    assert encoder.pictures_encoded - encoded == SIZE


def test_a_catalogue_is_the_same_however_it_grew(data, tmp_path):
    feeds = []
    for name, sizes in (("grown", (20, SIZE)), ("at once", (SIZE,))):
        maker = CatalogueMaker.of(data, tmp_path / name, FakeEncoder())
        maker.chunk = 50
        feeds.append([maker.prepare(tmp_path / name / f"home {size}", size) for size in sizes][-1])
    caches = [sorted((feed.parent / "cache").iterdir()) for feed in feeds]
    assert feeds[0].read_bytes() == feeds[1].read_bytes()
    assert [path.read_bytes() for path in caches[0]] == [path.read_bytes() for path in caches[1]]


def test_steps_that_grow_faster_than_the_catalogue_are_named():
    def built(seconds):
        return {"build": {"steps": {name: {"cpu_seconds": value} for name, value in seconds.items()}}}

    sizes = {
        1_000: built({"read": 1, "index": 1, "gates": 0.0001}),
        10_000: built({"read": 10, "index": 20, "gates": 0.001}),
    }
    from tests.bench.scale.report import growing  # matplotlib with it, which no other test of this worker may need

    assert growing(sizes) == {"index": 2.0}
