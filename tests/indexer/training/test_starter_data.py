"""How the public datasets are split, on a small folder of the same form; and the starter's training on it."""

import json
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from catalog.errors import BadFeed, TrainingError
from indexer.__main__ import main
from indexer.encoders.projection_heads import load_heads
from indexer.encoders.registry import STARTER_HEADS
from indexer.training import fit_starter
from indexer.training.captions.compose import DRAWS
from indexer.training.contrastive import TrainingConfig
from indexer.training.sample_pairs import SHOPPERS_COPIES
from indexer.training.sample_pairs import STUDIO_COPIES as STUDIO
from indexer.training.starter_data import (
    HOLDOUT_PRODUCTS,
    OWNERS_COPIES,
    OWNERS_PHOTOS,
    PHOTO_CAPTIONS,
    SHELF_COPIES,
    STUDIO_COPIES,
    read_starter_data,
)
from tests.indexer.training.datasets import sample_shop, starter_data, write_table
from tests.indexer.training.towers import MeanColour, NamedColours

SMALL = TrainingConfig(dim=4, picture_hidden=4, word_hidden=4, epochs=2, batch=16)


@pytest.fixture
def data(tmp_path):
    return starter_data(tmp_path / "data")


def test_split_sizes(data):
    split = read_starter_data(data, seed=0)
    assert len(split.fashion) == 5 and HOLDOUT_PRODUCTS == 4400
    assert len(split.grocery) == 3 and len(split.grocery_photos) == 3 and len(split.clothing_photos) == 4
    assert len(split.examples) == 15 + 3 * STUDIO_COPIES + 3 * SHELF_COPIES + 4 * OWNERS_COPIES


def test_every_picture_outside_the_holdout_is_trained_on(data):
    split = read_starter_data(data, seed=0)
    training = {example.file.resolve() for example in split.examples}
    holdout = {Path(product.pictures[0].path).resolve() for product in split.fashion}
    holdout |= {photo.file.resolve() for photo in (*split.grocery_photos, *split.clothing_photos)}
    assert not training & holdout
    assert training | holdout == {file.resolve() for file in data.rglob("*.png")}


def test_the_holdout_depends_on_the_seed_only(data):
    def holdout(seed):
        return [product.id for product in read_starter_data(data, seed).fashion]

    assert holdout(0) == holdout(0) != holdout(1)
    (data / "fashion" / "products.csv").write_text(
        "\n".join([(lines := (data / "fashion" / "products.csv").read_text().splitlines())[0], *reversed(lines[1:])])
    )
    assert holdout(0) == [product.id for product in read_starter_data(data, 0).fashion]
    assert len(set(holdout(0))) == 5


def test_captions(data):
    examples = read_starter_data(data, seed=0).examples
    shirt = next(example for example in examples if example.captions[0] == "Plain Shirt red 0")
    drawn = Counter(shirt.captions)
    assert drawn["Plain Shirt red 0"] == 75 and drawn["men red shirt"] + drawn["red shirt"] == 25
    others = Counter(shirt.translations)
    assert others["rotes Hemd für Herren"] == others["chemise rouge pour homme"] == others["男士红色衬衫"] == 5
    assert shirt.key == "Plain Shirt red 0" and shirt.domain == 0
    juice = next(example for example in examples if example.key == "green juice")
    assert set(juice.captions) == {"green juice", "Farm green juice", "green juice Juice", "a photo of green juice"}
    plain = next(example for example in examples if example.key == "red juice")
    assert Counter(plain.captions)["red juice"] == 67  # no brand: the title more often
    assert set(plain.translations) == set(plain.captions)  # no word in another language
    dress = next(example for example in examples if example.key == "dress")
    assert dress.domain == OWNERS_PHOTOS
    assert set(dress.captions) == {form.format("dress") for form in PHOTO_CAPTIONS}
    assert {"Kleid", "robe", "vestido", "连衣裙", "ワンピース"} <= set(dress.translations)
    assert {len(example.translations) for example in examples} == {DRAWS}


@pytest.mark.parametrize(
    "missing",
    [
        "fashion/products.csv",
        "grocery/products.csv",
        "grocery/photos_train.csv",
        "grocery/photos_val.csv",
        "clothing/photos_train.csv",
        "clothing/photos_validation.csv",
    ],
)
def test_a_part_that_is_missing_is_named(data, missing):
    (data / missing).unlink()
    with pytest.raises(BadFeed, match=Path(missing).name):
        read_starter_data(data, seed=0)


@pytest.mark.parametrize(
    ("file", "rows"),
    [
        ("grocery/photos_train.csv", [("photo", "product_id"), ("photos/train/0.png", "nobody")]),
        ("grocery/photos_val.csv", [("photo", "product_id"), ("photos/val/0.png", "nobody")]),
        ("grocery/photos_train.csv", [("picture", "product"), ("photos/train/0.png", "g0")]),
        ("clothing/photos_train.csv", [("photo", "category"), ("photos/train/0.png",)]),
        ("clothing/photos_validation.csv", [("photo", "category"), ("", "dress")]),
    ],
)
def test_rows_that_say_nothing_are_named(data, file, rows):
    write_table(data / file, *rows)
    with pytest.raises(BadFeed, match=f"{Path(file).name}:2"):
        read_starter_data(data, seed=0)


def test_a_product_that_is_rejected_is_not_passed_over(data):
    (data / "fashion" / "images" / "7.png").unlink()
    with pytest.raises(BadFeed, match=r"products\.csv:9"):
        read_starter_data(data, seed=0)


@pytest.fixture
def colour_towers(monkeypatch):
    monkeypatch.setattr(fit_starter, "PictureTower", lambda runtime: MeanColour())
    monkeypatch.setattr(fit_starter, "TextTower", lambda runtime: NamedColours())


@pytest.mark.torch
@pytest.mark.timeout(600)
def test_the_starter_is_fitted_measured_and_saved(data, colour_towers, tmp_path):
    out = tmp_path / "new" / "heads.safetensors"
    fit = partial(fit_starter.fit_starter, data, out, recipe=SMALL, shop=sample_shop(tmp_path / "sample"))
    card = fit(seed=3)
    heads = load_heads(out)
    assert (
        card["saved"] == str(out)
        and card["pairs"] == 15 + 9 + 6 + 12 + 2 * 2 * STUDIO + 2 * SHOPPERS_COPIES
        and card["seed"] == 3
    )
    assert heads.card["figures"] == card["figures"] and heads.card["recipe"]["dim"] == heads.dim == 4
    assert card["figures"]["fashion_title_to_picture"]["products"] == 5
    assert card["seen"] == len(np.load(out.with_name("seen.npy"))) > 0
    first = out.read_bytes()
    fit(seed=3)
    assert out.read_bytes() == first
    fit(seed=4)
    assert out.read_bytes() != first


@pytest.mark.torch
def test_a_picture_that_cannot_be_decoded_stops_the_starter(data, colour_towers, tmp_path):
    (data / "clothing" / "photos" / "train" / "1.png").write_bytes(b"broken")
    with pytest.raises(TrainingError, match="cannot be decoded"):
        fit_starter.fit_starter(
            data, tmp_path / "heads.safetensors", recipe=SMALL, shop=sample_shop(tmp_path / "sample")
        )
    assert not (tmp_path / "heads.safetensors").exists()


@pytest.mark.torch
def test_the_command_writes_where_the_registry_looks(data, tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(fit_starter, "fit_starter", lambda *arguments: calls.append(arguments) or {"name": "starter"})
    result = CliRunner().invoke(main, ["starter", "--data", str(data), "--seed", "7"])
    assert result.exit_code == 0 and json.loads(result.stdout) == {"name": "starter"}
    CliRunner().invoke(main, ["starter", "--data", str(data), "--out", str(tmp_path / "x.safetensors")])
    assert calls == [(data, STARTER_HEADS, 7), (data, tmp_path / "x.safetensors", 0)]
    assert CliRunner().invoke(main, ["starter", "--data", str(data), "--out", str(tmp_path)]).exit_code == 2
