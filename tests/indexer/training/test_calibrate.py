"""The verdict's curve: fitted by hand-checkable logistic regression, and on a small sample shop."""

import numpy as np
import pytest

from indexer.encoders.colour_encoder import ColourEncoder
from indexer.encoders.registry import ENCODERS
from indexer.training import calibrate as module
from indexer.training.calibrate import calibrate, logistic
from tests.indexer.training.datasets import COLOURS, sample_shop, write_table


def test_the_curve_crosses_one_half_where_the_classes_meet():
    x = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9], np.float32)
    y = np.array([0, 0, 0, 1, 0, 1, 1, 1.0])
    slope, offset = logistic(x, y)
    assert slope > 0
    assert -offset / slope == pytest.approx(0.5, abs=0.02)


def test_the_curve_says_what_share_is_sold():
    x = np.repeat(np.float32([0.2, 0.8]), 10)
    y = np.array([1, *[0] * 9, *[1] * 9, 0], float)  # one in ten, nine in ten
    slope, offset = logistic(x, y)
    assert 1 / (1 + np.exp(-(0.2 * slope + offset))) == pytest.approx(0.1, abs=0.02)
    assert 1 / (1 + np.exp(-(0.8 * slope + offset))) == pytest.approx(0.9, abs=0.02)


def test_photos_of_what_is_sold_are_told_from_those_of_what_is_not(tmp_path, monkeypatch):
    """Every colour is a category of its own: without it, the nearest other colour is all that is left."""
    shop = sample_shop(tmp_path / "sample")
    feed = [("id", "title", "category", "images")]
    feed += [(c, f"{c} mug", f"Mugs > {c}", f"images/{c}-1.png|images/{c}-2.png") for c in COLOURS]
    write_table(shop / "products.csv", *feed)
    monkeypatch.setattr(module, "BLOCK", "colour")
    curve = calibrate(ColourEncoder(ENCODERS["colour"]), shop)
    assert curve.block == "colour" and curve.slope > 0
    assert curve.has(1.0) > 0.5 > curve.has(0.0)
