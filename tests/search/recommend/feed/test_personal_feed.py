"""What users of recommenders complain of does not happen: each complaint is a test."""

import time

import numpy as np
import pytest

from catalog.errors import BadQuery, UnknownProduct
from search.live.product_edit import ProductEdit
from search.merchandising.rule_store import RuleStore
from search.merchandising.rules import BOOST, BURY, EVERY, HIDE, Rule
from search.query.filters import parse_filter
from search.recommend.feed import feed_page
from search.recommend.feed.feed_context import FeedContext
from search.recommend.feed.feed_page import MAX_FEED, SURFACES, FeedRequest
from search.recommend.feed.relevance import neighbours
from search.recommend.feed.shop_arrays import ordinals_of
from search.recommend.feed.visitor_histories import MAX_LOOKS
from tests.search.recommend.feed.feed_shop import feed, groceries, ids, name, open_feed_shop, record


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with open_feed_shop(tmp_path_factory.mktemp("feed")) as engine:
        groceries(engine)
        yield engine


def everything(engine, visitor="", **wanted):
    return set(ids(feed(engine, visitor, k=MAX_FEED, **wanted)))


def test_a_durable_that_was_bought_is_not_recommended_and_a_grocery_is(engine):
    record(engine, "v-durable", ("purchase", "k2-2"), ("purchase", "k0-2"), days_ago=6)
    assert "k2-2" not in everything(engine, "v-durable") | everything(engine, "v-durable", surface="buy_again")
    assert ids(feed(engine, "v-durable", surface="buy_again")) == ["k0-2"]
    assert "k0-2" in everything(engine, "v-durable")


def test_a_visitor_who_looks_around_a_lot_still_owns_what_was_bought_and_wants_no_more_of_what_was_dismissed(engine):
    record(engine, "v-busy", ("purchase", "k2-2"), ("dismiss", name(9, 3)), days_ago=6)
    record(engine, "v-busy", *[("view", name(number % 8, 3)) for number in range(MAX_LOOKS)], days_ago=3)
    assert not {"k2-2", name(9, 3)} & everything(engine, "v-busy")
    assert [event.kind for event in engine.recommender.events.history("v-busy", 9, ("dismiss", "cart"))] == ["dismiss"]


def test_what_was_bought_a_moment_ago_is_not_recommended(engine):
    record(engine, "v-now", ("purchase", "k0-2"), days_ago=6)
    assert "k0-2" in everything(engine, "v-now")
    record(engine, "v-now", ("purchase", "k0-2"))
    assert "k0-2" not in everything(engine, "v-now") | everything(engine, "v-now", surface="buy_again")


@pytest.mark.parametrize(("days", "again"), [((1.5,), False), ((5,), True), ((450,), False), ((60, 31, 3), False)])
def test_what_is_bought_again_was_bought_neither_yesterday_nor_years_ago(engine, days, again):
    visitor = f"v-again-{days[0]}"
    for ago in days:
        record(engine, visitor, ("purchase", "k0-2"), days_ago=ago)
    assert ("k0-2" in everything(engine, visitor, surface="buy_again")) == again


def test_a_variant_is_not_recommended_because_of_itself(engine):
    for visitor in range(6):
        record(engine, f"variant-{visitor}", ("purchase", name(6, 1)), ("purchase", name(6, 0)), days_ago=30)
    engine.recommender.refresh()
    shown = feed(engine, surface="bought_together", product=name(6, 1))
    assert name(6, 0) not in ids(shown)
    feeds = engine.recommender._feed
    context = feeds._context("variant-0", FeedRequest(), int(time.time()))
    variant, itself = (ordinals_of(context.arrays.columns, [name(6, place)]) for place in (0, 1))
    assert neighbours(context, itself, np.ones(1))[variant].tolist() == [0.0]
    reasons = [item.reason.product for item in feed(engine, "variant-0", k=60).items if item.product.id == name(6, 0)]
    assert all(product is None or product.id != name(6, 1) for product in reasons)


def test_what_is_in_the_cart_is_not_recommended(engine):
    record(engine, "v-cart", ("cart", name(5, 3)))
    shown = everything(engine, "v-cart", cart=(name(6, 1),))
    assert not {name(5, 3), name(6, 1), name(6, 0)} & shown  # the cart of events, that of the request, its variant


def test_what_was_dismissed_is_not_recommended(engine):
    assert name(9, 3) in everything(engine, "v-dismiss")
    record(engine, "v-dismiss", ("view", name(9, 3)), ("dismiss", name(9, 3)))
    assert name(9, 3) not in everything(engine, "v-dismiss")
    assert feed(engine, "v-dismiss", surface="because_you_looked").items == ()


def test_because_you_looked_is_about_the_last_product_with_a_picture_that_was_viewed(engine, monkeypatch):
    def rows(context, ordinals, with_all=FeedContext.rows):
        pictured = context.arrays.columns.ids[ordinals] != name(10, 3)
        return with_all(context, ordinals) * pictured[:, None].astype(np.float32)

    monkeypatch.setattr(FeedContext, "rows", rows)
    record(engine, "v-last", ("view", name(9, 3)), ("view", name(10, 3)), ("cart", name(4, 3)))
    shelf = feed(engine, "v-last", surface="because_you_looked")
    assert shelf.because.id == name(9, 3) and shelf.items


def test_what_is_out_of_stock_is_not_recommended(engine):
    assert name(7, 4) in everything(engine)
    engine.put(ProductEdit(name(7, 4), {"in_stock": False}))
    assert name(7, 4) not in everything(engine)
    engine.put(ProductEdit(name(7, 4), {"in_stock": True}))


def test_variants_of_a_product_count_once(engine):
    shown = everything(engine)
    for kind in range(16):
        assert len({name(kind, 0), name(kind, 1)} & shown) == 1


def test_the_filter_holds_inside_the_ranking(engine):
    narrow = feed(engine, filter=parse_filter({"category": "Shop > Kind 9"}))
    assert {item.product.category for item in narrow.items} == {"Shop > Kind 9"} and len(narrow.items) == 5


def test_the_owners_rules_hold_inside_the_ranking(engine):
    rules = RuleStore(engine.home)
    usual = ids(feed(engine))
    hidden, boosted, buried = usual[0], "Shop > Kind 11", "Shop > Kind 12"
    saved = rules.save(
        [
            Rule(HIDE, target=f"id={hidden}", match=EVERY),
            Rule(BOOST, target=f"category={boosted}", match=EVERY, number=10.0),
            Rule(BURY, target=f"category={buried}", match=EVERY, number=0.1),
        ],
        "test",
    )
    assert saved
    ruled = feed(engine, viewed=(name(11, 2), name(12, 2)))
    assert hidden not in ids(ruled) and ruled.items[0].product.category == boosted
    assert buried not in {item.product.category for item in ruled.items[:5]}
    rules.remove([rule.id for rule in rules.all()], "test")
    assert ids(feed(engine)) == usual


def test_two_visitors_share_less_than_60_percent_of_their_lists(engine):
    record(engine, "v-left", *[("view", name(kind, 2)) for kind in (0, 1, 2, 3)])
    record(engine, "v-right", *[("view", name(kind, 2)) for kind in (12, 13, 14, 15)])
    left, right = (set(ids(feed(engine, visitor))) for visitor in ("v-left", "v-right"))
    assert len(left) == len(right) == 20 and len(left & right) < 0.6 * 20


def test_page_2_repeats_nothing_of_page_1(engine):
    record(engine, "v-pages", ("view", name(3, 3)))
    pages = [ids(feed(engine, "v-pages", offset=offset)) for offset in (0, 20, 40)]
    shown = [product for page in pages for product in page]
    assert len(shown) == 60 == len(set(shown))
    assert pages[0] + pages[1] == ids(feed(engine, "v-pages", k=40))


def test_the_last_page_that_can_be_requested_says_that_no_more_follows(engine, monkeypatch):
    monkeypatch.setattr(feed_page, "MAX_FEED", 40)
    assert [feed(engine, offset=offset).more for offset in (0, 20)] == [True, False]
    with pytest.raises(BadQuery):
        FeedRequest(offset=40)


def test_a_list_of_20_has_many_categories(engine):
    record(engine, "v-many", *[("view", name(4, number)) for number in (2, 3)])
    categories = [item.product.category for item in feed(engine, "v-many").items]
    assert len(set(categories)) >= 12 and max(map(categories.count, categories)) <= 3


def test_repeats_have_no_more_than_their_share(engine):
    groceries_of = [("purchase", f"k{kind}-2") for kind in range(10)]
    for week in (1, 2, 3):
        record(engine, "v-repeats", *groceries_of, days_ago=7 * week)
    bought = {product for _, product in groceries_of}
    for share in (0.0, 0.25, 0.5):
        shown = ids(feed(engine, "v-repeats", repeat_share=share))
        assert len(shown) == 20 and len(bought & set(shown)) == share * 20


def test_a_new_visitor_gets_what_is_popular_where_he_or_she_looks(engine):
    assert feed(engine, "v-unseen").items[0].reason.code == "popular"
    looked = feed(engine, viewed=(name(1, 3),))
    assert {"k1-2"} <= set(ids(looked)[:3])
    assert feed(engine, viewed=("gone",)).items and not engine.recommender.feed("v-0", FeedRequest()).personalised


def test_an_event_counts_at_once(engine):
    before = feed(engine, "v-live")
    record(engine, "v-live", ("view", name(8, 5)))
    after = feed(engine, "v-live")
    assert ids(before) != ids(after) and "Shop > Kind 8" in {item.product.category for item in after.items[:2]}
    assert engine.recommender.feed("v-live", FeedRequest()).personalised
    engine.recommender.events.forget("v-live")
    assert ids(feed(engine, "v-live")) == ids(before)


def test_the_front_page_shows_no_product_twice(engine):
    record(engine, "v-home", ("view", name(3, 3)), ("view", name(9, 4)), ("purchase", "k0-2"), days_ago=3)
    page = feed(engine, "v-home", surface="home", k=8)
    shown = [product for shelf in page.shelves for product in ids(shelf)]
    assert len(shown) == len(set(shown)) > 16
    assert page.shelves[1].items[0].product.id == "k0-2"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"surface": "front"}, f"Use one of {', '.join(SURFACES)}"),
        ({"k": 0}, "outside 0 to 200"),
        ({"offset": 190, "k": 20}, "outside 0 to 200"),
        ({"repeat_share": 1.5}, "share of repeats"),
        ({"surface": "home", "offset": 20}, "one page"),
        ({"surface": "bought_together"}, "needs product or cart"),
    ],
)
def test_an_unknown_setting_is_an_error_that_says_what_to_do(wanted, message):
    with pytest.raises(BadQuery, match=message):
        FeedRequest(**wanted)


def test_an_unknown_product_is_an_error(engine):
    with pytest.raises(UnknownProduct, match="gone"):
        feed(engine, surface="bought_together", product="gone")
    with pytest.raises(TypeError):
        FeedRequest(colour="red")
