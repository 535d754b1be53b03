"""Recommending by rows: nearness to a taste, dismissals, and rows made of words."""

import numpy as np
import pytest

from search.recommend.models.base import Context
from search.recommend.models.content_rows import ContentRows, interests, joined_rows
from search.recommend.models.text_rows import TEXT_DIM, text_rows
from tests.search.recommend.purchases import DAY_S, draw_log, make_events, make_table

# Two kinds of things, three products of each: a, a', a'', b, b', b''; the last row is of a product without a picture.
ROWS = np.array(
    [[1, 0, 0.1], [0.9, 0.1, 0.1], [0.8, 0.2, 0.1], [0, 1, 0.1], [0.1, 0.9, 0.1], [0.2, 0.8, 0.1], [0, 0, 0]]
)
ROWS = (ROWS / np.maximum(np.linalg.norm(ROWS, axis=1, keepdims=True), 1e-9)).astype(np.float32)
NOW = Context(100 * DAY_S)


def scores(*rows):
    return ContentRows(ROWS).scores(make_events(rows, visitors=1).history(0), NOW)


def test_what_is_like_what_was_bought_comes_first():
    found = ContentRows(ROWS).recommend(make_events([(0, 0, 99)]).history(0), NOW, 9)
    assert found.products.tolist() == [0, 1, 2]


@pytest.mark.parametrize(("weaker", "stronger"), [("view", "cart"), ("cart", "purchase")])
def test_a_purchase_says_more_than_a_cart_and_a_cart_more_than_a_view(weaker, stronger):
    found = scores((0, 0, 99, weaker), (0, 3, 99, stronger))
    assert found[4] > found[1]


def test_what_was_done_lately_says_more():
    found = scores((0, 0, 99), (0, 3, 1))
    assert found[1] > found[4]


def test_what_is_like_a_dismissed_product_goes_down():
    before = scores((0, 0, 99), (0, 3, 99))
    after = scores((0, 0, 99), (0, 3, 99), (0, 4, 99, "dismiss"), (0, 5, 99, "dismiss"))
    assert after[4] < before[4] and after[1] > before[1]


def test_who_only_dismissed_is_shown_nothing_of_that_kind():
    found = scores((0, 0, 99, "dismiss"))
    assert found[:3].max() == 0.0 and found[3:6].min() > 0.0


def test_nobody_known_and_no_row_give_zeros():
    assert scores().tolist() == [0.0] * 7
    assert scores((0, 6, 99)).tolist() == [0.0] * 7
    assert scores((0, 0, 99))[6] == 0.0


def test_interests_are_the_heaviest_of_a_history():
    history = make_events([(0, 0, 99, "view"), (0, 1, 99), (0, 2, 99, "dismiss"), (0, 1, 98)]).history(0)
    found = interests(history, NOW.now, limit=2)
    assert found.products.tolist() == [1, 2]
    assert found.weights[0] > 0 > found.weights[1]


def test_the_arrays_make_the_model_again():
    model, history = ContentRows(ROWS), make_events([(0, 0, 99)]).history(0)
    again = ContentRows.from_arrays(model.arrays())
    assert np.allclose(again.scores(history, NOW), model.scores(history, NOW), atol=1e-3)


def test_words_make_rows_of_unit_length_that_are_near_within_a_category():
    table = make_table(12, kinds=3)
    rows = text_rows(table).astype(np.float32)
    assert rows.shape == (12, TEXT_DIM)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-3)
    similarity = rows @ rows.T
    same = table.categories[:, -1][:, None] == table.categories[:, -1]
    assert similarity[same].mean() > similarity[~same].mean() + 0.3


def test_words_alone_find_the_kinds_that_a_visitor_buys():
    table, events = draw_log(visitors=20)
    model = ContentRows.fit(events, table, events.end)
    history = events.history(0)
    bought = np.bincount(table.categories[history.products, -1])
    shown = table.categories[model.recommend(history, Context(events.end), 10).products, -1]
    assert set(shown.tolist()) <= set(np.argsort(-bought)[:2].tolist())


def test_joined_rows_add_the_similarities_of_their_parts_by_shares():
    words = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], np.float32)  # without their mean: (1, -1) or (-1, 1)
    pictures = np.array([[1, 0, 5], [1, 0, 5], [0, 1, 5], [0, 0, 0]], np.float32)
    rows = joined_rows([pictures, words], [0.75, 0.25]).astype(np.float32)
    assert rows[0] @ rows[1] == pytest.approx(0.75 - 0.25, abs=1e-3)
    assert rows[1] @ rows[2] == pytest.approx(-0.75 - 0.25, abs=1e-3)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-3)
