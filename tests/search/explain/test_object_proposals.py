"""Where things are in a picture, by maps whose answer is seen by eye and by the starter's own."""

import io

import numpy as np
import pytest
from PIL import Image

from catalog.sample import SAMPLE_FOLDER
from indexer.detection.head import Detections
from indexer.encoders.registry import open_encoder
from indexer.types import FeatureMaps
from search.explain.heatmap import matched_regions, overlay_png
from search.explain.object_proposals import MAX_BOXES, Box, crop_object, proposals_of, propose_objects
from search.query.builder import crop_weights
from tests.fake_encoder import FakeEncoder
from tests.quality.sample_shop import read_scenes

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


def detections(*objects):
    """What the head says of objects given as (left, top, right, bottom, centre) in cells."""
    centres, sides = np.zeros((CELLS, CELLS), np.float32), np.ones((CELLS, CELLS, 4), np.float32)
    for left, top, right, bottom, centre in objects:
        row, column = (top + bottom) // 2, (left + right) // 2
        centres[row, column] = centre
        sides[row, column] = np.array((column - left, row - top, right - column, bottom - row)) + np.array(
            (0.5, 0.5, -0.5, -0.5)
        )
    return Detections(centres, sides)


def in_cells(box):
    return tuple(round(edge * CELLS) for edge in box.sides)


def shared(box, thing):
    """Intersection over union."""
    left, top, right, bottom = (edge * CELLS for edge in box.sides)
    wide = min(right, thing[2]) - max(left, thing[0])
    high = min(bottom, thing[3]) - max(top, thing[1])
    both = max(wide, 0) * max(high, 0)
    return both / ((right - left) * (bottom - top) + (thing[2] - thing[0]) * (thing[3] - thing[1]) - both)


def test_each_centre_gives_a_box_best_first():
    found = proposals_of(detections((2, 4, 8, 12, 0.7), (18, 10, 26, 20, 0.9), (10, 2, 14, 6, 0.2)))
    assert [in_cells(box) for box in found.boxes] == [(18, 10, 26, 20), (2, 4, 8, 12), (10, 2, 14, 6)]
    assert [box.score for box in found.boxes] == pytest.approx([0.9, 0.7, 0.2])


def test_a_part_of_an_object_gets_no_box():
    parts = [(6, 6, 10, 10, 0.8), (10, 6, 24, 20, 0.7)]
    found = proposals_of(detections((4, 4, 20, 20, 0.9), *parts, (20, 20, 26, 26, 0.6)))
    assert [in_cells(box) for box in found.boxes] == [(4, 4, 20, 20), (20, 20, 26, 26)]


def test_a_picture_is_of_several_objects_only_when_the_second_is_clear():
    first, third = (2, 2, 8, 8, 0.9), (18, 18, 26, 26, 0.2)
    assert not proposals_of(detections()).several
    assert not proposals_of(detections(first)).several
    assert not proposals_of(detections(first, third)).several
    several = proposals_of(detections(first, (10, 10, 16, 16, 0.6), third))
    assert several.several and len(several.boxes) == 3


def test_there_are_never_more_boxes_than_allowed():
    many = [(4 * i, 4 * j, 4 * i + 3, 4 * j + 3, 0.5) for i in range(7) for j in range(7)]
    assert len(proposals_of(detections(*many)).boxes) == MAX_BOXES


def test_a_box_ends_at_the_pictures_edge():
    found = detections((0, 0, 4, 4, 0.9))
    found.sides[:] = 50
    assert [in_cells(box) for box in proposals_of(found).boxes] == [(0, 0, CELLS, CELLS)]


def test_an_encoder_without_maps_proposes_nothing():
    assert propose_objects(FakeEncoder(), Image.new("RGB", (20, 20))).boxes == ()
    assert propose_objects(open_encoder("colour"), Image.new("RGB", (20, 20))).boxes == ()


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
def test_the_products_of_a_scene_get_a_box_each_and_one_product_none(shared_models):
    encoder = open_encoder("starter", runtime="onnx")
    scene = next(scene for scene in read_scenes(SAMPLE_FOLDER / "scenes.csv") if scene.photo.stem == "s37")
    found = propose_objects(encoder, Image.open(scene.photo).convert("RGB"))
    assert found.several and len(found.boxes) == len(scene.products)
    for _, truth in scene.products:
        assert max(shared(box, tuple(side * CELLS for side in truth)) for box in found.boxes) >= 0.5
    for picture in ("images/table-lamp-1a-1.jpg", "images/mug-1a-2.jpg"):
        assert not propose_objects(encoder, Image.open(SAMPLE_FOLDER / picture).convert("RGB")).several
