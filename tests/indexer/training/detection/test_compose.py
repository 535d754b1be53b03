"""Pictures of several products, made from cutouts: every object is where its mask and its box say."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from indexer.training.detection.compose import MASK_SIDE, composite, shown_object
from indexer.training.detection.cutouts import SIDE, Cutout, cut_from_plain, text_page

RED = (220, 10, 20)


def product():
    """A red disc on white."""
    picture, mask = Image.new("RGB", (60, 60), "white"), Image.new("L", (60, 60))
    for canvas, colour in ((picture, RED), (mask, 255)):
        ImageDraw.Draw(canvas).ellipse((10, 15, 50, 45), fill=colour)
    return Cutout(picture, mask)


@pytest.fixture
def photo(tmp_path):
    file = tmp_path / "blue.png"
    Image.new("RGB", (80, 60), (10, 20, 200)).save(file)
    return file


def test_objects_are_where_masks_and_boxes_say(photo):
    rng = np.random.default_rng(3)
    counts = []
    for _ in range(12):
        example = composite(rng, [[product]], [photo])
        counts.append(len(example.objects))
        assert example.picture.size == (SIDE, SIDE)
        small = np.asarray(example.picture.resize((MASK_SIDE, MASK_SIDE), Image.Resampling.BOX), int)
        for shown in example.objects:
            inside = small[shown.mask > 250].mean(axis=0)
            assert inside[0] > 2 * max(inside[1], inside[2]), "the disc is red"
            left, top, right, bottom = (round(side * MASK_SIDE) for side in shown.box)
            assert (shown.mask[top:bottom, left:right] > 127).sum() == (shown.mask > 127).sum()
    assert set(counts) >= {1, 2, 3}


def test_a_product_is_cut_from_a_plain_background_and_no_other(tmp_path):
    file = tmp_path / "product.png"
    product().picture.save(file)
    cutout = cut_from_plain(file)
    expected = np.asarray(product().mask) > 127
    assert (np.asarray(cutout.mask) > 127).sum() == pytest.approx(expected.sum(), rel=0.05)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 60, 3), np.uint8)).save(file)
    assert cut_from_plain(file) is None
    Image.new("RGB", (60, 60), "white").save(file)
    assert cut_from_plain(file) is None


def test_a_hole_of_the_background_colour_stays_a_part_of_the_product(tmp_path):
    picture = product().picture
    ImageDraw.Draw(picture).ellipse((25, 25, 35, 35), fill="white")
    picture.save(tmp_path / "ring.png")
    assert np.asarray(cut_from_plain(tmp_path / "ring.png").mask)[30, 30] == 255


def test_what_is_hardly_visible_is_no_object():
    speck = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(speck).rectangle((5, 5, 8, 8), fill=255)
    assert shown_object(speck) is None


def test_a_page_of_text_is_dark_on_light():
    page = np.asarray(text_page(np.random.default_rng(0)).convert("L"))
    assert page.max() > 200 and page.min() < 100 and 0.02 < (page < 120).mean() < 0.5
