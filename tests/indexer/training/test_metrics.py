"""Ranks and recall, worked out by hand."""

import numpy as np
import pytest
from PIL import Image

from catalog.product import Picture, Product
from indexer.training.metrics import ranks, recalls, starter_figures, title_recall
from indexer.training.starter_data import Photo, StarterData
from tests.indexer.training.towers import NAMES, MeanColour, NamedColours


def test_ranks_by_hand():
    scores = np.array([[0.9, 0.1, 0.5], [0.9, 0.1, 0.5], [0.3, 0.2, 0.4]], np.float32)
    before = scores.copy()
    assert ranks(scores, np.array([0, 1, 0])).tolist() == [0, 2, 1]
    assert np.array_equal(scores, before)


def test_half_of_those_that_tie_come_first():
    assert ranks(np.ones((2, 9), np.float32), np.array([0, 8])).tolist() == [4, 4]
    twice = np.array([[0.5, 0.5, 0.1]], np.float32)  # the same picture on two products
    assert ranks(twice, np.array([1])).tolist() == [0]


def test_recall_is_the_share_within_depth():
    found = np.array([0, 0, 1, 4, 9, 10])
    assert recalls(found, 1, 5, 10) == {"recall_at_1": 0.3333, "recall_at_5": 0.6667, "recall_at_10": 0.8333}


def test_titles_that_find_their_pictures():
    eye = np.eye(30, dtype=np.float32)
    names = [str(i) for i in range(30)]
    assert title_recall(eye, eye, names) == 1
    assert title_recall(eye, -eye, names) == 0
    # The first 15 titles find their own picture, the others the one 15 places before, and 29 others tie.
    half = np.concatenate([eye[:15], eye[:15]])
    assert title_recall(eye, half, names) == 0.5


def test_equal_titles_count_as_each_others():
    pictures = np.eye(24, dtype=np.float32)
    titles = np.roll(pictures, 12, axis=0)  # each title finds the picture 12 places on
    assert title_recall(pictures, titles, [str(i) for i in range(24)]) == 0
    assert title_recall(pictures, titles, [str(i % 12) for i in range(24)]) == 1


def test_heads_that_say_the_same_of_everything_are_not_perfect():
    same = np.ones((40, 3), np.float32)
    assert title_recall(same, same, [str(i) for i in range(40)]) == 0


class Plain:
    """Heads that leave the features as they are, or take red for blue."""

    def __init__(self, order=(0, 1, 2)):
        self.order = list(order)

    def picture(self, features):
        return features[:, self.order]

    def text(self, features):
        return features


@pytest.fixture
def split(tmp_path):
    def picture(name):
        file = tmp_path / f"{name}.png"
        Image.new("RGB", (8, 8), name).save(file)
        return file

    files = {name: picture(name) for name in ("red", "lime", "blue")}
    files["green"] = files.pop("lime")
    products = tuple(
        Product(name, f"{name} thing", (Picture(str(file), "0" * 64, 8, 8),)) for name, file in files.items()
    )
    photos = tuple(Photo(files[name], name) for name in NAMES)
    return StarterData((), products, products, photos, photos)


def test_the_starters_figures(split):
    figures = starter_figures(Plain(), split, MeanColour(), NamedColours())
    assert figures["fashion_title_to_picture"] == {"products": 3, "recall_at_1": 1.0, "recall_at_10": 1.0}
    assert figures["grocery_photo_to_product"] == {"photos": 3, "products": 3, "recall_at_1": 1.0, "recall_at_5": 1.0}
    assert figures["clothing_zero_shot"] == {"photos": 3, "labels": 3, "accuracy": 1.0, "languages": {}}


def test_the_figures_of_heads_that_mix_up_two_colours(split):
    figures = starter_figures(Plain((2, 1, 0)), split, MeanColour(), NamedColours())
    assert figures["fashion_title_to_picture"]["recall_at_1"] == 0.3333
    assert figures["clothing_zero_shot"]["accuracy"] == pytest.approx(1 / 3)
