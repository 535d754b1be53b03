"""Two stages and the blend on a drawn log: better than the rules, without a look ahead, the same when stored."""

import numpy as np
import pytest

from catalog.errors import TooFewEvents
from search.recommend.evaluation.protocol import Split, measure
from search.recommend.events.interactions import EMPTY_HISTORY
from search.recommend.models.base import WEEK_S, Context
from search.recommend.models.own_history import OwnHistory
from search.recommend.models.popularity import Popularity
from search.recommend.ranking.blend import Blend
from search.recommend.ranking.product_statistics import ProductStatistics
from search.recommend.ranking.training import last_baskets, past_moments, training_rows
from search.recommend.ranking.two_stage import TwoStage
from search.recommend.ranking.visitor_profile import VisitorProfile
from tests.search.recommend.purchases import DAY_S, draw_log, make_events, make_table

pytest.importorskip("sklearn")
pytestmark = pytest.mark.usefixtures("few_trees")


@pytest.fixture(scope="module")
def split():
    table, events = draw_log(visitors=80, weeks=20)
    return Split.of(events, table)


@pytest.fixture(scope="module")
def fitted(split, few_trees):
    return {model.name: model.fit(split.known, split.products, split.now) for model in (TwoStage, Blend)}


@pytest.fixture(scope="module")
def figures(split, fitted):
    rules = {model.name: model.fit(split.known, split.products, split.now) for model in (Popularity, OwnHistory)}
    return {name: measure(model, split) for name, model in {**fitted, **rules}.items()}


@pytest.mark.parametrize("name", ["two_stage", "blend"])
def test_repeats_and_news_are_both_foretold(figures, name):
    def recall(model, part):
        return figures[model][part]["recall_at_20"]

    assert recall(name, "everything") > recall("popularity", "everything")
    assert recall(name, "repeat") >= 0.95 * recall("own_history", "repeat")
    assert recall(name, "new") > 1.2 * recall("popularity", "new")


@pytest.mark.parametrize("name", ["two_stage", "blend"])
def test_a_stored_model_answers_as_before(split, fitted, name):
    model = fitted[name]
    copy = type(model).from_arrays(model.arrays())
    for visitor in range(3):
        history, context = split.known.history(visitor), Context(split.now, np.array([3], np.int32))
        np.testing.assert_allclose(copy.scores(history, context), model.scores(history, context), atol=1e-3)


def test_a_visitor_without_a_history_gets_what_is_popular(split, fitted):
    found = fitted["two_stage"].recommend(EMPTY_HISTORY, Context(split.now), 10)
    assert len(found.products) == 10
    recent = fitted["two_stage"].popularity
    assert recent[found.products].mean() > recent.mean()


def test_where_no_candidate_is_allowed_others_are_found(split, fitted):
    model = fitted["two_stage"]
    history, context = split.known.history(0), Context(split.now)
    allowed = np.ones(len(split.products), np.bool_)
    allowed[model.first.propose(history, context).codes] = False
    found = model.recommend(history, context, 5, allowed)
    assert allowed[found.products].all()
    assert len(found.products) == min(5, int((allowed & (model.popularity > 0)).sum()))


def test_what_comes_after_a_moment_is_in_no_feature(split):
    """Rows of the first half of a log are the same whether the second half has been or not."""
    half = split.now - 8 * WEEK_S
    whole = training_rows(split.known.between(0, half), split.products, half)
    again = training_rows(split.known, split.products, half)
    np.testing.assert_equal(again.features, whole.features)
    np.testing.assert_equal(again.labels, whole.labels)


def test_moments_lie_before_their_labels_and_labels_before_now(split):
    moments = past_moments(split.known, split.now)
    assert all(at < end <= split.now for at, end in moments)
    assert [end for _, end in moments][1:] == [at for at, _ in moments][:-1]


def test_an_order_that_was_sent_in_two_requests_is_one_basket():
    minute = 1 / 1_440
    rows = [(0, 0, 1), (0, 1, 5), (0, 2, 5 + 2 * minute), (0, 3, 5 + 4 * minute), (0, 4, 5 + 6 * minute, "view")]
    history = make_events(rows).history(0)
    assert last_baskets(history, 1).products.tolist() == [1, 2, 3, 4]
    profile = VisitorProfile.of(history, ProductStatistics.fit(make_events(rows), make_table(), 6 * DAY_S), 6 * DAY_S)
    assert profile.visitor["baskets"] == 2
    assert profile.own.columns["last_basket"].tolist() == [0, 1, 1, 1, 0]


def test_the_last_baskets_of_a_history():
    events = make_events([(0, 0, 1), (0, 1, 2), (0, 2, 2), (0, 4, 3, "view"), (0, 3, 5)])
    history = events.history(0)
    assert last_baskets(history, 1).products.tolist() == [3]
    assert last_baskets(history, 2).products.tolist() == [1, 2, 4, 3]
    assert last_baskets(history, 9).products.tolist() == [0, 1, 2, 4, 3]
    assert len(last_baskets(make_events([(0, 0, 1, "view")]).history(0), 2)) == 0


@pytest.mark.parametrize(
    ("rows", "reason"), [([(0, 0, 1), (0, 1, 20)], "weeks"), ([(0, day % 5, day) for day in range(90)], "purchases")]
)
def test_too_few_events_are_refused(rows, reason):
    events = make_events(rows)
    with pytest.raises(TooFewEvents, match=reason):
        TwoStage.fit(events, make_table(8), events.end)
