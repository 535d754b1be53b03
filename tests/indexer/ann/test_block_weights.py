"""Default weights by what a layout has, and the gate that judges a shop's titles."""

import pytest

from indexer.ann.block_weights import DEFAULT_WEIGHTS, gate_depth, shop_weights, title_weight_from_recall
from indexer.layout import RowLayout
from indexer.types import Block

COLOUR = RowLayout.of_encoder((Block("colour", 4),))
FULL = RowLayout.of_encoder((Block("look", 4), Block("meaning", 4, texts=True), Block("colour", 4)))


def test_a_layout_gets_only_the_weights_of_its_blocks():
    assert shop_weights(FULL) == {name: dict(weights) for name, weights in DEFAULT_WEIGHTS.items()}
    assert shop_weights(COLOUR) == {"picture": {"colour": DEFAULT_WEIGHTS["picture"]["colour"]}, "text": {}}


def test_a_block_nobody_has_tuned_weighs_one():
    layout = RowLayout.of_encoder((Block("clip", 4, texts=True),))
    words = {name: weights["words"] for name, weights in DEFAULT_WEIGHTS.items()}
    assert shop_weights(layout) == {name: {"clip": 1.0, "words": words[name]} for name in ("picture", "text")}


def test_the_gate_scales_the_words_of_picture_queries_only():
    half = shop_weights(FULL, 0.5)
    assert half["picture"]["words"] == DEFAULT_WEIGHTS["picture"]["words"] / 2
    assert half["text"] == DEFAULT_WEIGHTS["text"]
    assert half["picture"]["look"] == DEFAULT_WEIGHTS["picture"]["look"]


@pytest.mark.parametrize(
    ("recall", "count", "gate"),
    [
        (0.005, 2000, 0.0),  # chance
        (0.001, 2000, 0.0),  # worse than chance
        (0.05, 2000, 1.0),  # ten times chance
        (0.0275, 2000, 0.5),  # half-way between
        (0.9, 2000, 1.0),
        (0.1, 100, 0.0),  # chance among few
        (0.55, 100, 1.0),  # half-way to perfect
        (0.0, 19, 1.0),  # too few to judge
    ],
)
def test_the_gate_runs_from_chance_to_ten_times_chance(recall, count, gate):
    assert title_weight_from_recall(recall, count) == pytest.approx(gate)


@pytest.mark.parametrize(("count", "depth"), [(1, 1), (20, 2), (100, 10), (2000, 10)])
def test_small_shops_are_judged_at_a_smaller_depth(count, depth):
    assert gate_depth(count) == depth
