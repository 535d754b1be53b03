"""Every reason that a visitor reads is true: each is recomputed from the events."""

import pytest

from search.recommend.feed.feed_page import (
    ASSORTMENT,
    BOUGHT_BEFORE,
    BOUGHT_WITH,
    DUE_AGAIN,
    HOME,
    LIKE,
    LIKE_VIEWED,
    MAX_FEED,
    POPULAR,
    POPULAR_IN_CATEGORY,
    TRENDING_NOW,
    VIEWED_WITH,
)
from tests.search.recommend.feed.feed_shop import feed, groceries, name, open_feed_shop, record
from tests.search.recommend.feed.true_reasons import TrueReasons


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with open_feed_shop(tmp_path_factory.mktemp("reasons")) as engine:
        for visitor in range(6):  # looked at together, lately more and more
            record(engine, f"l{visitor}", ("view", name(4, 2)), ("view", name(7, 3)), days_ago=1.5)
        record(engine, "v-weekly", ("purchase", "k0-2"), ("purchase", name(5, 4)), days_ago=23)
        record(engine, "v-weekly", ("purchase", "k0-2"), days_ago=16)
        record(engine, "v-weekly", ("purchase", "k0-2"), ("view", name(4, 2)), days_ago=9)
        record(engine, "v-often", ("purchase", "k0-2"), ("purchase", "k1-2"), days_ago=30)
        record(engine, "v-often", ("purchase", "k0-2"), days_ago=10)
        record(engine, "v-looks", ("view", name(9, 3)), ("cart", name(12, 4)), ("view", name(9, 5)))
        groceries(engine)
        yield engine


@pytest.mark.parametrize("visitor", ["v-weekly", "v-often", "v-looks", "v-unseen"])
def test_every_reason_is_true(engine, visitor):
    true = TrueReasons(engine)
    shelves = list(feed(engine, visitor, surface=HOME, k=30).shelves)
    shelves += [feed(engine, visitor, k=MAX_FEED), feed(engine, visitor, surface="bought_together", cart=("k0-2",))]
    items = [item for shelf in shelves for item in shelf.items]
    assert items and [item.reason for item in items if not true.holds(item, visitor)] == []


def test_each_reason_is_given_where_it_should_be(engine):
    def reason(visitor, shown, **wanted):
        found = {item.product.id: item.reason for item in feed(engine, visitor, k=MAX_FEED, **wanted).items}
        return found[shown]

    due = reason("v-weekly", "k0-2")
    assert (due.code, due.facts) == (DUE_AGAIN, {"times": 3, "days_ago": 9, "every_days": 7})
    again = reason("v-often", "k0-2", surface="buy_again")
    assert (again.code, again.facts["times"], again.facts["days_ago"]) == (BOUGHT_BEFORE, 2, 10)
    together = reason("", "k1-2", surface="bought_together", product="k0-2")
    assert (together.code, together.product.id) == (BOUGHT_WITH, "k0-2")
    assert reason("v-weekly", name(7, 3)).code == VIEWED_WITH
    assert not feed(engine, surface="bought_together", product=name(4, 2)).items, "viewed together is not bought"
    assert reason("v-looks", name(9, 4)).code == LIKE_VIEWED
    assert reason("v-looks", name(12, 3)).code == LIKE and reason("", name(12, 3), cart=(name(12, 4),)).code == LIKE
    record(engine, "v-alone", ("purchase", name(13, 4)))  # one visitor makes nothing popular
    engine.recommender.refresh()
    assert reason("", name(13, 4)).code == ASSORTMENT
    stranger = {"surface": "because_you_looked", "product": name(9, 3)}
    assert reason("", name(9, 4), **stranger).code == LIKE and not feed(engine, **stranger).viewed
    assert reason("", name(9, 4), **stranger, viewed=(name(9, 3),)).code == LIKE_VIEWED
    assert feed(engine, "v-looks", **stranger).viewed and not feed(engine, "v-unseen", **stranger).viewed
    assert {reason("", "k0-2").code, reason("", "k2-2").code} <= {POPULAR, POPULAR_IN_CATEGORY}
    trend = reason("", name(7, 3), surface="trending")
    assert trend.code == TRENDING_NOW and trend.facts == {"visitors": 6, "before": 0, "days": 7}
