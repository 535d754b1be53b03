"""The simulated shoppers: the same for the same seed, by taste and not by vector, and session recommends them well."""

from tests.quality.shoppers import JUDGE, TUNE, Shoppers, halves, recalls, session_figures
from tests.search.random_shop import make_random_shop


def test_shoppers_are_drawn_alike_and_foretold_better_than_by_popularity(tmp_path):
    shop = make_random_shop(tmp_path)
    products = [product for product in shop.by_id.values() if product.in_stock]
    shoppers = Shoppers(products)
    assert shoppers.visits(5, 1) == Shoppers(products).visits(5, 1) != shoppers.visits(5, 2)
    assert not {*TUNE} & {*JUDGE}
    figures = session_figures(shop, products, visits=150, judged=60)
    shop.close()
    assert figures["session_recall_at_20"] > figures["popular_recall_at_20"] > 0
    assert figures == session_figures(shop, products, visits=150, judged=60)


def test_only_new_views_are_foretold():
    assert halves(["a", "b", "a", "c", "b"]) == (["a", "b"], {"c"})
    assert recalls([["a", "b", "a", "c"], ["a", "a"]], lambda known: ["c"] if known == ["a", "b"] else []) == [1.0]
