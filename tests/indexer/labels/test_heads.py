"""Label heads on disk: what is saved comes back, another encoder's are not used, a broken file is told."""

import numpy as np
import pytest

from catalog.errors import DamagedGeneration
from catalog.home import ShopHome
from indexer.encoders.projection_heads import ProjectionHead
from indexer.labels.heads import FusionWeights, LabelHead, LabelHeads, head_rows
from indexer.layout import RowLayout
from indexer.numeric import softmax
from indexer.types import Block

LAYOUT = RowLayout((Block("look", 2), Block("meaning", 2, texts=True), Block("words", 2, texts=True)))


def linear(matrix):
    """A head that is nothing but a linear map."""
    outputs, inputs = np.shape(matrix)
    zeros = np.zeros((1, inputs), np.float32)
    return ProjectionHead(
        np.zeros(inputs, np.float32),
        np.ones(inputs, np.float32),
        np.array(matrix, np.float32),
        zeros,
        np.zeros(1, np.float32),
        np.zeros((outputs, 1), np.float32),
        np.zeros(outputs, np.float32),
    )


def heads(fingerprint="fa"):
    colour = LabelHead(
        "colour", ("red", "blue"), linear([[1, 0], [0, 1]]), FusionWeights(0.5, 1.0, 0.7, 10, 0.9, 0.8, 0.95)
    )
    shape = LabelHead(
        "shape", ("a", "b", "c"), linear([[1, 0], [0, 1], [1, 1]]), FusionWeights(1, 2, 0.5), FusionWeights(0.2, 1, 0.4)
    )
    return LabelHeads(fingerprint, {"colour": colour, "shape": shape}, {"rows": 7})


def test_what_is_saved_comes_back(tmp_path):
    heads().save(tmp_path)
    found = LabelHeads.load(tmp_path, "fa")
    assert found.card == {"rows": 7} and list(found.heads) == ["colour", "shape"]
    assert found.heads["shape"].names == ("a", "b", "c") and found.heads["shape"].with_title == FusionWeights(
        0.2, 1, 0.4
    )
    assert found.heads["colour"].image_only == FusionWeights(0.5, 1.0, 0.7, 10, 0.9, 0.8, 0.95)
    assert found.heads["colour"].with_title is None
    rows = np.array([[2, 0], [0, 0]], np.float32)
    expected = [[np.e**2 / (np.e**2 + 1), 1 / (np.e**2 + 1)], [0.5, 0.5]]
    assert found.heads["colour"].shares(rows) == pytest.approx(np.array(expected), abs=1e-6)


def test_heads_of_another_encoder_are_not_used(tmp_path):
    assert LabelHeads.load(tmp_path, "fa") is None
    heads("another").save(tmp_path)
    assert LabelHeads.load(tmp_path, "fa") is None


@pytest.mark.parametrize("damage", [b"", b"\xff" * 64, b"cut"])
def test_a_broken_file_is_told(tmp_path, damage):
    heads().save(tmp_path)
    data = ShopHome(tmp_path).label_heads.read_bytes()
    ShopHome(tmp_path).label_heads.write_bytes(data[: len(data) // 2] if damage == b"cut" else damage)
    with pytest.raises(DamagedGeneration, match="learn again"):
        LabelHeads.load(tmp_path, "fa")


def test_a_head_that_does_not_fit_its_names_is_refused(tmp_path):
    one = LabelHead("colour", ("red",), linear([[1, 0], [0, 1]]), FusionWeights(1, 1, 0.5))
    LabelHeads("fa", {"colour": one}).save(tmp_path)
    with pytest.raises(DamagedGeneration, match="does not fit its names"):
        LabelHeads.load(tmp_path, "fa")


def test_no_title_is_a_block_of_zeros():
    encoded = np.array([[1, 2, 3, 4]], np.float32)
    assert head_rows(LAYOUT, encoded).tolist() == [[1, 2, 3, 4, 0, 0]]
    assert head_rows(LAYOUT, encoded, np.array([[5, 6]], np.float32)).tolist() == [[1, 2, 3, 4, 5, 6]]


def test_softmax_of_large_numbers_stays_finite():
    assert softmax(np.array([[1000.0, 1000.0]], np.float32)).tolist() == [[0.5, 0.5]]
