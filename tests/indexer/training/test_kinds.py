"""Drawings that show no product, and the head that is fitted on them."""

import numpy as np
import pytest

from indexer.encoders.registry import open_encoder
from indexer.generations.known_kinds import known_kinds
from indexer.training.kinds.drawings import KINDS, draw
from indexer.training.kinds.fit_kinds import linear_head
from tests.quality.photo_verdicts.drawn_pictures import PAINTERS, drawn_pictures


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_drawing_is_a_picture_that_its_seed_repeats(kind):
    first, second = (draw(kind, np.random.default_rng(5)) for _ in range(2))
    assert first.mode == "RGB" and min(first.size) >= 200
    assert np.array_equal(np.asarray(first), np.asarray(second))
    assert not np.array_equal(np.asarray(first), np.asarray(draw(kind, np.random.default_rng(6)).resize(first.size)))


def test_the_head_separates_what_can_be_separated():
    rng = np.random.default_rng(0)
    products, drawings = rng.normal(-1, 0.5, (200, 3)), rng.normal(1, 0.5, (20, 3))
    head = linear_head(products.astype(np.float32), drawings.astype(np.float32))
    assert ((products @ head[:-1] + head[-1]) < 0).mean() > 0.97
    assert ((drawings @ head[:-1] + head[-1]) > 0).all()


@pytest.fixture(scope="module")
def starter():
    return open_encoder("starter")


@pytest.mark.weights
@pytest.mark.parametrize("kind", list(PAINTERS))
def test_drawings_of_other_code_show_no_product(kind, starter):
    """Drawn by the tests: neither these pictures nor their code were seen when the head was fitted."""
    rows = starter.encode_images(drawn_pictures(kind, 8))
    kinds = known_kinds()
    seen = [kinds.resemblance(row, np.zeros(len(kinds.names), np.float32), []) for row in rows]
    assert np.mean([photo.no_product > 0 for photo in seen]) >= 0.75
