"""Products that hardly anybody bought: scored by their look-alikes, against what everybody likes."""

import numpy as np
import pytest

from search.recommend.models.base import Context
from search.recommend.models.cold import MIN_BUYERS, LookAlikes
from search.recommend.models.text_rows import text_rows
from tests.search.recommend.purchases import DAY_S, make_events, make_table

NOW = 100 * DAY_S
# Products 0 and 1 are alike, 2 and 3 are, 4 and 5 are; the odd ones are new.
ROWS = np.repeat(np.eye(4, dtype=np.float32)[:3], 2, axis=0)
# Everybody buys product 0; visitors 0 to 2 buy 2 as well, 3 to 5 buy 4.
LOG = [(v, 0, day) for v in range(6) for day in (10, 20, 30)] + [(v, 2 if v < 3 else 4, 50) for v in range(6)]


@pytest.fixture
def model():
    return LookAlikes.fit_rows(make_events(LOG), ROWS, NOW)


def test_products_with_few_buyers_are_cold(model):
    assert MIN_BUYERS == 3
    assert np.flatnonzero(model.cold).tolist() == [1, 3, 5]


def test_what_only_this_visitor_likes_comes_before_what_everybody_likes(model):
    history = make_events(LOG).history(0)
    found = model.recommend(history, Context(NOW), 5)
    assert found.products.tolist() == [3, 1]
    assert model.scores(history, Context(NOW))[5] == 0.0


def test_only_allowed_products_are_recommended(model):
    allowed = np.array([True, True, True, False, True, True])
    found = model.recommend(make_events(LOG).history(0), Context(NOW), 5, allowed)
    assert found.products.tolist() == [1]


def test_only_candidates_are_ever_shown():
    model = LookAlikes.fit_rows(make_events(LOG), ROWS, NOW, np.arange(6) == 1)
    assert np.flatnonzero(model.cold).tolist() == [1]


def test_what_is_like_a_dismissed_product_is_not_shown(model):
    history = make_events([*LOG, (0, 2, 99, "dismiss"), (0, 2, 98, "dismiss")]).history(0)
    assert model.recommend(history, Context(NOW), 5).products.tolist() == [1]


def test_a_visitor_without_a_history_has_no_scores(model):
    assert not model.scores(make_events([], visitors=1).history(0), Context(NOW)).any()


def test_a_log_without_events_has_no_scores():
    model = LookAlikes.fit_rows(make_events([], visitors=1), ROWS, NOW)
    assert not model.cold.any()


def test_a_product_without_a_row_is_never_shown():
    rows = ROWS.copy()
    rows[3] = 0.0
    model = LookAlikes.fit_rows(make_events(LOG), rows, NOW)
    assert np.flatnonzero(model.cold).tolist() == [1, 5]


def test_the_arrays_make_the_model_again(model):
    history = make_events(LOG).history(0)
    again = LookAlikes.from_arrays(model.arrays())
    assert np.allclose(again.scores(history, Context(NOW)), model.scores(history, Context(NOW)), rtol=1e-2)


def test_fitting_on_a_table_takes_the_rows_of_its_words():
    table, events = make_table(6, kinds=3), make_events(LOG)
    history = events.history(0)
    fitted = LookAlikes.fit(events, table, NOW)
    given = LookAlikes.fit_rows(events, text_rows(table), NOW)
    assert np.array_equal(fitted.scores(history, Context(NOW)), given.scores(history, Context(NOW)))
