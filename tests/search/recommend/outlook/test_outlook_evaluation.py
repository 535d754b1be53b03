"""Figures of probabilities, by hand and on a drawn log."""

import numpy as np
import pytest

from catalog.errors import BadInput
from search.recommend.outlook.evaluation import evaluate_outlook
from search.recommend.outlook.purchase_days import medians, purchase_days, rhythm
from search.trees.grouped_predictions import GroupedPredictions
from tests.search.recommend.outlook.drawn_outlook import draw
from tests.search.recommend.purchases import DAY_S, make_events


def made(probabilities, labels, visitors=None):
    visitors = np.zeros(len(labels), np.int64) if visitors is None else np.array(visitors)
    return GroupedPredictions(
        np.array(probabilities, np.float32), np.array(labels, bool), visitors, int(visitors.max()) + 1
    )


def test_auroc_and_log_loss_by_hand():
    figures = made([0.5, 0.5, 0.8, 0.2], [1, 0, 1, 0]).figures()
    assert figures["auroc"] == pytest.approx(3.5 / 4)  # of four comparisons, one is a tie
    assert figures["log_loss"] == pytest.approx(-(2 * np.log(0.5) + 2 * np.log(0.8)) / 4)


def test_a_calibration_error_is_the_mean_gap_of_bins():
    labels = np.arange(400) % 4 == 0
    assert made(np.full(400, 0.25), labels).figures()["ece"] == pytest.approx(0, abs=1e-6)
    assert made(np.full(400, 0.35), labels).figures()["ece"] == pytest.approx(0.1, abs=1e-6)


def test_the_weight_of_a_visitor_is_the_number_of_its_copies():
    one = made([0.5, 0.5, 0.9, 0.2, 0.3], [1, 0, 1, 0, 1], [0, 0, 0, 1, 1])
    twice = made([0.5, 0.5, 0.9, 0.2, 0.3, 0.2, 0.3], [1, 0, 1, 0, 1, 0, 1], [0, 0, 0, 1, 1, 1, 1])
    weighted = one.figures(np.array([1.0, 2.0]))
    assert weighted["auroc"] == pytest.approx(twice.figures()["auroc"])
    assert weighted["log_loss"] == pytest.approx(twice.figures()["log_loss"])


def test_a_rhythm_by_hand():
    events = make_events([(0, 3, 1), (0, 3, 8), (0, 3, 8.2), (0, 3, 18), (1, 3, 5), (1, 2, 6)])
    known = purchase_days(events, events.products, 8, 20 * DAY_S)
    assert known.keys.tolist() == [3, 8 + 2, 8 + 3]
    times = rhythm(known)
    assert times.counts.tolist() == [3, 1, 1]  # two orders of a day are one purchase day
    assert times.last.tolist() == [1, 13, 14]  # whole days
    assert (times.gap_mean[0], times.gap_median[0]) == (8.5, 7)
    assert times.gap_variation[0] == pytest.approx(1.5 / 8.5)
    assert times.gap_mean[1:].tolist() == [-1, -1]
    assert times.recent[0, :2].tolist() == [2, 3]


def test_medians_of_groups():
    values = np.array([5, 1, 3, 9, 7])
    assert medians(np.array([0, 0, 0, 2, 2]), values, 3).tolist() == [3, -1, 7]


def test_figures_of_a_log():
    pytest.importorskip("sklearn")
    table, events, _ = draw(seed=3)
    figures = evaluate_outlook(events, table).to_dict()
    for part in (figures, figures["product"]):
        low, high = part["intervals"]["auroc"]
        assert low < part["auroc"] < high
        assert part["auroc"] > 0.7
        assert part["ece"] < 0.1
        assert part["log_loss"] < np.log(2)
        assert set(part["table"]) == set(part["logistic"]) == {"auroc", "log_loss", "ece"}
        assert part["log_loss_by_table"] == pytest.approx(part["log_loss"] / part["table"]["log_loss"])
        assert part["pairs"] > part["bought"] > 0
    assert figures["product"]["reminders"]["bought"] > 0.5
    assert figures["days"] == 14


def test_a_horizon_longer_than_the_holdout_is_an_error():
    table, events, _ = draw(weeks=4)
    with pytest.raises(BadInput, match="do not fit"):
        evaluate_outlook(events, table, holdout_weeks=1)
