"""Figures of ranked lists, worked out by hand."""

import math

import numpy as np
import pytest

from search.recommend.evaluation.metrics import BOOTSTRAPS, FIGURES, bootstrap_interval, list_figures, mean_figures


def test_figures_of_a_list():
    found = dict(zip(FIGURES, list_figures(np.array([5, 1, 7, 2]), np.array([1, 2, 9])), strict=True))
    assert found["recall_at_20"] == pytest.approx(2 / 3)
    assert found["map_at_20"] == pytest.approx((1 / 2 + 2 / 4) / 3)
    gain = 1 / math.log2(3) + 1 / math.log2(5)
    assert found["ndcg_at_20"] == pytest.approx(gain / (1 + 1 / math.log2(3) + 1 / 2))
    assert found["precision_at_10"] == pytest.approx(0.2)
    assert found["f1_at_10"] == pytest.approx(2 * 0.2 * (2 / 3) / (0.2 + 2 / 3))


def test_a_list_without_a_hit_and_an_empty_one_have_noughts():
    assert set(list_figures(np.array([5]), np.array([1]))) == {0.0}
    assert set(list_figures(np.array([], np.int32), np.array([1]))) == {0.0}


def test_only_the_first_twenty_and_ten_count():
    found = dict(zip(FIGURES, list_figures(np.arange(40), np.array([9, 10, 19, 20])), strict=True))
    assert found["recall_at_20"] == 3 / 4
    assert found["recall_at_10"] == 1 / 4


def test_an_interval_holds_the_mean_and_narrows_with_visitors():
    few, many = np.tile([0.0, 1.0], 10), np.tile([0.0, 1.0], 1_000)
    (low, high), (low_of_many, high_of_many) = bootstrap_interval(few), bootstrap_interval(many)
    assert low < low_of_many < 0.5 < high_of_many < high
    assert bootstrap_interval(few) == (low, high)


def test_the_mean_of_no_visitor_is_nought():
    assert mean_figures([])["recall_at_20"] == 0.0


def test_an_interval_is_that_of_one_draw_after_the_other(monkeypatch):
    values = np.random.default_rng(3).random(41)
    rng = np.random.default_rng(0)
    means = [values[rng.integers(0, 41, 41)].mean() for _ in range(BOOTSTRAPS)]
    expected = tuple(np.percentile(means, [2.5, 97.5]).tolist())
    assert bootstrap_interval(values) == expected
    monkeypatch.setattr("search.recommend.evaluation.metrics.DRAWN_TOGETHER", 100)
    assert bootstrap_interval(values) == expected
    row = (values[0],) * len(FIGURES)
    assert mean_figures([row, *([(value,) * len(FIGURES) for value in values[1:]])])["f1_at_10_high"] == expected[1]
