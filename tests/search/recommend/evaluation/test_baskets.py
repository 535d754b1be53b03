"""One product of each basket is left out, and found again or not."""

from functools import cache

import numpy as np
import pytest

from catalog.errors import BadInput
from search.recommend.evaluation.baskets import MODELS, draw_baskets, evaluate_baskets, is_hit, measure_baskets
from search.recommend.evaluation.protocol import Split
from search.recommend.models.base import Context, top
from search.recommend.models.popularity import Popularity
from search.recommend.models.together import BasketCompletion, Together
from tests.search.recommend.purchases import draw_log, make_events, make_table

# Four visitors buy p0 with p1 and p2 with p3 each week; 25 products of one more purchase each are more popular.
PAIRS = [(v, p, week * 7 + p // 2) for v in range(4) for week in range(4) for p in range(4)]
CROWD = [(v, p, 20) for v in range(4, 12) for p in range(4, 29)]
HELD_OUT = [(v, p, 40) for v in range(4) for p in (0, 1)]
TABLE = make_table(30)


@cache
def drawn_log():
    table, events = draw_log(visitors=60, products=80)
    return Split.of(events, table), events, table


def test_a_case_is_a_basket_of_the_holdout_without_one_of_its_products():
    split, events, _ = drawn_log()
    cases = draw_baskets(split, 50)
    assert len(cases) == 50
    for case in cases:
        bought = events.history(case.visitor)
        members = {*case.cart.tolist(), case.target}
        assert case.target not in case.cart and len(members) == len(case.cart) + 1 >= 2
        at = {int(t) for t in bought.times if set(bought.products[bought.times == t].tolist()) == members}
        assert any(t >= split.now for t in at)
        assert (case.history.times < split.now).all(), "earlier baskets of the holdout are not known"
        before = bought.products[bought.times < split.now]
        assert case.is_new == (case.target not in before)


def test_the_same_seed_draws_the_same_baskets_and_another_others():
    split, _, _ = drawn_log()
    first, again, other = (
        [(c.visitor, c.target, *c.cart.tolist()) for c in draw_baskets(split, 40, seed)] for seed in (0, 0, 1)
    )
    assert first == again != other


def test_pairs_are_found_where_popularity_finds_none():
    figures = evaluate_baskets(make_events(PAIRS + CROWD + HELD_OUT), TABLE, holdout_weeks=1)
    assert figures.baskets == figures.visitors == 4 and figures.new == 0
    assert figures.models[Popularity.name].hit_at_20 == 0
    assert figures.models[Together.name].hit_at_20 == 1
    assert figures.models[BasketCompletion.name].hit_at_20 == 1


def test_what_no_model_can_find_counts_against_all():
    unknown = [(v, p, 40) for v in range(4) for p in (0, 29)]  # nobody bought p29 before
    events = make_events(PAIRS + CROWD + unknown)
    figures = evaluate_baskets(events, TABLE, holdout_weeks=1, seed=3)
    targets = [case.target for case in draw_baskets(Split.of(events, TABLE, 1), 9, 3)]
    assert figures.new == targets.count(29) > 0
    assert all(rates.new_hit_at_20 == 0 for rates in figures.models.values())
    assert figures.models[BasketCompletion.name].hit_at_20 <= 1 - targets.count(29) / 4


def test_hits_are_those_of_the_recommended_list():
    split, _, table = drawn_log()
    model = Popularity.fit(split.known, table, split.now)
    for case in draw_baskets(split, 60):
        allowed = split.candidates.copy()
        allowed[case.cart] = False
        listed = model.recommend(case.history, Context(split.now), 20, allowed).products
        assert is_hit(model.scores(case.history, Context(split.now)), allowed, case.target) == (case.target in listed)
    tied = np.ones(30, np.float32)
    everything = np.ones(30, np.bool_)
    assert [p for p in range(30) if is_hit(tied, everything, p)] == top(tied, 20).products.tolist()
    assert not is_hit(tied * 0, everything, 0)


def test_figures_are_shares_within_their_intervals_and_of_every_model():
    _, events, table = drawn_log()
    figures = evaluate_baskets(events, table, baskets=100).to_dict()
    assert set(figures["models"]) == {model.name for model in MODELS}
    for row in figures["models"].values():
        assert 0 <= row["hit_at_20_low"] <= row["hit_at_20"] <= row["hit_at_20_high"] <= 1
        assert 0 <= row["new_hit_at_20_low"] <= row["new_hit_at_20"] <= row["new_hit_at_20_high"] <= 1
    assert figures["hit_at_20"] == figures["models"]["basket_completion"]["hit_at_20"]
    assert figures["popularity_new_hit_at_20"] == figures["models"]["popularity"]["new_hit_at_20"]


def test_the_interval_is_wide_where_few_visitors_decide():
    split, _, table = drawn_log()
    cases = draw_baskets(split, 100)
    models = {"together": Together.fit(split.known, table, split.now)}
    many, few = (measure_baskets(models, split, some).models["together"] for some in (cases, cases[:6]))
    assert few.hit_at_20_high - few.hit_at_20_low > many.hit_at_20_high - many.hit_at_20_low > 0


def test_a_log_of_single_purchases_is_refused():
    single = [(v, 0, day) for v in range(4) for day in (0, 40)]
    with pytest.raises(BadInput, match="no basket of two products"):
        evaluate_baskets(make_events(single), TABLE, holdout_weeks=1)
