"""The starter with its shipped heads: small, with a record of their training, and right about simple queries."""

import numpy as np
import pytest

from indexer.encoders import registry
from indexer.encoders.projection_heads import load_heads
from indexer.encoders.registry import open_encoder
from tests.indexer.encoders.tiny import real_starter, scene

pytestmark = [
    pytest.mark.weights,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(not real_starter(), reason="the trained heads are not here"),
]

COLOURS = ["red", "green", "blue", "yellow", "black", "pink"]


@pytest.fixture(scope="module")
def starter(shared_models):
    return open_encoder("starter", runtime="onnx")


def test_the_heads_are_small_and_say_how_they_were_made():
    assert registry.STARTER_HEADS.stat().st_size <= 10_000_000
    card = load_heads(registry.STARTER_HEADS).card
    assert card["name"] == "starter" and card["pairs"] > 20_000
    assert {"fashion_title_to_picture", "grocery_photo_to_product", "clothing_zero_shot"} <= set(card["figures"])


def test_blocks_are_those_of_the_design(starter):
    assert [(block.name, block.dim, block.texts) for block in starter.blocks] == [
        ("look", 256, False),
        ("meaning", 256, True),
        ("colour", 180, False),
    ]
    assert dict(starter.preprocessing)["side"] == 224


def test_a_colours_name_finds_its_picture(starter):
    meaning = slice(256, 512)
    pictures = starter.encode_images([scene(colour, (200, 200)) for colour in COLOURS])[:, meaning]
    words = starter.encode_texts([f"{colour} shirt" for colour in COLOURS])[:, meaning]
    assert ((words @ pictures.T).argmax(axis=1) == np.arange(len(COLOURS))).mean() >= 0.8


def test_words_that_mean_the_same_are_near(starter):
    words = starter.encode_texts(["running shoes", "sneakers for jogging", "orange juice"])
    assert words[0] @ words[1] > words[0] @ words[2] + 0.2
