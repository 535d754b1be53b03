"""What matches, and orders: by relevance, by price, by age; ties by id."""

from decimal import Decimal

import numpy as np
import pytest

from catalog.product import Product
from search.query.filters import parse_filter
from search.retrieval.result_set import MAX_MATCHES, browse_order, match_threshold, matching_keys, sort_order
from search.state.column_store import ProductColumns

# key: id, price
FACTS = {1: ("d", 5), 2: ("c", None), 3: ("b", 5), 4: ("a", 9), 5: ("e", None)}
COLUMNS = ProductColumns.of(
    (key, Product(name, "", (), price=price and Decimal(price))) for key, (name, price) in FACTS.items()
)
KEYS = np.array([5, 4, 3, 2, 1])
SCORES = np.array([0.9, 0.5, 0.5, 0.9, 0.5], np.float32)


@pytest.mark.parametrize(
    ("sort", "ids"),
    [("relevance", "ceabd"), ("price", "bdace"), ("-price", "abdce"), ("newest", "eabcd")],
)
def test_orders_of_what_was_found(sort, ids):
    keys = KEYS[sort_order(COLUMNS, KEYS, SCORES, sort)]
    assert "".join(FACTS[key][0] for key in keys.tolist()) == ids


def test_of_equal_prices_the_better_match_comes_first():
    keys = np.array([1, 3])
    assert sort_order(COLUMNS, keys, np.array([0.9, 0.5], np.float32), "price").tolist() == [0, 1]


def test_a_product_that_is_not_known_comes_last():
    keys = np.array([99, 1])
    for sort in ("relevance", "price", "-price", "newest"):
        assert sort_order(COLUMNS, keys, np.array([0.1, 0.1], np.float32), sort).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("sort", "ids"), [("relevance", "eabcd"), ("newest", "eabcd"), ("price", "bdace"), ("-price", "abdce")]
)
def test_browsing_without_a_query(sort, ids):
    assert "".join(FACTS[key][0] for key in browse_order(COLUMNS, COLUMNS.matching(parse_filter({})), sort)) == ids


def test_browsing_within_a_filter_leaves_out_what_is_gone():
    after = COLUMNS.changed({}, [3])
    assert browse_order(after, after.matching(parse_filter({"price": {"max": 9}})), "price").tolist() == [1, 4]


def test_what_matches_lies_within_a_share_of_the_best():
    assert match_threshold(0.8, text_only=True) == pytest.approx(0.6)
    assert match_threshold(0.8, text_only=False) == pytest.approx(0.4)
    assert match_threshold(-0.2, text_only=True) == -0.2
    keys = np.arange(4)
    assert matching_keys(keys, np.array([0.8, 0.6, 0.59, 0.1], np.float32), 0.6).tolist() == [0, 1]
    assert len(matching_keys(np.arange(2000), np.ones(2000, np.float32), 0.5)) == MAX_MATCHES
