"""One suite over all models: what each promises, whatever it is made of."""

from functools import cache

import numpy as np
import pytest

from search.recommend.events.interactions import EMPTY_HISTORY, History, Interactions
from search.recommend.models.base import Context, top
from search.recommend.models.ease import Ease
from search.recommend.models.factors import AlternatingLeastSquares, BayesianPersonalisedRanking
from search.recommend.models.item_neighbours import ItemNeighbours
from search.recommend.models.own_history import OwnHistory
from search.recommend.models.popularity import AllTimePopularity, Popularity
from search.recommend.models.together import BasketCompletion, Together
from search.recommend.models.user_neighbours import SessionNeighbours, UserNeighbours
from search.recommend.ranking.blend import Blend
from search.recommend.ranking.two_stage import TwoStage
from tests.search.recommend.purchases import DAY_S, draw_log, make_events, make_table

pytestmark = pytest.mark.usefixtures("few_trees")
MODELS = [
    Popularity,
    AllTimePopularity,
    OwnHistory,
    Ease,
    ItemNeighbours,
    UserNeighbours,
    SessionNeighbours,
    Together,
    BasketCompletion,
    AlternatingLeastSquares,
    BayesianPersonalisedRanking,
    Blend,
    TwoStage,
]
NOW = 12 * 7 * DAY_S  # the log goes on for four weeks
VISITOR = 5


@cache
def log():
    return draw_log(visitors=60, products=40)


@cache
def fitted(model):
    table, events = log()
    return model.fit(events, table, NOW)


@cache
def fitted_on_the_past(model):
    table, events = log()
    return model.fit(events.between(0, NOW), table, NOW)


def question(model, visitor=VISITOR, cart=(3, 4)):
    return log()[1].history(visitor), Context(NOW, np.array(cart, np.int32))


def is_stored(model):
    try:
        fitted(model).arrays()
    except NotImplementedError:
        return False
    return True


@pytest.fixture(params=MODELS, ids=lambda model: model.name)
def model(request):
    return request.param


def test_names_differ():
    assert len({model.name for model in MODELS}) == len(MODELS)


def test_scores_are_a_finite_number_for_each_product(model):
    scores = fitted(model).scores(*question(model))
    assert scores.dtype == np.float32 and scores.shape == (len(log()[0]),)
    assert np.isfinite(scores).all() and (scores > 0).any()


def test_the_same_question_has_the_same_answer_from_a_model_fitted_again(model):
    assert np.array_equal(fitted(model).scores(*question(model)), fitted_on_the_past(model).scores(*question(model)))
    assert np.array_equal(fitted(model).scores(*question(model)), fitted(model).scores(*question(model)))


def test_recommended_are_the_best_allowed_products_at_most_k_best_first(model):
    scores = fitted(model).scores(*question(model))
    allowed = np.arange(len(scores)) % 2 == 0
    for k in (1, 7, 1000):
        found = fitted(model).recommend(*question(model), k, allowed)
        wanted = [p for p in np.argsort(-scores, kind="stable") if allowed[p] and scores[p] > 0][:k]
        assert found.products.tolist() == wanted, "ties are in the order of the table"
        assert found.scores.tolist() == scores[wanted].tolist()
        assert found.products.dtype == np.int32 and found.scores.dtype == np.float32
    assert not len(fitted(model).recommend(*question(model), 9, np.zeros(len(scores), bool)).products)


def test_ties_are_in_the_order_of_the_table():
    assert top(np.array([1, 3, 0, 3, 1, -1], np.float32), 4).products.tolist() == [1, 3, 0, 4]


def test_a_visitor_without_a_history_is_answered(model):
    scores = fitted(model).scores(EMPTY_HISTORY, Context(NOW))
    assert scores.shape == (len(log()[0]),) and np.isfinite(scores).all()


def test_events_after_now_never_matter(model):
    """A model that has seen the future, or reads it in a history, would be praised for what it cannot know."""
    events = log()[1]
    assert events.end > NOW
    past = events.between(0, NOW)
    leaking, clean = fitted(model), fitted_on_the_past(model)
    for visitor in (0, VISITOR, 17):
        with_future, context = question(model, visitor)
        without = past.history(visitor)
        assert len(without) < len(with_future)
        assert np.array_equal(clean.scores(without, context), leaking.scores(with_future, context))


def test_questions_change_nothing(model):
    visitor, context = question(model)
    before = fitted(model).scores(visitor, context)
    given = before.copy(), visitor.products.copy(), context.cart.copy()
    fitted(model).scores(*question(model, 9, ()))
    fitted(model).recommend(visitor, context, 5, np.arange(len(before)) % 3 == 0)
    assert np.array_equal(fitted(model).scores(visitor, context), given[0])
    assert np.array_equal(visitor.products, given[1]) and np.array_equal(context.cart, given[2])


def test_a_model_without_any_events_answers(model):
    if model in (Blend, TwoStage):
        pytest.skip("refuses a log that is too short: see ranking/test_two_stage.py")
    nobody = model.fit(make_events([]), make_table(4), NOW)
    visitor = make_events([(0, 1, 1)]).history(0)
    scores = nobody.scores(visitor, Context(NOW, np.array([2], np.int32)))
    assert scores.shape == (4,) and np.isfinite(scores).all()


def test_what_is_stored_answers_as_before_and_holds_no_visitor(model):
    if not is_stored(model):
        pytest.skip("only fitted and measured")
    arrays = fitted(model).arrays()
    copies = {name: np.array(array) for name, array in arrays.items()}
    assert all(array.dtype != object for array in copies.values())
    visitors = len(log()[1].visitor_ids)
    assert all(visitors not in array.shape for array in copies.values())
    stored = model.from_arrays(copies)
    before, after = (m.scores(*question(model)) for m in (fitted(model), stored))
    assert np.allclose(before, after, rtol=2e-3, atol=1e-5), "half precision has three digits"


def test_a_visitor_the_model_never_saw_is_answered_as_one_that_it_saw(model):
    """The history decides, not whose it is: one visitor's answer survives that its events are of a new visitor."""
    if not is_stored(model):
        pytest.skip("holds the rows of visitors: the visitor itself is among them")
    table, events = log()
    others = events.where(events.visitors != VISITOR)
    unseen = model.fit(others, table, NOW)
    seen, unknown = (m.recommend(*question(model), 10) for m in (fitted(model), unseen))
    assert len(np.intersect1d(seen.products, unknown.products)) >= 7, "one visitor in sixty is no more than that"


def test_a_product_that_nobody_touched_harms_nothing(model):
    table, events = log()
    wider = make_table(len(table) + 3, 6)
    scores = model.fit(events, wider, NOW).scores(*question(model))
    assert scores.shape == (len(wider),) and not scores[len(table) :].any()


def test_the_order_of_visitors_does_not_matter(model):
    table, events = log()
    if model in (AlternatingLeastSquares, BayesianPersonalisedRanking, SessionNeighbours, Blend, TwoStage):
        pytest.skip("draws factors or visitors in their order, or parts equally near baskets by it")
    count = len(events.visitor_ids)
    turned = Interactions.of(events.visitor_ids, (count - 1 - events.visitors).astype(np.int32), events.columns)
    scores = model.fit(turned, table, NOW).scores(*question(model))
    assert np.allclose(scores, fitted(model).scores(*question(model)), atol=1e-5)


def test_factors_folded_in_are_those_of_the_library():
    """The solution for a visitor is implicit's own, which recalculates it with Cholesky's method."""
    sparse = pytest.importorskip("scipy.sparse")
    als = pytest.importorskip("implicit.cpu.als")
    model = fitted(AlternatingLeastSquares)
    library = als.AlternatingLeastSquares(factors=128, regularization=10.0)
    library.item_factors = model.product_factors
    products, counts = np.array([1, 4, 9], np.int32), np.array([1, 2, 5], np.float32)
    row = sparse.csr_matrix((1 + np.log1p(counts), ([0, 0, 0], products)), shape=(1, len(log()[0])))
    expected = library.recalculate_user(0, row)
    assert np.allclose(model.visitor_factors(products, counts), expected, atol=1e-4)


def test_a_history_of_every_kind_of_event_is_answered(model):
    history, context = question(model)
    kinds = (np.arange(len(history)) % 4).astype(np.uint8)
    mixed = History(history.products, history.times, kinds, history.quantities, history.prices)
    assert np.isfinite(fitted(model).scores(mixed, context)).all()
