"""Other views of a picture: the same ones for the same seed, and never an odd size."""

import numpy as np
import pytest
from PIL import Image

from indexer.training.augment import VIEW_NAMES, view
from tests.indexer.encoders.tiny import scene


def pixels(picture):
    return np.asarray(picture)


def test_plain_is_the_picture_itself():
    picture = scene("red")
    assert VIEW_NAMES[0] == "plain" and view(picture, "plain", 3) is picture


def test_flip_is_its_mirror():
    picture = scene("red")
    assert np.array_equal(pixels(view(picture, "flip", 3)), pixels(picture)[:, ::-1])


@pytest.mark.parametrize("name", VIEW_NAMES)
def test_the_same_seed_gives_the_same_view(name):
    picture = scene("teal", (90, 60))
    before = pixels(picture).copy()
    assert np.array_equal(pixels(view(picture, name, 7)), pixels(view(picture, name, 7)))
    assert np.array_equal(pixels(picture), before)


def test_shots_differ_by_seed_and_by_name():
    picture = scene("teal", (90, 60))
    shots = [view(picture, name, seed) for name in ("shot 1", "shot 2") for seed in (1, 2)]
    seen = {(shot.size, shot.tobytes()) for shot in shots}
    assert len(seen) == 4


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3000, 2), (90, 60)], ids=str)
def test_sizes_are_sane(size):
    picture = Image.new("RGB", size, (200, 100, 50))
    for seed in range(60):
        shot = view(picture, "shot 1", seed)
        assert shot.mode == "RGB" and 1 <= shot.width <= size[0] and 1 <= shot.height <= size[1]
        assert shot.width * shot.height >= 0.3 * size[0] * size[1] or min(size) < 4


def test_shots_stay_near_in_colour():
    """Light and tilt move the mean colour, but red stays red."""
    picture = Image.new("RGB", (60, 60), (200, 40, 40))
    for seed in range(40):
        red, green, blue = pixels(view(picture, "shot 2", seed)).reshape(-1, 3).mean(axis=0)
        assert red > 120 and max(green, blue) < 90
