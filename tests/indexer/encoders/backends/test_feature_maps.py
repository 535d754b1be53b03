"""Feature maps: the same whatever runs the model, right in place, and of no cost to those who do not ask for them."""

import numpy as np
import pytest
from PIL import Image

from catalog.errors import EncoderUnavailable
from indexer.encoders.backends.feature_maps import MapModel
from indexer.encoders.backends.runtime import ModelSource
from indexer.encoders.backends.starter_towers import PictureTower
from tests.indexer.encoders.tiny import cosines, scenes

pytestmark = [pytest.mark.timeout(1500), pytest.mark.torch]

WITHOUT = ("fake", "registered", "colour")


@pytest.fixture
def maps(kind):
    if kind.name in WITHOUT:
        pytest.skip("has none")
    return kind.open().feature_maps(scenes())


def cells(maps):
    return np.concatenate([maps.fine, maps.deep], axis=3).reshape(-1, maps.fine.shape[3] + maps.deep.shape[3])


def test_an_encoder_without_maps_says_so(kind):
    if kind.name in ("registered", "colour"):
        assert kind.open().feature_maps(scenes()) is None


def test_both_depths_have_the_same_cells(maps):
    assert maps.fine.dtype == maps.deep.dtype == np.float32
    assert maps.fine.shape[:3] == maps.deep.shape[:3] and maps.fine.shape[0] == 5
    assert np.isfinite(maps.fine).all() and np.isfinite(maps.deep).all()


@pytest.mark.promise("R19")
def test_a_picture_alone_has_the_maps_it_has_in_a_batch(kind, maps):
    alone = np.concatenate([cells(kind.open().feature_maps([picture])) for picture in scenes()])
    assert cosines(alone, cells(maps)).min() >= 0.9999


@pytest.mark.promise("R19")
def test_both_runtimes_see_the_same(kind, maps):
    assert cosines(cells(kind.open("torch").feature_maps(scenes())), cells(maps)).min() >= 0.9999


def test_maps_change_no_vector(kind):
    encoder = kind.open()
    before = encoder.encode_images(scenes())
    if kind.name not in WITHOUT:
        encoder.feature_maps(scenes())
    assert np.array_equal(encoder.encode_images(scenes()), before)


def test_nothing_is_loaded_before_maps_are_requested():
    def load():
        raise EncoderUnavailable("No such model.")

    model = MapModel(ModelSource("none", "none", load), "torch")
    for _ in range(2):
        with pytest.raises(EncoderUnavailable, match="No such model"):
            model([Image.new("RGB", (8, 8))])


@pytest.mark.weights
def test_the_starters_cells_are_where_the_thing_is(shared_models):
    """A red disc in the left half: the cells that differ from a picture without it are there."""
    tower = PictureTower("onnx")
    empty = Image.new("RGB", (200, 200), (230, 228, 225))
    thing = empty.copy()
    thing.paste((200, 30, 40), (20, 70, 80, 130))
    without, with_object = tower.feature_maps([empty, thing]).fine
    moved = np.linalg.norm(with_object - without, axis=2)
    assert moved.shape == (28, 28)
    assert moved[9:19, 2:12].mean() > 3 * moved[:, 18:].mean()
