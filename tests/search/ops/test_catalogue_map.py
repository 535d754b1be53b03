"""The map of a catalogue: neighbours stay neighbours, better than on two principal axes; the same map every time."""

import subprocess
import sys

import numpy as np
import pytest

from search.ops.catalogue_map import FAILED, MAKING, MAP_SIZE, CatalogueMapper, read_map
from search.ops.map_drawing import MAX_POINTS, draw_map, layout_points, principal_components, sample_products
from tests.search.shop_fixtures import SCARVES, Item, make_shop

CLUSTERS, EACH, DIM = 16, 25, 24


@pytest.fixture(scope="module")
def clouds():
    """Rows in clusters, too many for two axes to separate, and the cluster of each row."""
    random = np.random.default_rng(3)
    centres = random.normal(size=(CLUSTERS, DIM))
    kinds = np.repeat(np.arange(CLUSTERS), EACH)
    return (centres[kinds] + 0.5 * random.normal(size=(len(kinds), DIM))).astype(np.float32), kinds


def neighbour_agreement(places, kinds, near=10):
    """The share of each point's nearest that belong to its cluster."""
    gaps = ((places[:, None].astype(float) - places[None]) ** 2).sum(axis=2)
    np.fill_diagonal(gaps, np.inf)
    return float(np.mean(kinds[np.argsort(gaps, axis=1)[:, :near]] == kinds[:, None]))


def test_similar_rows_lie_together_better_than_on_two_principal_axes(clouds):
    rows, kinds = clouds
    assert neighbour_agreement(layout_points(rows), kinds) >= 0.95
    assert neighbour_agreement(principal_components(rows, 2), kinds) <= 0.8


def test_the_same_rows_make_the_same_map_and_it_fills_its_square(clouds):
    rows, _ = clouds
    places = layout_points(rows)
    assert np.array_equal(places, layout_points(rows)) and places.shape == (len(rows), 2)
    assert places.min() == 0 and places.max() == MAP_SIZE


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 40])
@pytest.mark.parametrize("equal", [False, True])
def test_few_rows_and_equal_rows_get_coordinates(count, equal):
    rows = np.random.default_rng(0).normal(size=(count, 6)).astype(np.float32)
    places = layout_points(np.ones_like(rows) if equal else rows)
    assert places.shape == (count, 2) and ((places >= 0) & (places <= MAP_SIZE)).all()


def test_rows_of_one_dimension_get_coordinates():
    assert layout_points(np.arange(30, dtype=np.float32)[:, None]).shape == (30, 2)


def test_a_sample_holds_the_first_picture_of_each_product_weighted_as_for_photos(tmp_path):
    with make_shop(tmp_path) as engine:
        generation = engine.generation
        keys, vectors = sample_products(generation)
        assert len(set(keys)) == len(SCARVES) and vectors.shape == (len(SCARVES), generation.layout.dim)
        assert not vectors[:, generation.layout.slice("words")].any()
        fewer, _ = sample_products(generation, seed=1, limit=2)
        assert len(fewer) == 2 and set(fewer) <= set(keys) and MAX_POINTS > 2


def test_a_map_is_stored_and_removed_with_its_generation(tmp_path):
    colours = [(20 * i, 255 - 20 * i, 128) for i in range(12)]
    make_shop(tmp_path, [Item(f"p{i}", colours=(colour,)) for i, colour in enumerate(colours)]).close()
    assert read_map(tmp_path, 1) is None
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "000007.json").write_text("{}")
    made = draw_map(tmp_path, 1)
    assert read_map(tmp_path, 1) == made == draw_map(tmp_path, 1)
    assert {point.id for point in made.points} == {f"p{i}" for i in range(12)} and made.products == 12
    assert not (tmp_path / "maps" / "000007.json").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2}', '{"format": 1, "generation": 1, "points": [{}]}'])
def test_a_file_that_is_no_map_reads_as_none(tmp_path, text):
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "000001.json").write_text(text)
    assert read_map(tmp_path, 1) is None


def test_a_map_whose_drawing_cannot_start_fails_for_its_generation_only(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError("out of descriptors")

    monkeypatch.setattr("search.ops.catalogue_map.subprocess.Popen", refuse)
    mapper = CatalogueMapper(tmp_path)
    assert mapper.get(1) == (MAKING, None)
    mapper.close()
    assert mapper.get(1) == (FAILED, None)
    assert mapper.get(2) == (MAKING, None)
    mapper.close()


def test_reading_maps_imports_no_numpy():
    script = "import sys, search.ops.catalogue_map; print('numpy' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"
