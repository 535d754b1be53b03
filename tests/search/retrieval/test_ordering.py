"""What matches, and orders: by relevance, by price, by age; ties by id."""

from decimal import Decimal

import pytest

from catalog.product import Product
from search.query.builder import build_query
from search.query.filters import parse_filter
from search.retrieval.result_set import browse_order, match_threshold
from search.state.column_store import ProductColumns
from tests.search.shop_fixtures import BLUE, RED, Item, make_shop

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


def test_words_count_for_all_products_beside_an_example_that_is_not_wanted(tmp_path):
    items = [Item("scarf", "red scarf", (RED,), "Scarves"), Item("disliked", "plain scarf", (BLUE,), "Scarves")]
    items += [Item(f"hat{n}", f"red hat {n}", ((60, 255, 60),), "Hats") for n in range(3)]
    items += [Item(f"bag{n}", f"green bag {n}", ((20 * n, 200, 60),), "Bags") for n in range(8)]
    with make_shop(tmp_path / "shop", items) as engine:
        query = build_query(text="red scarf", product_id="disliked", weights={"product_id": -0.5}, k=4)
        assert [hit.product.id for hit in engine.search(query).hits] == ["scarf", "hat0", "hat1", "hat2"]
