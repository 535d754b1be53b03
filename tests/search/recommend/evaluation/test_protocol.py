"""The protocol: what is held out, which products are candidates, and which list is measured against what."""

import numpy as np
import pytest

from catalog.errors import BadInput
from search.recommend.evaluation.protocol import Split, measure
from search.recommend.models.base import Context
from search.recommend.models.cold import buyers
from search.recommend.models.own_history import OwnHistory
from search.recommend.models.popularity import Popularity
from tests.search.recommend.purchases import DAY_S, draw_log, make_events, make_table

# Three visitors buy 0 and 1 before the holdout. In it, visitor 0 buys 0 again, and for the first time 1 and 5.
ROWS = [(0, 0, 1), (1, 0, 1), (2, 0, 2), (1, 1, 3), (2, 1, 3), (3, 1, 3), (0, 0, 20), (0, 1, 21), (0, 5, 29)]


@pytest.fixture
def split():
    return Split.of(make_events(ROWS), make_table(6), holdout_weeks=2)


def test_the_last_weeks_are_held_out_and_candidates_have_three_buyers(split):
    assert split.now == 29 * DAY_S + 1 - 14 * DAY_S
    assert np.flatnonzero(split.candidates).tolist() == [0, 1]
    assert len(split.known) == 6


def test_a_case_is_a_visitor_with_purchases_on_both_sides(split):
    (case,) = split.cases()
    assert case.visitor == 0
    assert case.targets.tolist() == [0, 1, 5]
    assert np.flatnonzero(case.own).tolist() == [0]
    assert case.baskets == 1


def test_targets_that_no_list_can_hold_stay_in_the_denominator(split):
    found = measure(Popularity.fit(split.known, split.products, split.now), split)
    assert found["everything"]["recall_at_20"] == pytest.approx(2 / 3)
    assert found["repeat"]["recall_at_20"] == 1.0
    assert found["new"]["recall_at_20"] == 1 / 2
    assert found["new_few_baskets"]["visitors"] == 1


def test_own_history_knows_nothing_new(split):
    found = measure(OwnHistory.fit(split.known, split.products, split.now), split)
    assert found["repeat"]["recall_at_20"] == 1.0
    assert found["new"]["recall_at_20"] == 0.0


def test_a_model_is_never_shown_the_holdout(split):
    calls = []

    class Spy(OwnHistory):
        def scores(self, visitor, context):
            calls.append((visitor.times.max(), context.now))
            return super().scores(visitor, context)

    measure(Spy(6), split)
    assert all(newest < now == split.now for newest, now in calls)


def test_a_log_that_is_too_short_is_refused():
    with pytest.raises(BadInput, match="3 buyers"):
        Split.of(make_events(ROWS[:4]), make_table(6))


def test_buyers_are_visitors_and_not_purchases():
    assert buyers(make_events([(0, 0, 1), (0, 0, 2), (1, 0, 3), (1, 2, 3, "view")]), 3).tolist() == [2, 0, 0]


def test_recent_popularity_forgets():
    events = make_events([(0, 0, 1), (1, 0, 1), (2, 1, 200)])
    model = Popularity.fit(events, make_table(2), 201 * DAY_S)
    assert model.recommend(events.history(0), Context(201 * DAY_S), 2).products.tolist() == [1, 0]


def test_one_visitor_cannot_make_a_product_popular():
    events = make_events([*((0, 0, day) for day in range(20)), (1, 1, 19), (2, 1, 19)])
    assert Popularity.fit(events, make_table(2), 20 * DAY_S).weights.argmax() == 1


def test_a_drawn_log_is_foretold_better_from_its_own_history():
    table, events = draw_log()
    split = Split.of(events, table)
    own, popular = (measure(model.fit(split.known, table, split.now), split) for model in (OwnHistory, Popularity))
    assert own["everything"]["recall_at_20"] > popular["everything"]["recall_at_20"]
