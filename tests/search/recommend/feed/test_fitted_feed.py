"""The feed of a shop with fitted models: they rank what they know, and newer products enter by what they look like."""

import time
from types import SimpleNamespace

import numpy as np
import pytest

from search.live.product_edit import ProductEdit
from search.recommend.events.event_log import Event
from search.recommend.feed.feed_page import BOUGHT_WITH, MAX_FEED, NEW_ARRIVAL, FeedRequest
from search.recommend.learning.fitted_models import FittedModels
from search.recommend.models.base import Context
from search.recommend.ranking.blend import Blend, Shares
from search.recommend.ranking.two_stage import TwoStage
from tests.search.recommend.feed.feed_shop import feed, ids
from tests.search.recommend.feed.true_reasons import TrueReasons
from tests.search.recommend.purchases import DAY_S, draw_log
from tests.search.shop_fixtures import Item, make_shop
from tests.web.shop_fixtures import picture_bytes

KINDS, PRODUCTS, VISITORS, WEEKS = 6, 48, 40, 10


def colour(i):
    return (40 * (i % KINDS), 4 * i, 255 - 40 * (i % KINDS))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The engine, the model, and the log in the codes of its table; the log ends now."""
    table, log = draw_log(visitors=VISITORS, products=PRODUCTS, kinds=KINDS, weeks=WEEKS)
    listed = [Item(f"p{i}", f"thing {i}", (colour(i),), f"Shop > Kind {i % KINDS}") for i in range(PRODUCTS)]
    model = TwoStage.fit(log, table, log.end)
    with make_shop(tmp_path_factory.mktemp("fitted"), listed) as engine:
        models = FittedModels(table, {"two_stage": model}, SimpleNamespace(version=7))
        engine.recommender._models = SimpleNamespace(models=models, degraded=())
        shift = int(time.time()) - log.end - DAY_S
        for day in range(WEEKS * 7):
            rows = np.flatnonzero(log.times // DAY_S == day)
            events = [Event("purchase", f"p{log.products[row]}", f"v{log.visitors[row]}") for row in rows]
            engine.recommender.events.add(events, day * DAY_S + shift)
        engine.recommender.refresh()
        yield engine, model, log


def test_the_model_ranks_what_it_knows(shop):
    engine, model, log = shop
    page = engine.recommender.feed("v3", FeedRequest(repeat_share=1.0, relevance_share=1.0))
    history = log.history(3)
    best = model.recommend(history, Context(log.end + DAY_S), 12).products
    shown = ids(page.shelves[0])
    assert page.model == 7 and page.personalised
    assert len({f"p{product}" for product in best} & set(shown)) >= 8
    plain = engine.recommender.feed("v3", FeedRequest(use_model=False))
    assert plain.model is None and ids(plain.shelves[0]) != shown


def test_the_blend_ranks_where_there_are_no_trees(shop, monkeypatch):
    engine, model, log = shop
    recommender = engine.recommender
    blend, table = Blend(model.first, Shares()), recommender._models.models.table
    models = FittedModels(table, {"blend": blend}, SimpleNamespace(version=8))
    monkeypatch.setattr(recommender, "_models", SimpleNamespace(models=models, degraded=()))
    page = recommender.feed("v3", FeedRequest(repeat_share=1.0, relevance_share=1.0))
    assert page.model == 8 and page.personalised
    best = blend.recommend(log.history(3), Context(log.end + DAY_S), 12).products
    assert len({f"p{product}" for product in best} & set(ids(page.shelves[0]))) >= 8
    assert models.together is model.first.together


def test_visitors_with_different_histories_differ_and_strangers_get_what_is_popular(shop):
    engine, model, log = shop
    bought = [set(log.history(visitor).products.tolist()) for visitor in range(8)]
    lists = [set(ids(feed(engine, f"v{visitor}", k=10))) for visitor in range(8)]
    pairs = [
        (a, b) for a in range(8) for b in range(a) if len(bought[a] & bought[b]) < 0.15 * len(bought[a] | bought[b])
    ]
    assert len(pairs) >= 3 and all(len(lists[a] & lists[b]) < 0.6 * 10 for a, b in pairs)
    best = f"p{int(model.popularity.argmax())}"
    assert best in ids(feed(engine, "v-unseen"))[:3]


def test_every_reason_is_true(shop):
    engine, _, _ = shop
    true = TrueReasons(engine)
    items = [(f"v{v}", item) for v in range(3) for item in feed(engine, f"v{v}", k=MAX_FEED).items]
    cart = feed(engine, "v0", surface="bought_together", cart=("p0", "p1"))
    assert cart.items and {item.reason.code for item in cart.items} == {BOUGHT_WITH}
    items += [("v0", item) for item in cart.items]
    assert [(visitor, item.reason) for visitor, item in items if not true.holds(item, visitor)] == []


def test_a_newer_product_enters_by_its_look_and_a_removed_one_leaves(shop):
    engine, _, _ = shop
    usual = feed(engine, "v1", k=MAX_FEED)
    liked = next(item.product for item in usual.items if item.product.id.startswith("p"))
    look = picture_bytes(colour(int(liked.id[1:])), (8, 8), "PNG")
    engine.put(ProductEdit("fresh", {"title": liked.title, "category": liked.category}, (look,)))
    assert "fresh" in ids(feed(engine, "v1", k=20, repeat_share=1.0))
    strangers = {item.product.id: item.reason.code for item in feed(engine, "v-unseen", k=MAX_FEED).items}
    assert strangers["fresh"] == NEW_ARRIVAL and NEW_ARRIVAL not in {
        strangers[each] for each in strangers if each != "fresh"
    }
    engine.remove("fresh")
    engine.remove(liked.id)
    assert not {"fresh", liked.id} & set(ids(feed(engine, "v1", k=MAX_FEED)))
