"""From a feed to the right product with an encoder that needs no weights: build, open, search, measure."""

import json

import pytest
from click.testing import CliRunner
from PIL import Image, ImageDraw

from indexer.build.build import build_index
from indexer.encoders.registry import open_encoder
from search.__main__ import main

COLOURS = ("red", "orange", "gold", "olive", "green", "teal", "blue", "navy", "purple", "pink", "brown", "black")


def scene(colour, side):
    """A coloured disc on white, larger or smaller."""
    image = Image.new("RGB", (120, 160), "white")
    ImageDraw.Draw(image).ellipse((60 - side, 80 - side, 60 + side, 80 + side), fill=colour)
    return image


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("colour")
    (folder / "asked").mkdir()
    feed, photos = ["id,title,category,image,price"], ["photo,product_id,category"]
    for colour in COLOURS:
        scene(colour, 50).save(folder / f"{colour}.jpg", quality=90)
        scene(colour, 35).save(folder / "asked" / f"{colour}.jpg", quality=70)
        feed.append(f"{colour}-1,A {colour} disc,Discs > {colour.title()},{colour}.jpg,9.90 EUR")
        photos.append(f"{colour}.jpg,{colour}-1,{colour}")
    (folder / "products.csv").write_text("\n".join(feed) + "\n")
    (folder / "asked" / "photos.csv").write_text("\n".join(photos) + "\n")
    report = build_index(folder / "home", folder / "products.csv", open_encoder("colour"))
    assert report.products == len(COLOURS)
    return folder


def run(shop, command, *arguments, code=0):
    result = CliRunner().invoke(main, [command, "--home", str(shop / "home"), *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def test_a_photo_finds_its_product(shop):
    found = json.loads(run(shop, "query", "--image", shop / "asked" / "teal.jpg", "--json").stdout)
    assert found["hits"][0]["id"] == "teal-1" and found["hits"][0]["price"] == "9.90"
    assert found["hits"][0]["parts"].keys() == {"colour"}
    assert len(found["hits"]) == 10


def test_every_photo_finds_its_product(shop):
    figures = json.loads(run(shop, "evaluate", "--photos", shop / "asked" / "photos.csv", "--json").stdout)
    assert figures["queries"] == len(COLOURS) and figures["recall_at_1"] == 1.0 and figures["encoder"] == "colour"


def test_every_photo_has_its_category(shop):
    photos = shop / "asked" / "photos.csv"
    assert json.loads(run(shop, "categorise", "--photos", photos, "--json").stdout)["accuracy"] == 1.0
    refused = run(shop, "categorise", "--photos", photos, "--labels", "red,blue", "--json", code=1)
    assert refused.stdout == "" and "cannot read words" in refused.stderr


def test_words_are_refused(shop):
    assert "'colour'" in run(shop, "query", "--text", "red", code=1).stderr
