"""EASE: what is bought with what."""

import numpy as np
import pytest

from search.recommend.models import ease
from search.recommend.models.base import Context
from search.recommend.models.ease import Ease, newest_products
from tests.search.recommend.purchases import DAY_S, make_events, make_table

NOW = 50 * DAY_S
# Products 0 and 1 are bought by the same people, 2 and 3 by others; 4 has too few buyers.
ROWS = [(v, p, v) for v in range(6) for p in (0, 1)] + [(v, p, v) for v in range(6, 12) for p in (2, 3)] + [(0, 4, 1)]


@pytest.fixture(autouse=True)
def light_regularisation(monkeypatch):
    monkeypatch.setattr(ease, "REGULARISATION", 1.0)


def test_what_is_bought_together_belongs_together():
    model = Ease.fit(make_events(ROWS), make_table(5), NOW)
    scores = model.scores(make_events([(0, 0, 40)]).history(0), Context(NOW))
    assert scores[1] > 0
    assert scores[1] > max(scores[2], scores[3])
    assert scores[4] == 0
    assert model.contributions(np.array([0, 2]), 1).argmax() == 0
    assert model.contributions(np.array([0, 2]), 4).tolist() == [0, 0]


def test_weights_are_the_closed_form():
    events = make_events(ROWS)
    bought = np.zeros((12, 4))
    for visitor, product, _ in ROWS[:-1]:
        bought[visitor, product] = 1
    inverse = np.linalg.inv(bought.T @ bought + np.eye(4))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(Ease.fit(events, make_table(5), NOW).weights, expected, atol=1e-6)


def test_visitors_in_several_chunks_give_the_same_weights(monkeypatch):
    whole = Ease.fit(make_events(ROWS), make_table(5), NOW).weights
    monkeypatch.setattr(ease, "VISITORS_AT_ONCE", 5)
    np.testing.assert_allclose(Ease.fit(make_events(ROWS), make_table(5), NOW).weights, whole, atol=1e-6)


def test_the_cart_counts_as_bought():
    model = Ease.fit(make_events(ROWS), make_table(5), NOW)
    assert model.scores(make_events([], visitors=1).history(0), Context(NOW, np.array([2], np.int32))).argmax() == 3


def test_a_history_counts_with_its_newest_products():
    events = make_events([(0, 0, 1), (0, 1, 2), (0, 0, 3), (0, 2, 4), (1, 1, 5)])
    visitors, products = newest_products(events, 3, limit=2)
    assert list(zip(visitors.tolist(), products.tolist(), strict=True)) == [(0, 2), (0, 0), (1, 1)]


def test_a_log_without_products_of_several_buyers_has_no_scores():
    model = Ease.fit(make_events([(0, 0, 1)]), make_table(2), NOW)
    assert model.scores(make_events([(0, 0, 1)]).history(0), Context(NOW)).tolist() == [0, 0]
