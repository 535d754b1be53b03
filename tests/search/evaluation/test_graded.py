"""Graded rankings, worked out by hand."""

import math

import pytest

from search.evaluation.graded import Grade, GradedRanking, discounted_gain

PAIR, KIND, ATTRIBUTE, OTHER = Grade(True, 1.0), Grade(True), Grade(False, 1.0), Grade(False)
IDEAL = (3.0, 2.0, 2.0, 1.0)  # a shop with a red mug, two other mugs, and a red plate


def ranking(*hits, kinds=3, pairs=1, ideal=IDEAL):
    return GradedRanking(hits, kinds, pairs, ideal)


def test_a_grade_is_worth_two_for_the_kind_and_one_for_the_attributes():
    assert [grade.gain for grade in (PAIR, KIND, ATTRIBUTE, OTHER)] == [3.0, 2.0, 1.0, 0.0]
    assert Grade(True, 0.5).gain == 2.5 and not Grade(True, 0.5).pair
    assert [grade.pair for grade in (PAIR, KIND, ATTRIBUTE)] == [True, False, False]


def test_gains_are_discounted_by_the_logarithm_of_the_rank():
    assert discounted_gain([3, 2, 1]) == pytest.approx(3 + 2 / math.log2(3) + 1 / 2)
    assert discounted_gain([]) == 0.0


def test_a_red_plate_before_the_red_mug():
    answer = ranking(ATTRIBUTE, PAIR, OTHER, KIND)
    assert not answer.kind_first and answer.pair_first is False
    assert [answer.kind_among(k) for k in (1, 2)] == [False, True]
    assert answer.kind_recall() == pytest.approx(2 / 3) and answer.kind_recall(2) == 1 / 2
    got = 1 + 3 / math.log2(3) + 0 + 2 / math.log2(5)
    best = 3 + 2 / math.log2(3) + 2 / 2 + 1 / math.log2(5)
    assert answer.ndcg() == pytest.approx(got / best)
    assert ranking(PAIR, KIND, KIND, ATTRIBUTE).ndcg() == 1.0


def test_a_page_with_few_hits_or_none_misses_the_rest():
    short = ranking(PAIR)
    assert short.kind_first and short.pair_first and short.kind_recall() == pytest.approx(1 / 3)
    assert short.ndcg() == pytest.approx(3 / discounted_gain(IDEAL))
    nothing = ranking()
    assert (nothing.kind_first, nothing.pair_first, nothing.kind_recall(), nothing.ndcg()) == (False, False, 0.0, 0.0)


def test_what_the_shop_does_not_have_is_not_measured():
    no_pair = ranking(KIND, kinds=12, pairs=0)
    assert no_pair.pair_first is None and no_pair.pair_share() is None and no_pair.kind_recall() == 1 / 10
    assert ranking(PAIR, PAIR, kinds=30, pairs=10).pair_share() == 2 / 10
    assert ranking(PAIR, kinds=30, pairs=9).pair_share() is None
    empty = ranking(OTHER, kinds=0, pairs=0, ideal=())
    assert empty.kind_recall() is None and empty.ndcg() is None and not empty.kind_first
