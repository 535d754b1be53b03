"""From files and captions to what heads learn from."""

import numpy as np
import pytest
from PIL import Image

from indexer.numeric import number_names
from indexer.training.pairs import BATCH_SIZE, CaptionedPicture, learnable, picture_features, word_features
from tests.indexer.training.towers import MeanColour, NamedColours

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


@pytest.fixture
def files(tmp_path):
    for name, colour in COLOURS.items():
        Image.new("RGB", (20, 10), colour).save(tmp_path / f"{name}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    return tmp_path


def features(tower, files, name="plain", seed=0):
    return picture_features(tower.prepare, tower, files, name, seed, lambda done: None)


def test_features_by_hand(files):
    rows, good = features(MeanColour(), [files / "green.png", files / "red.png"])
    assert rows.dtype == np.float16 and rows.tolist() == [[0, 1, 0], [1, 0, 0]] and good.all()


def test_a_picture_that_cannot_be_decoded_is_marked_and_the_rest_stay_in_place(files):
    asked = [files / "blue.png", files / "broken.png", files / "none.png", files / "red.png"]
    rows, good = features(MeanColour(), asked)
    assert good.tolist() == [True, False, False, True]
    assert rows.tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0], [1, 0, 0]]


def test_nothing_that_can_be_decoded(files):
    rows, good = features(MeanColour(), [files / "broken.png"])
    assert len(rows) == 1 and not good.any()


def test_many_files_come_in_batches_and_every_one_is_told(files):
    tower, told = MeanColour(), []
    asked = [files / f"{name}.png" for name in ("red", "green", "blue")] * 20
    rows, good = picture_features(tower.prepare, tower, asked, "plain", 0, told.append)
    assert sum(told) == 60 and good.all() and max(tower.seen) <= BATCH_SIZE and sum(tower.seen) == 60
    assert np.array_equal(rows.argmax(axis=1), np.tile([0, 1, 2], 20))


def test_views_are_drawn_by_seed_and_place(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    for name in ("a", "b"):
        Image.fromarray(noise).save(tmp_path / f"{name}.png")
    asked = [tmp_path / "a.png", tmp_path / "b.png"]
    first, _ = features(MeanColour(), asked, "shot 1", 3)
    assert np.array_equal(first, features(MeanColour(), asked, "shot 1", 3)[0])
    assert not np.array_equal(first, features(MeanColour(), asked, "shot 1", 4)[0])
    assert not np.array_equal(first[0], first[1])


def test_examples_become_pairs(files):
    tower, words = MeanColour(), NamedColours()
    examples = [
        CaptionedPicture(files / "red.png", ("red shirt", "red"), "shirt"),
        CaptionedPicture(files / "blue.png", ("blue",), "trousers", domain=1),
        CaptionedPicture(files / "red.png", ("a red thing", "red", "red shirt"), "shirt"),
    ]
    pairs, good = learnable(tower, words, examples, ("plain", "flip"), 0)
    assert good.tolist() == [True] * 3
    assert [view.tolist() for view in pairs.views] == [[[1, 0, 0], [0, 0, 1], [1, 0, 0]]] * 2
    assert tower.seen == [2, 2]  # one picture of two examples is looked at once a view
    texts = words.seen[0]
    assert texts == ["red", "blue", "red shirt", "a red thing"]  # shortest first, each once
    captions = [[texts[number] for number in row] for row in pairs.captions]
    assert captions == [["red shirt", "red", "red shirt"], ["blue"] * 3, ["a red thing", "red", "red shirt"]]
    assert pairs.words.tolist() == [[1, 0, 0], [0, 0, 1], [1, 0, 0], [1, 0, 0]]
    assert pairs.keys.tolist() == [0, 1, 0] and pairs.domains.tolist() == [0, 1, 0]


def test_examples_whose_picture_is_broken_are_marked(files):
    examples = [CaptionedPicture(files / f"{name}.png", (name,), name) for name in ("broken", "red", "broken")]
    pairs, good = learnable(MeanColour(), NamedColours(), examples, ("plain",), 0)
    assert good.tolist() == [False, True, False]
    assert pairs.views[0].tolist() == [[0, 0, 0], [1, 0, 0], [0, 0, 0]]


def test_texts_keep_their_order_beyond_one_batch():
    texts = [f"{'red ' * (i % 3)}{'blue ' * (i % 2)}" for i in range(3 * BATCH_SIZE + 1)]
    rows = word_features(NamedColours(), texts)
    assert rows.tolist() == [[i % 3, 0, i % 2] for i in range(len(texts))]


def test_names_are_numbered_in_order():
    assert number_names(["b", "a", "b", "c"]).tolist() == [1, 0, 1, 2]
    assert number_names([]).tolist() == []
