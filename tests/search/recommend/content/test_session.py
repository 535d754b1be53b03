"""Session recommendations, in shops whose answers can be checked by eye."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import BadQuery
from catalog.product import Product
from indexer.numeric import unit
from search.recommend.content.session import HALF_LIFE, decay, marginal, popular, session
from search.recommend.events.event_statistics import EventStatistics
from tests.search.random_shop import make_random_shop, publish_products
from tests.search.shop_fixtures import save_picture

ROWS = {
    "red": (1, 0, 0),
    "scarlet": (1, 0.1, 0),
    "orange": (1, -0.3, 0),
    "green": (0, 1, 0),
    "mint": (0, 1, 0.1),
    "blue": (0, 0, 1),
    "sold": (1, 0, 0),
}


@pytest.fixture
def shop(tmp_path):
    picture = save_picture(tmp_path / "feed", (255, 0, 0))
    products = [Product(name, name, (picture,), "Things", in_stock=name != "sold") for name in ROWS]
    shop = publish_products(tmp_path, products, np.tile(unit(np.array([*ROWS.values()], float)), 3))
    yield shop
    shop.close()


def names(recommended):
    return [recommendation.product.id for recommendation in recommended]


def test_the_last_view_weighs_most(shop):
    assert names(session(shop, EventStatistics(), ["red", "green"], 1)) == ["mint"]
    assert names(session(shop, EventStatistics(), ["green", "red"], 1)) == ["scarlet"]


def test_viewed_and_sold_out_products_are_left_out(shop):
    found = names(session(shop, EventStatistics(), ["red", "green", "red"], 20))
    assert set(found) == {"scarlet", "orange", "mint", "blue"}


def test_unknown_ids_are_passed_over(shop):
    assert session(shop, EventStatistics(), ["red", "gone"], 3) == session(shop, EventStatistics(), ["red"], 3)
    assert session(shop, EventStatistics(), ["gone"], 3) == session(shop, EventStatistics(), [], 3) == ()


def test_unknown_views_give_popular_products(shop):
    statistics = EventStatistics(popular={"sold": 1.0, "gone": 0.9, "blue": 0.8, "red": 0.1})
    assert names(session(shop, statistics, [], 5)) == names(popular(shop, statistics, 5)) == ["blue", "red"]
    assert names(session(shop, statistics, ["gone"], 1)) == ["blue"]
    assert names(popular(shop, statistics, 5, ["blue"])) == ["red"]


def test_products_viewed_together_come_first(shop):
    statistics = EventStatistics(popular={"red": 1.0}, together={"red": {"blue": 0.9, "sold": 0.9, "gone": 0.9}})
    found = session(shop, statistics, ["red"], 2)
    assert names(found)[0] == "blue" and "together" in found[0].reason


def test_later_places_are_for_other_things(shop):
    similar = names(session(shop, EventStatistics(), ["red", "blue", "red"], 2))
    assert similar[0] == "scarlet"
    rows = unit(np.array([[1, 0], [1, 0.01], [0.6, 0.8]], float)).astype(np.float32)
    assert marginal(np.array([1.0, 0.99, 0.7]), rows, 3, 0.5) == [0, 2, 1]
    assert marginal(np.array([1.0, 0.99, 0.7]), rows, 2, 1.0) == [0, 1]


def test_weights_halve_and_add_up():
    weights = decay(7)
    assert weights.sum() == pytest.approx(1.0)
    assert weights[0] / weights[int(HALF_LIFE)] == pytest.approx(2.0)


@pytest.mark.parametrize("k", [0, 201])
def test_k_is_bounded(shop, k):
    with pytest.raises(BadQuery):
        session(shop, EventStatistics(), ["red"], k)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=12), st.integers(1, 15), st.floats(0, 1))
def test_marginal_picks_each_place_once(relevance, k, share):
    rows = unit(np.random.default_rng(0).normal(size=(len(relevance), 4))).astype(np.float32)
    picked = marginal(np.array(relevance), rows, k, share)
    assert len(picked) == len(set(picked)) == min(k, len(relevance))


def test_every_product_of_a_random_shop_can_be_viewed(tmp_path):
    shop = make_random_shop(tmp_path, count=60)
    for product_id in shop.by_id:
        found = session(shop, EventStatistics(popular={"p001": 1.0, "p002": 0.5}), [product_id, "p003"], 10)
        assert len(found) == 10 and not {product_id, "p003"} & {*names(found)}
        assert all(recommendation.product.in_stock for recommendation in found)
    shop.close()
