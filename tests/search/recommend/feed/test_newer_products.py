"""Products that came after the fit: the lift of a visitor's liking over the average visitor's."""

import numpy as np

from search.recommend.feed.newer_products import MAX_NEWER, NewerProducts
from search.recommend.models.cold import SHRINKAGE
from search.recommend.models.content_rows import Interests

# Rows of unit length: products 0 and 1 are bestsellers of one look, 2 is of another, 3 and 4 are new and like 0 and 2.
ROWS = np.array([[1, 0], [1, 0], [0, 1], [1, 0], [0, 1]], np.float32)
POPULARITY = np.array([1.0, 1.0, 0.2, 0.0, 0.0], np.float32)


def rows_of(ordinals):
    return ROWS[ordinals]


def newer(popularity=POPULARITY):
    return NewerProducts.of(np.array([3, 4]), popularity, rows_of)


def liked(products, weights):
    codes = np.array(products, np.int32)
    return Interests(codes, np.array(weights, np.float32)), ROWS[codes]


def test_what_is_like_a_rare_purchase_lifts_more_than_what_is_like_a_bestseller():
    lifts = newer().lifts(*liked([0, 2], [1.0, 1.0]))
    assert lifts[1] > 1 > lifts[0] > 0


def test_a_visitor_of_the_average_taste_has_a_lift_of_one_less_the_shrinkage():
    lifts = newer().lifts(*liked([0, 1, 2], [1.0, 1.0, 0.2]))
    average = np.array([2.0, 0.2]) / 2.2
    assert np.allclose(lifts, average / (average + SHRINKAGE * np.median(average)), atol=0.1)


def test_dismissals_lower_and_nothing_known_is_one():
    assert newer().lifts(*liked([0, 2], [1.0, -3.0]))[1] == 0
    assert newer().lifts(*liked([], [])).tolist() == [1, 1]


def test_a_shop_without_popular_or_without_new_products_has_no_lift():
    assert newer(np.zeros(5, np.float32)).average.tolist() == [1, 1]
    assert len(NewerProducts.of(np.array([], np.int64), POPULARITY, rows_of).ordinals) == 0


def test_only_the_newest_take_part():
    many = NewerProducts.of(np.arange(MAX_NEWER + 5) % 5, POPULARITY, rows_of)
    assert len(many.ordinals) == MAX_NEWER
