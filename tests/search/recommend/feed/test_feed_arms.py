"""An experiment changes the feed of the visitors of its arms, and of nobody else."""

import pytest

from search.recommend.experiments.experiment import Arm, Experiment, FeedSettings
from search.recommend.feed.feed_page import (
    BOUGHT_TOGETHER,
    BUY_AGAIN,
    FOR_YOU,
    HOME,
    NEW_FOR_YOU,
    TRENDING,
    FeedRequest,
)
from tests.search.recommend.feed.feed_shop import groceries, open_feed_shop, record

FEW = FeedSettings(shelves=("trending", "for_you"), repeat_share=0.1)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with open_feed_shop(tmp_path_factory.mktemp("arms")) as engine:
        groceries(engine)
        store = engine.recommender.experiments.store
        store.save(Experiment("repeats", (Arm("control"), Arm("few", 1.0, FEW))))
        store.start("repeats")
        yield engine


def test_a_visitor_is_served_by_the_settings_of_his_or_her_arm_every_time(engine):
    bought = [f"k{kind}-3" for kind in range(8)]
    repeats = {"control": set(), "few": set()}
    for number in range(12):
        visitor = f"v-arm-{number}"
        for days_ago in (30, 20, 10):
            record(engine, visitor, *[("purchase", product) for product in bought], days_ago=days_ago)
        pages = [engine.recommender.feed(visitor, FeedRequest()) for _ in range(3)]
        (arm,) = {page.arm for page in pages}
        shown = [item.product.id for item in pages[0].shelves[0].items]
        repeats[arm].add(len(set(bought) & set(shown)))
        home = engine.recommender.feed(visitor, FeedRequest(HOME, k=4))
        names = tuple(shelf.surface for shelf in home.shelves)
        assert home.arm == arm and (names == FEW.shelves) == (arm == "few")
    assert min(repeats["control"]) > max(repeats["few"]) and repeats["few"] == {2}


@pytest.mark.parametrize(("visitor", "personal"), [("", True), ("v-arm-1", False)])
def test_who_is_not_personalised_is_in_no_arm(engine, visitor, personal):
    page = engine.recommender.feed(visitor, FeedRequest(personal=personal))
    assert page.arm is None and len(page.shelves) == 1


def test_only_who_saw_a_difference_is_counted(engine):
    visitor, experiments = "v-arm-counted", engine.recommender.experiments
    for surface in (TRENDING, NEW_FOR_YOU, BUY_AGAIN):
        assert engine.recommender.feed(visitor, FeedRequest(surface)).arm
    assert engine.recommender.feed(visitor, FeedRequest(BOUGHT_TOGETHER, product="k1-3")).arm
    assert engine.recommender.exposures_of(visitor) == []
    arm = engine.recommender.feed(visitor, FeedRequest()).arm
    assert [seen.arm for seen in engine.recommender.exposures_of(visitor)] == [arm]
    assert experiments.store.running().surfaces == {FOR_YOU, HOME}
