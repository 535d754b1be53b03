"""Titles count for photos as far as a product's other pictures show that they help."""

import numpy as np
import pytest

from indexer.ann.block_weights import shop_weights
from indexer.ann.title_weight import title_weight_from_views
from indexer.layout import RowLayout
from indexer.numeric import unit
from indexer.types import Block

LAYOUT = RowLayout.of_encoder((Block("look", 16), Block("meaning", 16, texts=True)))
WEIGHTS = shop_weights(LAYOUT)


def shop(titles, products=60, blur=0.9):
    """Two pictures a product, alike but for `blur`; titles that tell the products apart, or mislead, or say nothing."""
    rng = np.random.default_rng(1)
    things = np.repeat(rng.standard_normal((products, 16)), 2, axis=0)
    look, meaning = (unit(things + blur * rng.standard_normal(things.shape)) for _ in range(2))
    titled = {"right": things, "wrong": np.roll(things, 2, axis=0), "none": np.ones_like(things)}[titles]
    rows = np.concatenate([look, meaning, unit(titled)], axis=1).astype(np.float16)
    return rows, np.repeat(np.arange(products), 2)


@pytest.mark.parametrize(("titles", "least", "most"), [("right", 0.5, 1.0), ("wrong", 0.0, 0.0), ("none", 0.0, 0.0)])
def test_titles_count_as_far_as_they_help(titles, least, most):
    assert least <= title_weight_from_views(LAYOUT, *shop(titles), WEIGHTS) <= most


def test_where_pictures_suffice_titles_need_not_count():
    assert title_weight_from_views(LAYOUT, *shop("right", blur=0.05), WEIGHTS) == 0.0


def test_products_with_one_picture_cannot_judge():
    rows, _ = shop("wrong")
    assert title_weight_from_views(LAYOUT, rows, np.arange(len(rows)), WEIGHTS) == 1.0
    few, keys = shop("wrong", products=19)
    assert title_weight_from_views(LAYOUT, few, keys, WEIGHTS) == 1.0


def test_an_encoder_without_words_has_nothing_to_share():
    layout = RowLayout.of_encoder((Block("look", 48),))
    rows, keys = shop("wrong")
    assert title_weight_from_views(layout, rows, keys, shop_weights(layout)) == 1.0
