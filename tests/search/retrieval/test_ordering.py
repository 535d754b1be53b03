"""What matches, and orders: by relevance, by price, by age; ties by id."""

from decimal import Decimal

import pytest

from catalog.product import Product
from search.query.filters import parse_filter
from search.retrieval.result_set import browse_order, match_threshold
from search.state.column_store import ProductColumns

# key: id, price
FACTS = {1: ("d", 5), 2: ("c", None), 3: ("b", 5), 4: ("a", 9), 5: ("e", None)}
COLUMNS = ProductColumns.of(
    (key, Product(name, "", (), price=price and Decimal(price))) for key, (name, price) in FACTS.items()
)


@pytest.mark.parametrize(
    ("sort", "ids"), [("relevance", "eabcd"), ("newest", "eabcd"), ("price", "bdace"), ("-price", "abdce")]
)
def test_browsing_without_a_query(sort, ids):
    assert "".join(FACTS[key][0] for key in browse_order(COLUMNS, COLUMNS.matching(parse_filter({})), sort)) == ids


def test_browsing_within_a_filter_leaves_out_what_is_gone():
    after = COLUMNS.changed({}, [3])
    assert browse_order(after, after.matching(parse_filter({"price": {"max": 9}})), "price").tolist() == [1, 4]


def test_what_matches_lies_within_a_share_of_the_best():
    assert match_threshold(0.8, strict=True) == pytest.approx(0.6)
    assert match_threshold(0.8, strict=False) == pytest.approx(0.4)
    assert match_threshold(-0.2, strict=True) == -0.2
