"""What one visitor, or a few, did is shown to nobody else: pairs of products, and numbers of a trend."""

import pytest

from catalog.product import Product
from search.recommend.events.event_log import PURCHASE, VIEW, StoredEvent
from search.recommend.events.event_statistics import compute_statistics
from search.recommend.events.purchase_statistics import Trend

NOW, DAY = 1_800_000_000, 86_400


def statistics(*sessions, kind=PURCHASE):
    """Statistics of sessions, each a visitor, the age in days and the products."""
    events = [
        StoredEvent(NOW - days * DAY + place, kind, product, visitor.encode())
        for visitor, days, products in sessions
        for place, product in enumerate(products)
    ]
    return compute_statistics(events, lambda ids: {sku: Product(sku, sku, (), category=sku) for sku in ids}, NOW)


@pytest.mark.promise("P4")
def test_a_pair_of_one_visitor_is_no_pair_however_often():
    alone = statistics(*[("anna", days, "ab") for days in range(1, 9)])
    assert alone.together == {} == alone.purchases.together
    two = statistics(("anna", 1, "ab"), ("bert", 2, "ab"), ("anna", 3, "cd"), ("anna", 4, "cd"))
    assert set(two.together) == set(two.purchases.together) == {"a", "b"}


@pytest.mark.promise("P4")
def test_a_trend_of_few_visitors_is_none():
    def trend(visitors):
        now = [(f"v{number}", 1, "a") for number in range(visitors)]
        return statistics(*now, ("old", 20, "b"), ("before", 10, "a"), kind=VIEW).purchases.trends

    assert "a" not in trend(4) and trend(5)["a"].visitors == 5


def test_a_number_of_few_visitors_is_not_among_the_facts():
    assert Trend(9, 3, 7).facts == {"visitors": 9, "days": 7}
    assert Trend(9, 0, 2).facts == {"visitors": 9, "before": 0, "days": 2}
    assert Trend(9, 6, 7).facts == {"visitors": 9, "before": 6, "days": 7}
