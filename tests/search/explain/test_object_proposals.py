"""Where things are in a picture, by maps whose answer is seen by eye and by the starter's own."""

import io

import numpy as np
import pytest
from PIL import Image

from indexer.encoders.registry import open_encoder
from indexer.types import FeatureMaps
from search.explain.heatmap import matched_regions, overlay_png
from search.explain.object_proposals import MAX_BOXES, Box, boxes_of, crop_object, propose_boxes
from search.query.builder import crop_weights
from tests.fake_encoder import FakeEncoder

CELLS = 28


def drawn(*things, seed=0):
    """A picture of 28 x 28 cells with its maps; each thing is (left, top, right, bottom, kind) in cells."""
    rng = np.random.default_rng(seed)
    kinds = rng.normal(0, 1, (6, 40))
    shown = np.zeros((CELLS, CELLS), int)
    for left, top, right, bottom, kind in things:
        shown[top:bottom, left:right] = kind
    cells = kinds[shown] + rng.normal(0, 0.2, (CELLS, CELLS, 40))
    colours = np.array([(200, 190, 180), (180, 30, 40), (30, 60, 160), (20, 120, 60), (220, 180, 20), (90, 20, 90)])
    picture = Image.fromarray(colours[shown].repeat(10, 0).repeat(10, 1).astype(np.uint8))
    both = cells[None].astype(np.float32)
    return FeatureMaps(both[..., :24], both[..., 24:]), picture


def shared(box, thing):
    """Intersection over union."""
    left, top, right, bottom = (edge * CELLS for edge in box.sides)
    wide = min(right, thing[2]) - max(left, thing[0])
    high = min(bottom, thing[3]) - max(top, thing[1])
    both = max(wide, 0) * max(high, 0)
    return both / ((right - left) * (bottom - top) + (thing[2] - thing[0]) * (thing[3] - thing[1]) - both)


THREE = [(3, 9, 8, 17, 1), (11, 11, 17, 17, 2), (20, 8, 25, 18, 3)]


@pytest.mark.parametrize("seed", range(5))
def test_three_things_give_three_boxes_first(seed):
    found = boxes_of(*drawn(*THREE, seed=seed))
    assert len(found) <= MAX_BOXES
    for thing in THREE:
        assert max(shared(box, thing) for box in found[:3]) >= 0.6, (thing, found)


def test_boxes_are_parts_of_the_picture_best_first():
    found = boxes_of(*drawn(*THREE))
    assert [box.score for box in found] == sorted((box.score for box in found), reverse=True)
    for box in found:
        assert 0 <= box.left < box.right <= 1 and 0 <= box.top < box.bottom <= 1
    assert boxes_of(*drawn(*THREE)) == found
    assert boxes_of(*drawn(*THREE), limit=2) == found[:2]


def test_no_box_is_much_in_another():
    found = boxes_of(*drawn(*THREE))
    for i, box in enumerate(found):
        for other in found[:i]:
            assert shared(box, tuple(edge * CELLS for edge in other.sides)) <= 0.35 + 1e-6


def test_things_of_one_kind_are_boxes_of_their_own():
    things = [(3, 10, 9, 17, 1), (18, 10, 24, 17, 1)]
    found = boxes_of(*drawn(*things))[:2]
    assert all(max(shared(box, thing) for box in found) >= 0.6 for thing in things)


def test_one_thing_gives_one_box_first():
    thing = (9, 8, 19, 20, 4)
    found = boxes_of(*drawn(thing))
    assert shared(found[0], thing) >= 0.6


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (640, 480)])
def test_a_picture_of_one_colour_breaks_nothing(size):
    flat = FeatureMaps(np.ones((1, 14, 14, 8), np.float32), np.ones((1, 14, 14, 8), np.float32))
    for box in boxes_of(flat, Image.new("RGB", size, (9, 9, 9))):
        assert np.isfinite(box.score)


@pytest.mark.parametrize("side", [1, 2, 7, 14])
def test_coarse_maps_give_boxes_or_none(side):
    noise = np.random.default_rng(0).normal(0, 1, (1, side, side, 8)).astype(np.float32)
    for box in boxes_of(FeatureMaps(noise, noise), Image.new("RGB", (50, 50))):
        assert 0 <= box.left < box.right <= 1


def test_an_encoder_without_maps_proposes_nothing():
    assert propose_boxes(FakeEncoder(), Image.new("RGB", (20, 20))) == ()
    assert propose_boxes(open_encoder("colour"), Image.new("RGB", (20, 20))) == ()


def test_colours_do_not_count_in_crops_unless_there_is_nothing_else():
    assert crop_weights(("look", "meaning", "colour", "words")) == {"colour": 0.0}
    assert crop_weights(("colour",)) == crop_weights(("look",)) == {}


def test_a_crop_is_half_way_squared_and_stays_in_the_picture():
    picture = Image.new("RGB", (200, 100))
    assert crop_object(picture, (0.25, 0.3, 0.75, 0.7), 0.0).size == (100, 70)  # 100 x 40, so 100 x 70
    assert crop_object(picture, Box(0.25, 0.3, 0.75, 0.7), 0.1).size == (120, 84)
    assert crop_object(picture, (0, 0, 1, 1), 0.2).size == (200, 100)
    assert crop_object(Image.new("RGB", (1, 1)), (0, 0, 1, 1), 0.0).size == (1, 1)
    tight, loose = (crop_object(picture, (0.4, 0.4, 0.6, 0.6), margin).size for margin in (0.0, 0.2))
    assert loose[0] > tight[0] and loose[1] > tight[1]


def test_matching_parts_stand_out_in_both_heatmaps():
    query, _ = drawn((2, 4, 8, 12, 1), (18, 10, 26, 20, 2))
    hit, _ = drawn((10, 8, 20, 20, 2))
    ours, theirs = matched_regions(query, hit)
    assert ours.cells.shape == theirs.cells.shape == (14, 14) and ours.cells.dtype == np.uint8
    second, first = ours.cells[6:9, 10:12].mean(), ours.cells[2:6, 1:4].mean()
    assert second > 150 and second > 2.5 * first
    assert theirs.cells[5:9, 6:9].mean() > 150 and theirs.cells[:3].mean() < 30
    left, top, right, bottom = theirs.box
    assert left < 0.5 < right and top < 0.5 < bottom


def test_nothing_stands_out_of_nothing():
    flat = FeatureMaps(np.ones((1, 14, 14, 8), np.float32), np.ones((1, 14, 14, 8), np.float32))
    ours, theirs = matched_regions(flat, flat)
    assert ours.box is None and theirs.box is None and not ours.cells.any()


def test_an_overlay_is_a_small_translucent_png():
    maps, _ = drawn((10, 8, 20, 20, 2))
    data = overlay_png(matched_regions(maps, maps)[1], (320, 240))
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "PNG" and picture.size == (320, 240) and len(data) < 10_000
    veil = np.asarray(picture.convert("RGBA"))[..., 3]
    assert veil[130, 160] < 60 < 120 < veil[10, 10]


@pytest.mark.weights
@pytest.mark.timeout(1500)
def test_the_starter_finds_two_drawn_things(shared_models):
    picture = Image.new("RGB", (320, 320), (214, 208, 200))
    picture.paste((170, 30, 40), (40, 110, 110, 210))
    picture.paste((30, 60, 150), (200, 120, 280, 200))
    found = propose_boxes(open_encoder("starter", runtime="onnx"), picture)
    scale = CELLS / 320
    for thing in ((40, 110, 110, 210), (200, 120, 280, 200)):
        assert max(shared(box, tuple(edge * scale for edge in thing)) for box in found) >= 0.4, found
