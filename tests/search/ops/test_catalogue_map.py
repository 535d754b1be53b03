"""The map of a catalogue: neighbours stay neighbours, better than on two principal axes; the same map every time."""

import numpy as np
import pytest

from search.ops.catalogue_map import (
    FAILED,
    MAKING,
    MOST_POINTS,
    SIDE,
    Mapper,
    draw_map,
    principal,
    read_map,
    sampled,
    spread,
)
from tests.search.shop_fixtures import SCARVES, Item, make_shop

CLUSTERS, EACH, DIM = 16, 25, 24


@pytest.fixture(scope="module")
def clouds():
    """Rows in clouds of their own, too many for two axes to tell apart, and the cloud of each."""
    random = np.random.default_rng(3)
    centres = random.normal(size=(CLUSTERS, DIM))
    kinds = np.repeat(np.arange(CLUSTERS), EACH)
    return (centres[kinds] + 0.5 * random.normal(size=(len(kinds), DIM))).astype(np.float32), kinds


def alike(places, kinds, near=10):
    """The share of each point's nearest that are of its kind."""
    gaps = ((places[:, None].astype(float) - places[None]) ** 2).sum(axis=2)
    np.fill_diagonal(gaps, np.inf)
    return float(np.mean(kinds[np.argsort(gaps, axis=1)[:, :near]] == kinds[:, None]))


def test_what_is_alike_lies_together_better_than_on_two_axes(clouds):
    rows, kinds = clouds
    drawn, axes = alike(spread(rows), kinds), alike(principal(rows, 2), kinds)
    assert drawn >= 0.95 and axes <= 0.8


def test_the_same_rows_make_the_same_map_and_it_fills_its_square(clouds):
    rows, _ = clouds
    places = spread(rows)
    assert np.array_equal(places, spread(rows)) and places.shape == (len(rows), 2)
    assert places.min() == 0 and places.max() == SIDE


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 40])
@pytest.mark.parametrize("equal", [False, True])
def test_few_rows_and_equal_rows_have_places_too(count, equal):
    rows = np.random.default_rng(0).normal(size=(count, 6)).astype(np.float32)
    places = spread(np.ones_like(rows) if equal else rows)
    assert places.shape == (count, 2) and ((places >= 0) & (places <= SIDE)).all()


def test_a_row_of_one_number_is_laid_out_as_well():
    assert spread(np.arange(30, dtype=np.float32)[:, None]).shape == (30, 2)


def test_a_sample_is_of_products_each_by_its_first_picture_as_pictures_are_compared(tmp_path):
    with make_shop(tmp_path) as engine:
        generation = engine.generation
        keys, vectors = sampled(generation)
        assert len(set(keys)) == len(SCARVES) and vectors.shape == (len(SCARVES), generation.layout.dim)
        assert not vectors[:, generation.layout.slice("words")].any()
        fewer, _ = sampled(generation, seed=1, most=2)
        assert len(fewer) == 2 and set(fewer) <= set(keys) and MOST_POINTS > 2


def test_a_map_is_kept_read_again_and_removed_with_its_generation(tmp_path):
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
def test_a_file_that_is_no_map_is_none(tmp_path, text):
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "000001.json").write_text(text)
    assert read_map(tmp_path, 1) is None


def test_a_map_whose_drawing_cannot_begin_is_told_for_its_generation_alone(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError("out of descriptors")

    monkeypatch.setattr("search.ops.catalogue_map.subprocess.Popen", refuse)
    mapper = Mapper(tmp_path)
    assert mapper.get(1) == (MAKING, None)
    mapper.close()
    assert mapper.get(1) == (FAILED, None)
    assert mapper.get(2) == (MAKING, None)
    mapper.close()
