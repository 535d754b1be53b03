"""Colours: what the eye says is near is near, and the ground a product lies on counts little."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from indexer.encoders.colour_encoder import colour_dim, colour_rows, srgb_to_lab
from indexer.encoders.registry import open_encoder


def disc(colour, ground="white", radius=70):
    picture = Image.new("RGB", (200, 200), ground)
    ImageDraw.Draw(picture).ellipse((100 - radius, 100 - radius, 100 + radius, 100 + radius), fill=colour)
    return picture


def likeness(*pictures):
    """Of the first to each of the others; 1 is equal."""
    rows = open_encoder("colour").encode_images(pictures)
    return (rows[1:] @ rows[0]).tolist()


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.74, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((255, 255, 0), (97.14, -21.55, 94.48)),
        ((119, 119, 119), (50.03, 0, 0)),
    ],
)
def test_lab_of_known_colours(rgb, lab):
    assert np.allclose(srgb_to_lab(np.array([rgb]) / 255), [lab], atol=0.05)


def test_red_is_nearer_to_dark_red_than_to_blue():
    dark, orange, blue, green = likeness(disc("red"), disc("darkred"), disc("orangered"), disc("blue"), disc("green"))
    assert orange > dark > max(blue, green)


def test_a_colour_finds_its_own_shade_first():
    shades = ["navy", "royalblue", "skyblue", "teal", "black", "purple"]
    near = likeness(disc("navy"), *(disc(shade, radius=60) for shade in shades))
    assert np.argmax(near) == 0 and near[0] > 0.95


def test_size_and_place_matter_little():
    small, large, other = likeness(disc("red"), disc("red", radius=50), disc("red", radius=90), disc("blue"))
    assert min(small, large) > 0.9 > other


def test_the_ground_matters_less_than_the_product():
    same_product, same_ground = likeness(disc("red", "white"), disc("red", "lightgrey"), disc("blue", "white"))
    assert same_product > same_ground + 0.3


def test_a_white_product_on_white_is_white():
    """Nothing stands out from its ground, so the ground is what there is."""
    white = Image.new("RGB", (200, 200), (250, 250, 250))
    ImageDraw.Draw(white).rectangle((50, 50, 150, 150), outline=(200, 200, 200))
    plain, black, red = likeness(white, Image.new("RGB", (90, 90), "white"), disc("black"), disc("red"))
    assert plain > 0.9 and plain > max(black, red) + 0.1


def test_one_colour_is_one_colour_at_any_size():
    for size in ((1, 1), (3000, 10), (56, 56), (57, 111)):
        assert likeness(Image.new("RGB", (80, 80), "olive"), Image.new("RGB", size, "olive"))[0] > 0.999


def test_rows_of_any_side_and_number():
    rng = np.random.default_rng(0)
    for side in (1, 20, 56, 160, 224, 384):
        rows = colour_rows(rng.integers(0, 256, (3, side, side, 3), dtype=np.uint8))
        assert rows.shape == (3, colour_dim()) and rows.dtype == np.float32
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5) and (rows >= 0).all()


def test_every_colour_has_a_bin():
    axis = np.arange(0, 256, 15)
    cube = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 1, 1, 3).astype(np.uint8)
    for part in np.array_split(cube, 81):  # a batch takes pictures times colours
        rows = colour_rows(np.broadcast_to(part, (len(part), 4, 4, 3)))
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)


def test_canonical_numbers():
    """A change of these numbers makes every index out of date: raise VERSION with it."""
    row = open_encoder("colour").encode_images([disc("red")])[0]
    assert colour_dim() == 180
    top = np.argsort(-row)[:3]
    assert top.tolist() == [95, 87, 94]
    assert np.allclose(row[top], [0.7797, 0.4146, 0.2567], atol=1e-3)
