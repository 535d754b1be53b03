"""Models of neighbours on four products, checked by hand."""

import numpy as np
import pytest

from search.recommend.models.base import Context
from search.recommend.models.item_neighbours import SIMILARITY, ItemNeighbours
from search.recommend.models.together import BasketCompletion, Together
from search.recommend.models.user_neighbours import SessionNeighbours, UserNeighbours
from tests.search.recommend.purchases import DAY_S, make_events, make_table

TABLE, NOW = make_table(4), 100 * DAY_S
# Visitors 0 and 1 buy p0 and p1 together, 2 and 3 buy p0 and p2; p3 is bought alone.
LOG = [(0, 0, 1), (0, 1, 1), (1, 0, 2), (1, 1, 2), (2, 0, 3), (2, 2, 3), (3, 0, 4), (3, 2, 4), (4, 3, 5)]


def history(*products):
    return make_events([(0, product, day) for day, product in enumerate(products)], visitors=1).history(0)


def cart(*products):
    return Context(NOW, np.array(products, np.int32))


def scores(model, visitor=(), basket=()):
    fitted = model.fit(make_events(LOG), TABLE, NOW)
    return fitted.scores(history(*visitor), cart(*basket)).tolist()


def test_item_neighbours_add_the_similarities_to_each_product_of_the_history():
    pair = 2 / (8**0.5 + SIMILARITY.shrinkage)
    assert scores(ItemNeighbours, [0]) == pytest.approx([0, pair, pair, 0])
    assert scores(ItemNeighbours, [1, 2]) == pytest.approx([2 * pair, 0, 0, 0])


def test_user_neighbours_add_the_cosines_of_the_visitors_who_chose_a_product():
    half = 1 / 2**0.5
    assert scores(UserNeighbours, [1]) == pytest.approx([2 * half, 2 * half, 0, 0])
    assert scores(UserNeighbours, [0, 1]) == pytest.approx([2 + 1, 2, 1, 0])


def test_session_neighbours_ask_the_baskets_that_are_like_the_cart_and_leave_the_cart_out():
    half = 1 / 2**0.5
    assert scores(SessionNeighbours, basket=[1]) == pytest.approx([2 * half, 0, 0, 0])
    assert scores(SessionNeighbours, [3], basket=[1]) == pytest.approx([2 * half, 0, 0, 0])


def test_together_asks_the_cart_and_else_the_newest_products():
    pair = 2 / (8**0.5 + 5)
    assert scores(Together, [3], basket=[0]) == pytest.approx([0, pair, pair, 0])
    assert scores(Together, [1, 2]) == pytest.approx([2 * pair, 0, 0, 0])
    assert scores(Together, basket=[0, 1]) == pytest.approx([0, 0, pair, 0])
    assert scores(Together, basket=[1, 1]) == pytest.approx([pair, 0, 0, 0])


def test_together_names_the_product_of_the_cart_that_counts_most():
    rows = [*LOG, (5, 1, 6), (5, 2, 6), (6, 1, 7), (6, 2, 7), (7, 1, 8), (7, 2, 8)]
    model = Together.fit(make_events(rows), TABLE, NOW)
    assert model.strongest(np.array([0, 1, 3], np.int32), 2) == 1
    assert model.strongest(np.array([0, 3], np.int32), 2) == 0
    assert model.strongest(np.array([3], np.int32), 2) is None
    assert model.strongest(np.array([], np.int32), 2) is None
    assert model.neighbours(2).products.tolist() == [1, 0]


def test_products_that_nobody_bought_together_have_those_looked_at_together():
    views = [(v, p, 50, "view") for v in (0, 1) for p in (0, 3)]
    model = Together.fit(make_events([*LOG, *views]), TABLE, NOW)
    assert model.neighbours(3).products.tolist() == [0]
    assert model.neighbours(0).products.tolist() == [1, 2], "purchases say more than looks"
    assert model.bought.tolist() == [True, True, True, False]


def test_a_basket_is_completed_from_the_own_history_and_the_cart():
    """p3 is bought twice as often as p2: the root of the share 1 and of 1/2; of p0 and p2, p1's cart knows p0 alone."""
    own = make_events([(0, 3, 100), (0, 3, 100), (0, 2, 100), (0, 1, 100)]).history(0)
    fitted = BasketCompletion.fit(make_events(LOG), TABLE, NOW)
    found = fitted.scores(own, Context(NOW + 1, np.array([1], np.int32)))
    assert found.tolist() == pytest.approx([1, 0, 0.5**0.5, 1], abs=1e-3)


def test_rows_of_visitors_cannot_be_stored():
    for model in (UserNeighbours, SessionNeighbours):
        fitted = model.fit(make_events(LOG), TABLE, NOW)
        with pytest.raises(NotImplementedError, match="never stored"):
            fitted.arrays()
