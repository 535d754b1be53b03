"""What can stand in for a product and what goes with it, over whole shops drawn by chance and small ones by hand."""

from decimal import Decimal

import numpy as np
import pytest

from catalog.errors import BadQuery, UnknownProduct
from catalog.product import Product
from indexer.numeric import unit
from search.recommend.content.compatibility_rules import PairRules, facts, same_category
from search.recommend.content.complements import goes_with
from search.recommend.content.substitutes import MIN_SUBSTITUTES, substitutes
from search.recommend.events.event_statistics import BasketPairs, EventStatistics
from tests.search.random_shop import make_random_shop, publish_products
from tests.search.shop_fixtures import save_picture

RULES = PairRules.load()
SHIRT, TROUSERS, TIE = "Apparel > Shirts", "Apparel > Trousers", "Apparel > Ties"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    shop = make_random_shop(tmp_path_factory.mktemp("random"), count=120)
    yield shop
    shop.close()


@pytest.fixture
def small(tmp_path):
    """Opens a shop of (id, category, price, attributes, vector) rows, the vector as the first block's three numbers."""
    opened = []

    def make(*items):
        picture = save_picture(tmp_path / "feed", (255, 0, 0))
        products = [
            Product(
                name,
                name,
                (picture,),
                category,
                price and Decimal(price),
                (price and "EUR") or "",
                True,
                "",
                attributes,
            )
            for name, category, price, attributes, _ in items
        ]
        opened.append(publish_products(tmp_path, products, np.tile(unit(np.array([row for *_, row in items])), 3)))
        return opened[0]

    yield make
    for shop in opened:
        shop.close()


def names(recommended):
    return [recommendation.product.id for recommendation in recommended]


@pytest.mark.parametrize(
    "trends", [EventStatistics(), EventStatistics(pairs={SHIRT: BasketPairs(9, {})})], ids=["rules", "baskets"]
)
def test_what_goes_with_a_product_is_never_of_its_category(shop, trends):
    given = 0
    for product in shop.by_id.values():
        found = goes_with(shop, RULES, trends, product.id, 10)
        given += len(found)
        assert len(set(names(found))) == len(found) <= 10
        for hit in found:
            assert not same_category(product.category, hit.product.category), (product, hit.product)
            assert hit.product.in_stock
            assert not conflict(product, hit.product)
    assert given > len(shop.by_id)  # it is not empty for most


def test_baskets_never_bring_the_same_category(shop):
    everything = dict.fromkeys(shop.categories(), 1.0)
    trends = EventStatistics(pairs={category: BasketPairs(1_000, everything) for category in everything})
    for product in shop.by_id.values():
        for hit in goes_with(shop, RULES, trends, product.id, 10):
            assert not same_category(product.category, hit.product.category)


def test_substitutes_are_in_stock_and_near_before_they_are_far(shop):
    for product in shop.by_id.values():
        found = substitutes(shop, RULES, product.id, 10)
        assert product.id not in names(found) and len(set(names(found))) == len(found)
        for hit in found:
            assert hit.product.in_stock and not conflict(product, hit.product)
            if hit.reason == "same category, near in price":
                assert hit.product.price is not None
                assert product.price / 2 <= hit.product.price <= product.price * 3 / 2
        reasons = [hit.reason for hit in found]
        assert reasons == sorted(reasons, key=reasons.index)  # each circle in hit piece
        for reason in set(reasons):
            scores = [hit.score for hit in found if hit.reason == reason]
            assert scores == sorted(scores, reverse=True)


def test_the_circle_is_widened_only_while_too_few_are_found(small):
    near = [(f"near{i}", SHIRT, "10", {}, (1, i / 9, 0)) for i in range(MIN_SUBSTITUTES)]
    shop = small(("query", SHIRT, "10", {}, (1, 0, 0)), ("dear", SHIRT, "100", {}, (1, 0, 0)), *near)
    assert "dear" not in names(substitutes(shop, RULES, "query", 10))


def test_a_far_price_comes_last_and_no_price_is_not_near(small):
    shop = small(
        ("query", SHIRT, "10", {}, (1, 0, 0)),
        ("dear", SHIRT, "100", {}, (1, 0, 0)),
        ("unpriced", SHIRT, None, {}, (1, 0.1, 0)),
        ("near", SHIRT, "12", {}, (0, 1, 0)),
        ("sibling", "Apparel > Polos", "10", {}, (1, 0, 0)),
    )
    found = substitutes(shop, RULES, "query", 10)
    assert names(found) == ["near", "sibling", "dear", "unpriced"]
    assert found[0].reason == "same category, near in price"
    assert names(substitutes(shop, RULES, "unpriced", 2)) == ["query", "dear"]


def test_colours_that_clash_come_later(small):
    shop = small(
        ("query", SHIRT, None, {"colour": "red"}, (1, 0, 0)),
        ("yellow", TROUSERS, None, {"colour": "yellow"}, (1, 0, 0)),
        ("navy", TROUSERS, None, {"colour": "navy blue"}, (0.99, 0.1, 0)),
    )
    assert names(goes_with(shop, RULES, EventStatistics(), "query")) == [
        "navy"
    ]  # the other is its twin but for the colour


def test_kinds_take_turns(small):
    trousers = [(f"trousers{i}", TROUSERS, None, {}, (1, i, 0)) for i in range(4)]
    shop = small(("query", SHIRT, None, {"gender": "Men"}, (1, 0, 0)), *trousers, ("tie", TIE, None, {}, (0, 0, 1)))
    assert names(goes_with(shop, RULES, EventStatistics(), "query", 3))[:2] == ["trousers0", "tie"]


def test_without_a_rule_the_most_alike_categories_are_taken(small):
    shop = small(
        ("query", "Garden > Spades", None, {}, (1, 0, 0)),
        ("rake", "Garden > Rakes", None, {}, (1, 0.1, 0)),
        ("spade", "Garden > Spades", None, {}, (1, 0, 0.1)),
        ("hose", "Garden > Hoses", None, {}, (0.5, 1, 0)),
    )
    assert names(goes_with(shop, RULES, EventStatistics(), "query")) == ["rake", "hose"]


def test_baskets_outvote_rules_when_there_are_many(small):
    shop = small(
        ("query", SHIRT, None, {"gender": "Men"}, (1, 0, 0)),
        ("trousers", TROUSERS, None, {}, (1, 0, 0)),
        ("tie", TIE, None, {}, (1, 0.1, 0)),
        ("spade", "Garden > Spades", None, {}, (0, 1, 0)),
    )
    few, many = (EventStatistics(pairs={SHIRT: BasketPairs(n, {"Garden > Spades": 0.9})}) for n in (2, 500))
    assert names(goes_with(shop, RULES, few, "query"))[0] == "trousers"
    assert names(goes_with(shop, RULES, many, "query"))[0] == "spade"


def test_a_shop_s_own_rules_go_first_and_never_means_never(small, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "goes_with.csv").write_text("category,goes_with,weight\nShirts,Spades,1\nShirts,Trousers,0\n")
    rules = PairRules.load(tmp_path / "own")
    shop = small(
        ("query", SHIRT, None, {}, (1, 0, 0)),
        ("trousers", TROUSERS, None, {}, (1, 0, 0)),
        ("spade", "Garden > Spades", None, {}, (0, 1, 0)),
    )
    bought = EventStatistics(pairs={SHIRT: BasketPairs(500, {TROUSERS: 1.0})})
    assert names(goes_with(shop, rules, bought, "query")) == ["spade"]


def test_unknown_products_and_counts_are_refused(shop):
    for ask in (
        lambda key, k: substitutes(shop, RULES, key, k),
        lambda key, k: goes_with(shop, RULES, EventStatistics(), key, k),
    ):
        with pytest.raises(UnknownProduct):
            ask("nothing", 10)
        for k in (0, -1, 201):
            with pytest.raises(BadQuery):
                ask("p000", k)


def conflict(product, other):
    """Whether two products are for different people or opposite seasons, written down once more by hand."""
    a, b = map(facts, (product, other))
    adults, children = {"men", "women", "unisex"}, {"boys", "girls", "kids"}
    genders = {a.get("gender", "").lower(), b.get("gender", "").lower()}
    seasons = {a.get("season", ""), b.get("season", "")}
    return genders == {"men", "women"} or bool(genders & adults and genders & children) or len(seasons - {""}) == 2
