"""Feature maps: right in place, and of no cost to those who do not ask for them.

What those of every encoder keep to is in tests/indexer/encoders/test_contract.py.
"""

import numpy as np
import pytest
from PIL import Image

from catalog.errors import EncoderUnavailable
from indexer.encoders.backends.feature_maps import MapModel
from indexer.encoders.backends.runtime import ModelSource
from indexer.encoders.backends.starter_towers import PictureTower

pytestmark = pytest.mark.timeout(1500)


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
